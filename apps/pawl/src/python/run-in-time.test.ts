import { PawlError } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import type { ExecuteOptions, ExecutionResult } from '@pawl/python';
import { expect, it } from 'vitest';
import { createDelayControl } from './delay-control.ts';
import { runInTime } from './run-in-time.ts';

const WAITED = new PawlError('no worker was free', { code: 'WAIT_TOO_LONG' });

/** @param run what becomes of each program, in turn */
function setup(...runs: readonly ((options: ExecuteOptions) => Promise<string>)[]) {
  const clock = createManualClock();
  const waits: (number | undefined)[] = [];
  let next = 0;
  const execute = runInTime(
    async (_request, options) => {
      waits.push(options.maxWaitMs);
      const run = runs[next];
      next += 1;
      return { status: (await run?.(options)) ?? 'ok' } as ExecutionResult;
    },
    createDelayControl({ clock, places: () => 1 }),
  );
  return { clock, waits, execute: async () => execute({ code: '1' }, {}) };
}

it.each([
  ['that did not begin in time', WAITED],
  ['that finds the queue full', new PawlError('full', { code: 'QUEUE_FULL' })],
])('refuses a program %s with 503, and says when to come again', async (_when, error) => {
  const { execute } = setup(() => Promise.reject(error));
  await expect(execute()).rejects.toMatchObject({
    status: 503,
    code: 'OVERLOADED',
    retryAfterMs: 1_000,
    message: expect.stringContaining('10000 ms'),
  });
});

it('learns how long programs take from those that ended by themselves', async () => {
  const { clock, waits, execute } = setup(
    ...(
      [
        ['ok', 8],
        ['timeout', 3_000],
        ['failed', 20],
      ] as const
    ).map(([status, ms]) => async ({ onStart }: ExecuteOptions) => {
      onStart?.();
      await clock.advance(ms);
      return status;
    }),
    () => Promise.reject(WAITED),
  );
  for (let n = 0; n < 3; n += 1) await execute();
  await expect(execute()).rejects.toHaveProperty('code', 'OVERLOADED');
  await execute();
  expect(waits).toEqual([10_000, 10_000, 10_000, 10_000, 4]);
});

it('passes on what else went wrong, and does not take it for overload', async () => {
  const open = new PawlError('open', { code: 'CIRCUIT_OPEN' });
  const { waits, execute } = setup(() => Promise.reject(open));
  await expect(execute()).rejects.toBe(open);
  await execute();
  expect(waits).toEqual([10_000, 10_000]);
});
