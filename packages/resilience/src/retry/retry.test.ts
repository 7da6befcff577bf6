import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import pRetry from 'p-retry';
import { describe, expect, it } from 'vitest';
import { createDeferred, type Logger, seededRandom, silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../../test/settle.ts';
import type { RetryEvents } from '../events.ts';
import { decorrelatedJitter, fixedBackoff, listBackoff, LONGEST_DELAY_MS } from './backoff.ts';
import { retryBudget } from './budget.ts';
import { retryPresets } from './presets.ts';
import { retry, type RetryOptions } from './retry.ts';
import { StopRetryError } from './retryable.ts';

function setup(options: RetryOptions = {}) {
  const clock = createManualClock();
  const scheduled: RetryEvents['retry:scheduled'][] = [];
  const gaveUp: RetryEvents['retry:gave-up'][] = [];
  const policy = retry({
    clock,
    random: seededRandom(1),
    onRetry: (event) => scheduled.push(event),
    onGiveUp: (event) => gaveUp.push(event),
    ...options,
  });
  /** Fails as often as it is told, with the same error. */
  const failing = (times: number, ...thrown: readonly unknown[]) => {
    const error = thrown.length === 0 ? new Error('down') : thrown[0];
    const calls: { readonly attempt: number; readonly at: number }[] = [];
    const fn = async ({ attempt }: { readonly attempt: number }): Promise<string> => {
      calls.push({ attempt, at: clock.now() });
      if (calls.length <= times) throw error;
      return 'up';
    };
    return { fn, calls, error };
  };
  return { clock, policy, scheduled, gaveUp, failing };
}

const delays = (events: readonly RetryEvents['retry:scheduled'][]): readonly number[] =>
  events.map(({ delayMs }) => delayMs);

describe('retry: attempts', () => {
  it('calls the work once when it succeeds, without a timer', async () => {
    const { clock, policy, failing, scheduled } = setup();
    const { fn, calls } = failing(0);
    expect(await policy.execute(fn)).toBe('up');
    expect(calls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
    expect(scheduled).toEqual([]);
  });

  it('makes three attempts by default and then throws the last error itself', async () => {
    const { clock, policy, failing, gaveUp } = setup();
    const { fn, calls, error } = failing(99);
    const outcome = watch(policy.execute(fn));
    await clock.advance(1_000);
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(outcome.now.error).toBe(error);
    expect(gaveUp).toEqual([{ attempt: 3, error, reason: 'max-attempts', elapsedMs: calls[2]?.at }]);
  });

  it('never retries with one attempt, and gives up once', async () => {
    const { clock, policy, failing, gaveUp, scheduled } = setup({ maxAttempts: 1 });
    const { fn, calls, error } = failing(99);
    await expect(policy.execute(fn)).rejects.toBe(error);
    expect([calls.length, gaveUp.length, scheduled.length, clock.pendingTimers]).toEqual([1, 1, 0, 0]);
  });

  it('goes on without end when told so', async () => {
    const { clock, policy, failing } = setup({
      maxAttempts: Infinity,
      backoff: fixedBackoff(1),
      jitter: false,
    });
    const { fn, calls } = failing(500);
    const outcome = watch(policy.execute(fn));
    await clock.advance(500);
    expect(outcome.now.value).toBe('up');
    expect(calls).toHaveLength(501);
  });

  it.each([
    ['undefined', undefined],
    ['a string', 'down'],
    ['a frozen error', Object.freeze(new Error('frozen'))],
    ['a TypeError', new TypeError('x is not a function')],
    ['an object', { code: 7 }],
  ])('retries and rethrows %s unchanged', async (_name, thrown) => {
    const { clock, policy, failing } = setup();
    const { fn, calls } = failing(99, thrown);
    const outcome = watch(policy.execute(fn));
    await clock.advance(1_000);
    expect(calls).toHaveLength(3);
    expect(outcome.now.status).toBe('rejected');
    expect(outcome.now.error).toBe(thrown);
  });

  it('retries work that throws before it returns a promise', async () => {
    const { clock, policy } = setup();
    let calls = 0;
    const outcome = watch(
      policy.execute(() => {
        calls += 1;
        if (calls === 1) throw new Error('sync');
        return calls;
      }),
    );
    await clock.advance(1_000);
    expect(outcome.now.value).toBe(2);
  });

  it('agrees with p-retry on how often the work is called', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 8 }),
        async (maxAttempts, failures) => {
          const { clock, policy, failing } = setup({ maxAttempts, backoff: fixedBackoff(0) });
          const [ours, theirs] = [failing(failures), failing(failures)];
          const outcome = watch(policy.execute(ours.fn));
          for (let step = 0; step < maxAttempts; step += 1) await clock.advance(0);
          const expected = await pRetry((attempt) => theirs.fn({ attempt }), {
            retries: maxAttempts - 1,
            minTimeout: 0,
          }).then(
            () => 'fulfilled',
            () => 'rejected',
          );
          expect(outcome.now.status).toBe(expected);
          expect(ours.calls.length).toBe(theirs.calls.length);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('retry: waits', () => {
  it('waits as the backoff says, spread by a fifth, also at the cap', async () => {
    const { clock, policy, failing, scheduled } = setup({ maxAttempts: 40 });
    watch(policy.execute(failing(99).fn));
    await clock.advance(2_000_000);
    expect(scheduled).toHaveLength(39);
    for (const [index, delayMs] of delays(scheduled).entries()) {
      const nominalMs = Math.min(30_000, 100 * 2 ** index);
      expect(delayMs).toBeGreaterThanOrEqual(nominalMs * 0.8);
      expect(delayMs).toBeLessThanOrEqual(nominalMs * 1.2);
    }
    expect(new Set(delays(scheduled).slice(10)).size).toBe(29);
  });

  it('begins the next attempt when the told wait is over', async () => {
    const { clock, policy, failing, scheduled } = setup({ backoff: listBackoff([70, 300]), jitter: false });
    const { fn, calls } = failing(2);
    const outcome = watch(policy.execute(fn));
    await clock.advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 70, 370]);
    expect(outcome.now.value).toBe('up');
    expect(scheduled.map(({ attempt, delayMs, elapsedMs }) => ({ attempt, delayMs, elapsedMs }))).toEqual([
      { attempt: 1, delayMs: 70, elapsedMs: 0 },
      { attempt: 2, delayMs: 300, elapsedMs: 70 },
    ]);
  });

  it('waits the same again from the same seed', async () => {
    const run = async (seed: number): Promise<readonly number[]> => {
      const { clock, policy, failing, scheduled } = setup({ maxAttempts: 10, random: seededRandom(seed) });
      watch(policy.execute(failing(99).fn));
      await clock.advance(200_000);
      return delays(scheduled);
    };
    expect(await run(42)).toEqual(await run(42));
    expect(await run(42)).not.toEqual(await run(43));
  });

  it('lets the event loop turn between attempts that wait for nothing', async () => {
    const { clock, policy, failing } = setup({ backoff: fixedBackoff(0) });
    const { fn, calls } = failing(99);
    watch(policy.execute(fn));
    await clock.settle();
    expect(calls).toHaveLength(1);
    expect(clock.pendingTimers).toBe(1);
  });

  it('waits again when a timer fired early', async () => {
    const manual = createManualClock();
    const early: typeof manual = Object.create(manual, {
      setTimer: { value: (ms: number, fn: () => void) => manual.setTimer(ms > 5 ? ms - 3 : ms, fn) },
    }) as typeof manual;
    const { policy, failing } = setup({ clock: early, backoff: fixedBackoff(100), jitter: false });
    const calls: number[] = [];
    const outcome = watch(
      policy.execute(() => {
        calls.push(manual.now());
        return failing(99).fn({ attempt: 1 });
      }),
    );
    await manual.advance(250);
    expect(calls).toEqual([0, 100, 200]);
    expect(outcome.now.status).toBe('rejected');
  });

  it.each([
    ['NaN', Number.NaN, 0],
    ['a negative number', -5, 0],
    ['Infinity', Infinity, LONGEST_DELAY_MS],
    ['more than a timer takes', 1e15, LONGEST_DELAY_MS],
  ])('turns %s from a backoff of the user into a delay', async (_name, raw, expected) => {
    const { clock, policy, failing, scheduled } = setup({
      backoff: () => raw,
      jitter: false,
      maxAttempts: 2,
    });
    watch(policy.execute(failing(99).fn));
    await clock.settle();
    expect(delays(scheduled)).toEqual([expected]);
  });

  it('adds no jitter to a backoff that is random already, unless asked', async () => {
    const run = async (options: RetryOptions): Promise<readonly number[]> => {
      const { clock, policy, failing, scheduled } = setup({ backoff: decorrelatedJitter(), ...options });
      watch(policy.execute(failing(99).fn));
      await clock.advance(10_000);
      return delays(scheduled);
    };
    expect((await run({}))[0]).toBe(100);
    expect((await run({ jitter: 'full' }))[0]).toBeLessThan(100);
  });
});

describe('retry: what the error asks for', () => {
  it('waits exactly as long as the error asks', async () => {
    const { clock, policy, failing, scheduled } = setup({ backoff: fixedBackoff(10) });
    const { fn, calls } = failing(1, Object.assign(new Error('busy'), { retryAfterMs: 1_234 }));
    watch(policy.execute(fn));
    await clock.advance(1_233);
    expect(calls).toHaveLength(1);
    await clock.advance(1);
    expect(calls).toHaveLength(2);
    expect(delays(scheduled)).toEqual([1_234]);
  });

  it('asks `delayFor` first, and begins the backoff anew afterwards', async () => {
    const { clock, policy, failing, scheduled } = setup({
      maxAttempts: 5,
      jitter: false,
      delayFor: (_error, { attempt }) => (attempt === 2 ? 5_000 : undefined),
    });
    watch(policy.execute(failing(99).fn));
    await clock.advance(60_000);
    expect(delays(scheduled)).toEqual([100, 5_000, 100, 200]);
  });

  it.each([-1, Number.NaN, '100', null])('ignores %s as a wait', async (retryAfterMs) => {
    const { clock, policy, failing, scheduled } = setup({ maxAttempts: 2, jitter: false });
    watch(policy.execute(failing(99, Object.assign(new Error('odd'), { retryAfterMs })).fn));
    await clock.advance(1_000);
    expect(delays(scheduled)).toEqual([100]);
  });

  it('gives up when the error asks for more than it may', async () => {
    const { policy, failing, gaveUp } = setup({ maxRetryAfterMs: 1_000 });
    const { fn, error } = failing(99, Object.assign(new Error('later'), { retryAfterMs: 3_600_000 }));
    await expect(policy.execute(fn)).rejects.toBe(error);
    expect(gaveUp[0]?.reason).toBe('retry-after');
  });
});

describe('retry: which errors', () => {
  it.each([
    ['retryable: false', { retryable: false, transient: true }, 1],
    ['retryable: true', { retryable: true, transient: false, name: 'AbortError' }, 3],
    ['transient: false', { transient: false }, 1],
    ['transient: true', { transient: true }, 3],
    ['an AbortError', new DOMException('stop', 'AbortError'), 1],
    ['anything else', new TypeError('bug'), 3],
  ])('takes %s at its word', async (_name, error, attempts) => {
    const { clock, policy, failing } = setup();
    const { fn, calls } = failing(99, error);
    const outcome = watch(policy.execute(fn));
    await clock.advance(1_000);
    expect(calls).toHaveLength(attempts);
    expect(outcome.now.error).toBe(error);
  });

  it('asks `shouldRetry` instead, which may take its time', async () => {
    const answer = createDeferred<boolean>();
    const { clock, policy, failing } = setup({ shouldRetry: () => answer.promise });
    const { fn, calls } = failing(99, { retryable: true });
    const outcome = watch(policy.execute(fn));
    await clock.advance(1_000);
    expect([calls.length, outcome.now.status]).toEqual([1, 'pending']);
    answer.resolve(false);
    await clock.settle();
    expect([calls.length, outcome.now.status]).toEqual([1, 'rejected']);
  });

  it('rejects with what a predicate throws', async () => {
    const bug = new Error('in the predicate');
    const throwing = (): never => {
      throw bug;
    };
    const { policy, failing } = setup({ shouldRetry: throwing });
    await expect(policy.execute(failing(99).fn)).rejects.toBe(bug);
    const onResult = setup({ shouldRetryResult: throwing });
    await expect(onResult.policy.execute(() => 1)).rejects.toBe(bug);
  });

  it('stops at a StopRetryError and throws its cause', async () => {
    const { policy, scheduled, gaveUp } = setup();
    const cause = new Error('no use');
    let calls = 0;
    const result = policy.execute(() => {
      calls += 1;
      throw new StopRetryError(cause);
    });
    await expect(result).rejects.toBe(cause);
    expect([calls, scheduled.length]).toEqual([1, 0]);
    expect(gaveUp[0]).toMatchObject({ reason: 'not-retryable', error: cause });
  });

  it('retries a refused result, disposes of it, and returns the last one', async () => {
    const disposed: number[] = [];
    const { clock, policy, scheduled } = setup({
      shouldRetryResult: (result) => (result as { n: number }).n < 9,
    });
    let n = 0;
    const outcome = watch(
      policy.execute(() => {
        n += 1;
        const mine = n;
        return { n: mine, [Symbol.dispose]: () => void disposed.push(mine) };
      }),
    );
    await clock.advance(1_000);
    expect(outcome.now.value).toMatchObject({ n: 3 });
    expect(disposed).toEqual([1, 2]);
    expect(scheduled[0]).toMatchObject({ error: undefined, result: { n: 1 } });
  });
});

describe('retry: abort', () => {
  const reasons: readonly (readonly [string, unknown])[] = [
    ['a string', 'enough'],
    ['null', null],
    ['zero', 0],
    ['a frozen object', Object.freeze({ why: 'enough' })],
    ['an error', new Error('enough')],
  ];

  it.each(reasons)('does not call the work when the signal has aborted with %s', async (_name, reason) => {
    const { policy, failing } = setup();
    const { fn, calls } = failing(0);
    const outcome = watch(policy.execute(fn, { signal: AbortSignal.abort(reason) }));
    await Promise.resolve();
    await setup().clock.settle();
    expect(outcome.now.status).toBe('rejected');
    expect(outcome.now.error).toBe(reason);
    expect(calls).toEqual([]);
  });

  it.each(reasons)('ends a wait at once with %s', async (_name, reason) => {
    const { clock, policy, failing, gaveUp } = setup();
    const controller = new AbortController();
    const { fn, calls } = failing(99);
    const outcome = watch(policy.execute(fn, { signal: controller.signal }));
    await clock.settle();
    expect(clock.pendingTimers).toBe(1);
    controller.abort(reason);
    await clock.settle();
    expect(outcome.now.status).toBe('rejected');
    expect(outcome.now.error).toBe(reason);
    expect([clock.pendingTimers, calls.length, gaveUp.length]).toEqual([0, 1, 0]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('ends an attempt at once, without another attempt or event', async () => {
    const { clock, policy, scheduled, gaveUp } = setup();
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const outcome = watch(
      policy.execute(
        ({ signal }) => {
          seen = signal;
          return new Promise(() => undefined);
        },
        { signal: controller.signal },
      ),
    );
    await clock.settle();
    controller.abort('enough');
    await clock.settle();
    expect(outcome.now.error).toBe('enough');
    expect(seen?.reason).toBe('enough');
    expect([scheduled.length, gaveUp.length]).toEqual([0, 0]);
  });

  it('ends a slow predicate at once', async () => {
    const { clock, policy, failing } = setup({ shouldRetry: () => new Promise(() => undefined) });
    const controller = new AbortController();
    const outcome = watch(policy.execute(failing(99).fn, { signal: controller.signal }));
    await clock.settle();
    controller.abort('enough');
    await clock.settle();
    expect(outcome.now.error).toBe('enough');
  });

  it('leaves no listener on a signal after 10,000 calls', async () => {
    const { policy } = setup({ attemptTimeoutMs: 50 });
    const { signal } = new AbortController();
    for (let call = 0; call < 10_000; call += 1) await policy.execute(async () => call, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('retry: timeouts', () => {
  const hanging = (): Promise<never> => new Promise(() => undefined);

  it('cuts each attempt and retries it', async () => {
    const { clock, policy, scheduled } = setup({ attemptTimeoutMs: 50, jitter: false });
    const signals: AbortSignal[] = [];
    const outcome = watch(
      policy.execute(({ signal }) => {
        signals.push(signal);
        return hanging();
      }),
    );
    await clock.advance(49);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1_000);
    expect(signals).toHaveLength(3);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT', scope: 'attempt', timeoutMs: 50 });
    expect((outcome.now.error as Error).message).toBe('Attempt 3 timed out after 50 ms.');
    expect(scheduled[0]?.elapsedMs).toBe(50);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not retry when the caller aborts an attempt that has a timeout', async () => {
    const { clock, policy, scheduled } = setup({ attemptTimeoutMs: 50 });
    const controller = new AbortController();
    const outcome = watch(policy.execute(hanging, { signal: controller.signal }));
    await clock.advance(10);
    controller.abort('enough');
    await clock.settle();
    expect(outcome.now.error).toBe('enough');
    expect(scheduled).toEqual([]);
  });

  it('cuts the running attempt when the total is over, naming the failure before as its cause', async () => {
    const { clock, policy } = setup({ totalTimeoutMs: 500, jitter: false });
    const down = new Error('down');
    let signal: AbortSignal | undefined;
    const outcome = watch(
      policy.execute((context) => {
        if (context.attempt === 1) throw down;
        signal = context.signal;
        return hanging();
      }),
    );
    await clock.advance(499);
    expect(outcome.now.status).toBe('pending');
    await clock.advance(1);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT', scope: 'total', timeoutMs: 500, cause: down });
    expect(signal?.reason).toBe(outcome.now.error);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up at once when the next attempt would begin after the total', async () => {
    const { clock, policy, failing, gaveUp } = setup({ totalTimeoutMs: 250, jitter: false, maxAttempts: 9 });
    const { fn, calls, error } = failing(99);
    const outcome = watch(policy.execute(fn));
    await clock.advance(100);
    expect(calls.map(({ at }) => at)).toEqual([0, 100]);
    expect(outcome.now.error).toBe(error);
    expect(gaveUp[0]).toMatchObject({ reason: 'total-timeout', elapsedMs: 100 });
  });

  it('counts the time of a slow predicate', async () => {
    const { clock, policy, failing } = setup({ totalTimeoutMs: 250, shouldRetry: hanging });
    const outcome = watch(policy.execute(failing(99).fn));
    await clock.advance(250);
    expect(outcome.now.error).toMatchObject({ scope: 'total' });
  });
});

describe('retry: budget', () => {
  it('bounds the retries of all calls that share it', async () => {
    const clock = createManualClock();
    const budget = retryBudget({ ratio: 0.2, minRetries: 3, clock });
    const { policy, gaveUp } = setup({ clock, budget });
    let calls = 0;
    const outcomes = Array.from({ length: 100 }, () =>
      watch(
        policy.execute(async () => {
          calls += 1;
          throw new Error('down');
        }),
      ),
    );
    await clock.advance(5_000);
    expect(outcomes.every(({ now }) => now.status === 'rejected')).toBe(true);
    expect(calls).toBe(100 + 20 + 3);
    expect(gaveUp.some(({ reason }) => reason === 'budget')).toBe(true);
    expect(budget.stats()).toMatchObject({ calls: 100, retries: 23 });
  });

  it('costs nothing when the error is not retried anyway', async () => {
    const budget = retryBudget();
    const { policy, failing } = setup({ budget, shouldRetry: () => false });
    await expect(policy.execute(failing(99).fn)).rejects.toThrow('down');
    expect(budget.stats()).toMatchObject({ calls: 1, retries: 0, refused: 0 });
  });

  it('throws the last error itself when it is used up', async () => {
    const { policy, failing, gaveUp } = setup({ budget: retryBudget({ ratio: 0, minRetries: 0 }) });
    const { fn, error } = failing(99);
    await expect(policy.execute(fn)).rejects.toBe(error);
    expect(gaveUp).toMatchObject([{ reason: 'budget', attempt: 1 }]);
  });
});

describe('retry: nested', () => {
  const nested = async (retryNested: boolean, wrap = (error: unknown): unknown => error): Promise<number> => {
    const { clock, policy: outer } = setup({ retryNested });
    const { policy: inner } = setup({ clock });
    let calls = 0;
    watch(
      outer.execute(async () => {
        try {
          return await inner.execute(async () => {
            calls += 1;
            throw new Error('down');
          });
        } catch (error) {
          throw wrap(error);
        }
      }),
    );
    await clock.advance(10_000);
    return calls;
  };

  it('does not multiply', async () => {
    expect(await nested(false)).toBe(3);
    expect(await nested(false, (cause) => new Error('load failed', { cause }))).toBe(3);
  });

  it('multiplies when told to', async () => {
    expect(await nested(true)).toBe(9);
  });

  it('does not mistake the same error in a later call for a nested one', async () => {
    const { clock, policy, failing } = setup();
    const error = new Error('one for all');
    for (let call = 0; call < 3; call += 1) {
      const { fn, calls } = failing(99, error);
      watch(policy.execute(fn));
      await clock.advance(1_000);
      expect(calls).toHaveLength(3);
    }
  });
});

describe('retry: options', () => {
  it('has the presets', async () => {
    const run = async (options: RetryOptions): Promise<readonly number[]> => {
      const { clock, policy, failing, scheduled } = setup({ jitter: false, ...options });
      watch(policy.execute(failing(99).fn));
      await clock.advance(1_000_000);
      return delays(scheduled);
    };
    expect(await run(retryPresets.conservative)).toEqual([500, 750, 1125, 1687.5]);
    expect((await run(retryPresets.aggressive)).map(Math.round)).toEqual([
      50, 60, 72, 86, 104, 124, 149, 179, 215,
    ]);
    expect(await run(retryPresets.linear(4, 30))).toEqual([30, 60, 90]);
    expect(() => retryPresets.linear(0, 30)).toThrow('`maxAttempts`');
  });

  it.each([
    [{ maxAttempts: 0 }, '`maxAttempts`'],
    [{ maxAttempts: 1.5 }, '`maxAttempts`'],
    [{ maxAttempts: '3' }, '`maxAttempts`'],
    [{ attemptTimeoutMs: -1 }, '`attemptTimeoutMs`'],
    [{ totalTimeoutMs: Number.NaN }, '`totalTimeoutMs`'],
    [{ backoff: 100 }, '`backoff`'],
    [{ jitter: 'some' }, '`jitter`'],
    [{ shouldRetry: true }, '`shouldRetry`'],
    [{ onRetry: 1 }, '`onRetry`'],
    [{ budget: {} }, '`budget`'],
    [{ retries: 3 }, 'Unknown option `retries` of retry'],
    [{ maxAttempt: 3 }, 'did you mean `maxAttempts`?'],
  ])('refuses %j', (options, message) => {
    expect(() => retry(options as RetryOptions)).toThrow(message);
  });

  it('logs what a listener throws, and goes on', async () => {
    const logged: string[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_fields: object | string, message?: string) => void logged.push(message ?? ''),
    };
    const { clock, policy, failing } = setup({
      logger,
      onRetry: () => {
        throw new Error('listener');
      },
    });
    const outcome = watch(policy.execute(failing(1).fn));
    await clock.advance(1_000);
    expect(outcome.now.value).toBe('up');
    expect(logged).toEqual(['A listener of "retry:scheduled" failed.']);
  });
});
