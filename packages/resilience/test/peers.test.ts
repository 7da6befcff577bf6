import {
  BrokenCircuitError,
  bulkhead as cockatielBulkhead,
  BulkheadRejectedError,
  circuitBreaker as cockatielBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  CountBreaker,
  handleAll,
  retry as cockatielRetry,
} from 'cockatiel';
import fc from 'fast-check';
import pRetry from 'p-retry';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDeferred, hasCode } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { bulkhead, circuitBreaker, exponentialBackoff, fixedBackoff, retry } from '../src/index.ts';
import { watch } from './settle.ts';

// What other libraries get right, they and we do alike: calls one after the other, without aborts, without overlaps.
// Where they were seen to go wrong, the tests of each policy say what we do.

afterEach(() => {
  vi.useRealTimers();
});

const OPEN_MS = 1_000;
const STATES: Record<CircuitState, string> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'isolated',
};

type Step = 'succeed' | 'fail' | 'wait';
const steps = fc.array(fc.constantFrom<Step>('succeed', 'fail', 'fail', 'wait'), { maxLength: 60 });

/** Makes the same calls of both breakers, and compares answer and state after each. */
async function compareBreakers(
  ours: Pick<
    Parameters<typeof circuitBreaker>[0] & object,
    'rule' | 'failureThreshold' | 'windowCalls' | 'minCalls'
  >,
  breaker: ConsecutiveBreaker | CountBreaker,
  sequence: readonly Step[],
): Promise<void> {
  // cockatiel reads the wall clock.
  vi.useFakeTimers({ toFake: ['Date'], now: 0 });
  const clock = createManualClock();
  const mine = circuitBreaker({ ...ours, clock, openMs: OPEN_MS, successThreshold: 1 });
  const theirs = cockatielBreaker(handleAll, { halfOpenAfter: OPEN_MS, breaker });
  for (const step of sequence) {
    if (step === 'wait') {
      await clock.advance(OPEN_MS / 2);
      vi.setSystemTime(clock.now());
      continue;
    }
    const work = (): Promise<string> =>
      step === 'fail' ? Promise.reject(new Error('down')) : Promise.resolve('up');
    const answerOf = (promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: unknown) =>
        hasCode(error, 'CIRCUIT_OPEN') || error instanceof BrokenCircuitError ? 'refused' : 'failed',
      );
    const answer = await answerOf(mine.execute(work));
    expect(answer).toBe(await answerOf(theirs.execute(work)));
    // An open breaker of theirs reports half-open only once it is called, as ours does.
    expect(mine.state).toBe(STATES[theirs.state]);
  }
}

describe('cockatiel and we', () => {
  it('open and close alike by failures in a row', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), (sequence, threshold) =>
        compareBreakers(
          { rule: 'consecutive', failureThreshold: threshold },
          new ConsecutiveBreaker(threshold),
          sequence,
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('open and close alike by failures among the last calls', async () => {
    const size = 6;
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: size }), (sequence, threshold) =>
        compareBreakers(
          { rule: 'count-window', failureThreshold: threshold, windowCalls: size, minCalls: size },
          // Theirs asks for more than the share, ours for as much: half a failure less is the same.
          new CountBreaker({ threshold: (threshold - 0.5) / size, size, minimumNumberOfCalls: size }),
          sequence,
        ),
      ),
      { numRuns: 60 },
    );
  });

  it('call as often when all fail', async () => {
    for (const maxAttempts of [1, 2, 5]) {
      const clock = createManualClock();
      const calls = { ours: 0, theirs: 0 };
      const mine = watch(
        retry({ clock, maxAttempts, backoff: fixedBackoff(0) }).execute(() => {
          calls.ours += 1;
          throw new Error('down');
        }),
      );
      for (let attempt = 0; attempt < maxAttempts; attempt += 1) await clock.advance(0);
      const theirs = cockatielRetry(handleAll, {
        maxAttempts: maxAttempts - 1,
        backoff: new ConstantBackoff(0),
      });
      await expect(
        theirs.execute(() => {
          calls.theirs += 1;
          throw new Error('down');
        }),
      ).rejects.toThrow('down');
      expect(mine.now.status).toBe('rejected');
      expect(calls).toEqual({ ours: maxAttempts, theirs: maxAttempts });
    }
  });

  it('let the same calls into a bulkhead, in the same order', async () => {
    const actions = fc.array(fc.constantFrom<'begin' | 'end'>('begin', 'begin', 'end'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(actions, async (sequence) => {
        const begun: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
        const refused: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] };
        const ends = { ours: [] as (() => void)[], theirs: [] as (() => void)[] };
        const mine = bulkhead({ maxConcurrent: 2, maxQueue: 2 });
        const theirs = cockatielBulkhead(2, 2);
        const work = (side: 'ours' | 'theirs', number: number) => (): Promise<void> => {
          begun[side].push(number);
          const work_ = createDeferred();
          ends[side].push(work_.resolve);
          return work_.promise;
        };
        const noteRefusal = (side: 'ours' | 'theirs', number: number) => (error: unknown) => {
          if (!hasCode(error, 'BULKHEAD_FULL') && !(error instanceof BulkheadRejectedError)) throw error;
          refused[side].push(number);
        };
        for (const [number, action] of sequence.entries()) {
          if (action === 'begin') {
            void mine.execute(work('ours', number)).catch(noteRefusal('ours', number));
            void theirs.execute(work('theirs', number)).catch(noteRefusal('theirs', number));
          } else {
            ends.ours.shift()?.();
            ends.theirs.shift()?.();
          }
          await createManualClock().settle();
          expect(begun.ours).toEqual(begun.theirs);
          expect(refused.ours).toEqual(refused.theirs);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('p-retry and we', () => {
  it('wait alike without jitter', async () => {
    for (const [initialMs, multiplier, maxMs] of [
      [100, 2, 30_000],
      [50, 1.5, 400],
      [1, 10, 5_000],
    ] as const) {
      const waits: number[] = [];
      vi.spyOn(globalThis, 'setTimeout').mockImplementation(((fn: () => void, ms: number) => {
        waits.push(ms);
        return setImmediate(fn);
      }) as unknown as typeof setTimeout);
      await expect(
        pRetry(() => Promise.reject(new Error('down')), {
          retries: 8,
          minTimeout: initialMs,
          factor: multiplier,
          maxTimeout: maxMs,
        }),
      ).rejects.toThrow('down');
      vi.restoreAllMocks();
      const backoff = exponentialBackoff({ initialMs, multiplier, maxMs });
      expect(waits).toEqual(Array.from({ length: 8 }, (_, index) => Math.round(backoff(index + 1))));
    }
  });
});
