import { createDeferred, createEmitter } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import type { PoolEvents } from '@pawl/runtime';
import { expect, it, vi } from 'vitest';
import { createWaitingLimits } from './waiting-limit.ts';

/** Runs that begin and end when a test says so. */
function setup(maxWaitMs: number, signal?: AbortSignal) {
  const clock = createManualClock();
  const events = createEmitter<PoolEvents>();
  const onStart = vi.fn<() => void>();
  const run = createDeferred<string>();
  let runId = '';
  const limits = createWaitingLimits(events, clock);
  const answer = limits.limit({ maxWaitMs, signal, onStart }, async (how) => {
    ({ runId } = how);
    how.signal.addEventListener('abort', () => run.reject(how.signal.reason));
    return run.promise;
  });
  answer.catch(() => undefined);
  const begin = (id = runId): void =>
    events.emit('run:started', { runId: id, task: 'execute', attempt: 1, workerId: 'w', queuedMs: 0 });
  return { clock, onStart, run, answer, begin };
}

it('refuses what did not begin in time', async () => {
  const { clock, answer, begin, onStart } = setup(50);
  begin('another');
  await clock.advance(50);
  await expect(answer).rejects.toMatchObject({ code: 'WAIT_TOO_LONG', maxWaitMs: 50 });
  begin();
  expect(onStart).not.toHaveBeenCalled();
});

it('lets what began in time take as long as it will, and tells once that it began', async () => {
  const { clock, answer, begin, onStart, run } = setup(50);
  await clock.advance(49);
  begin();
  // After a crash it may be begun again.
  begin();
  await clock.advance(10_000);
  run.resolve('done');
  expect(await answer).toBe('done');
  expect(onStart).toHaveBeenCalledOnce();
  expect(clock.pendingTimers).toBe(0);
});

it("ends with its caller's own reason, waiting or not", async () => {
  const caller = new AbortController();
  const { answer, clock } = setup(50, caller.signal);
  caller.abort(new Error('left'));
  await expect(answer).rejects.toThrow('left');
  expect(clock.pendingTimers).toBe(0);
});
