import { describe, expect, it } from 'vitest';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import { timeout, TimeoutError } from './timeout.ts';

function setup(timeoutMs = 100, options: { cooperative?: boolean } = {}) {
  const clock = createManualClock();
  return { clock, policy: timeout(timeoutMs, { clock, ...options }) };
}

describe('timeout', () => {
  it('returns what the work returns, and leaves no timer', async () => {
    const { clock, policy } = setup();
    expect(await policy.execute(() => 'sync')).toBe('sync');
    expect(await policy.execute(async () => 'async')).toBe('async');
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects on time, also when the work does not listen', async () => {
    const { clock, policy } = setup();
    const outcome = watch(policy.execute(() => new Promise(() => undefined)));
    await clock.advance(99);
    expect(outcome.now.status).toBe('pending');
    await clock.advance(1);
    expect(outcome.now.error).toBeInstanceOf(TimeoutError);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT', timeoutMs: 100, scope: 'call' });
    expect((outcome.now.error as Error).message).toBe('Timed out after 100 ms.');
  });

  it('aborts the signal with the error it rejects with', async () => {
    const { clock, policy } = setup();
    let signal: AbortSignal | undefined;
    const outcome = watch(
      policy.execute((context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      }),
    );
    await clock.advance(100);
    expect(signal?.reason).toBe(outcome.now.error);
  });

  it('disposes of a result that comes too late, and ignores a late failure', async () => {
    const { clock, policy } = setup();
    const late = createDeferred<AsyncDisposable>();
    const failing = createDeferred<never>();
    watch(policy.execute(() => late.promise));
    watch(policy.execute(() => failing.promise));
    await clock.advance(100);
    let disposed = 0;
    late.resolve({ [Symbol.asyncDispose]: async () => void (disposed += 1) });
    failing.reject(new Error('too late'));
    await clock.settle();
    expect(disposed).toBe(1);
  });

  it("tells the caller's own abort from a timeout", async () => {
    const { clock, policy } = setup();
    const controller = new AbortController();
    const outcome = watch(policy.execute(() => new Promise(() => undefined), { signal: controller.signal }));
    await clock.advance(10);
    controller.abort('changed my mind');
    await clock.settle();
    expect(outcome.now).toEqual({ status: 'rejected', error: 'changed my mind' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not call the work when the signal has aborted already', async () => {
    const { policy } = setup();
    const reason = { why: 'gone' };
    let calls = 0;
    const result = policy.execute(() => (calls += 1), { signal: AbortSignal.abort(reason) });
    await expect(result).rejects.toBe(reason);
    expect(calls).toBe(0);
  });

  it('takes Infinity as no limit', async () => {
    const { clock, policy } = setup(Infinity);
    const work = createDeferred<string>();
    const outcome = watch(policy.execute(() => work.promise));
    await clock.advance(10_000_000);
    work.resolve('at last');
    await clock.settle();
    expect(outcome.now.value).toBe('at last');
  });

  it('waits for the work when it is cooperative, and takes its late result', async () => {
    const { clock, policy } = setup(100, { cooperative: true });
    const work = createDeferred<string>();
    const outcome = watch(policy.execute(() => work.promise));
    await clock.advance(150);
    expect(outcome.now.status).toBe('pending');
    work.resolve('late');
    await clock.settle();
    expect(outcome.now.value).toBe('late');
  });

  it('answers a failure after the timeout with the timeout when it is cooperative', async () => {
    const { clock, policy } = setup(100, { cooperative: true });
    const work = createDeferred<string>();
    const outcome = watch(policy.execute(() => work.promise));
    await clock.advance(100);
    work.reject(new Error('aborted, or so'));
    await clock.settle();
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT' });
  });

  it('refuses wrong arguments by name', async () => {
    expect(() => timeout(-1)).toThrow(RangeError);
    expect(() => timeout(Number.NaN)).toThrow('`timeoutMs`');
    expect(() => timeout(1, { cooperativ: true } as object)).toThrow('did you mean `cooperative`?');
    await expect(timeout(1).execute(() => 1, { signal: {} as AbortSignal })).rejects.toThrow('`signal`');
  });
});
