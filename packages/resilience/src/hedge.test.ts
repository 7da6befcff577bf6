import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createDeferred, type Deferred } from '@pawl/core';
import { createEventMonitor, createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import { bulkhead } from './bulkhead.ts';
import { circuitBreaker } from './circuit-breaker/circuit-breaker.ts';
import { hedge, type HedgeOptions } from './hedge.ts';
import { compose, type PolicyContext } from './policy.ts';
import { retryBudget } from './retry/budget.ts';
import { retry } from './retry/retry.ts';
import { StopRetryError } from './retry/retryable.ts';

function setup(options: HedgeOptions = {}) {
  const clock = createManualClock();
  const policy = hedge({ clock, delayMs: 100, ...options });
  const events = createEventMonitor(policy);
  /** The calls made, in order; each ends when the test says so. */
  const calls: (Deferred<unknown> & { readonly context: PolicyContext; readonly at: number })[] = [];
  const work = (context: PolicyContext): Promise<unknown> => {
    const deferred = createDeferred<unknown>();
    // Read at once, as after the call nobody will abort it.
    calls.push({
      ...deferred,
      context: { signal: context.signal, attempt: context.attempt, hedge: context.hedge ?? 0 },
      at: clock.now(),
    });
    return deferred.promise;
  };
  const run = (signal?: AbortSignal) => watch(policy.execute(work, { signal }));
  return { clock, policy, events, calls, work, run };
}

const disposable = (disposed: string[], name: string): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => void disposed.push(name),
});

describe('hedge', () => {
  it('makes one call when that answers in time, and leaves no timer', async () => {
    const { clock, policy, calls, run } = setup();
    const outcome = run();
    await clock.advance(99);
    calls[0]?.resolve('quick');
    await clock.advance(1_000);
    expect(outcome.now.value).toBe('quick');
    expect([calls.length, clock.pendingTimers]).toEqual([1, 0]);
    expect(policy.stats()).toEqual({ calls: 1, hedges: 0, won: 0, refused: 0, hedgeRate: 0 });
  });

  it('makes one more call after each delay, as many as it may', async () => {
    const { clock, calls, run } = setup({ maxHedges: 2 });
    run();
    await clock.advance(1_000);
    expect(calls.map(({ at, context }) => [at, context.hedge, context.attempt])).toEqual([
      [0, 0, 1],
      [100, 1, 1],
      [200, 2, 1],
    ]);
  });

  it('answers with the first success, aborts the others, and disposes of what still comes of them', async () => {
    const disposed: string[] = [];
    const { clock, policy, calls, run, events } = setup({ maxHedges: 2 });
    const outcome = run();
    await clock.advance(250);
    calls[1]?.resolve('the hedge');
    await clock.settle();
    expect(outcome.now.value).toBe('the hedge');
    expect(calls.map(({ context }) => context.signal.aborted)).toEqual([true, false, true]);
    expect(calls[0]?.context.signal.reason).toMatchObject({ code: 'HEDGE_LOST' });
    calls[0]?.resolve(disposable(disposed, 'original'));
    calls[2]?.reject(new Error('nobody hears this'));
    await clock.settle();
    expect(disposed).toEqual(['original']);
    expect(policy.stats()).toEqual({ calls: 1, hedges: 2, won: 1, refused: 0, hedgeRate: 2 });
    expect(events.events.map(({ name, payload }) => [name, payload])).toEqual([
      ['hedge:started', { hedge: 1, because: 'delay', elapsedMs: 100 }],
      ['hedge:started', { hedge: 2, because: 'delay', elapsedMs: 200 }],
      ['hedge:won', { hedge: 1, elapsedMs: 250 }],
    ]);
  });

  it('disposes of the second of two results that come together', async () => {
    const disposed: string[] = [];
    const { clock, calls, run } = setup({ delayMs: 0 });
    const outcome = run();
    await clock.settle();
    calls[0]?.resolve(disposable(disposed, 'original'));
    calls[1]?.resolve(disposable(disposed, 'hedge'));
    await clock.settle();
    expect([outcome.now.status, disposed]).toEqual(['fulfilled', ['hedge']]);
  });

  it('makes all calls at once when the delay is 0', () => {
    const { calls, run } = setup({ delayMs: 0, maxHedges: 3 });
    run();
    expect(calls).toHaveLength(4);
  });

  it('makes the next call at once when one fails, and with a delay of Infinity only then', async () => {
    const { clock, calls, run, events } = setup({ delayMs: Infinity });
    const outcome = run();
    await clock.advance(1_000_000);
    expect(calls).toHaveLength(1);
    calls[0]?.reject(new Error('down'));
    await clock.settle();
    expect(calls).toHaveLength(2);
    calls[1]?.resolve('up');
    await clock.settle();
    expect(outcome.now.value).toBe('up');
    expect(events.events[0]?.payload).toMatchObject({ because: 'failure' });
  });

  it('asks a function for each delay', async () => {
    const { clock, calls, run } = setup({ maxHedges: 2, delayMs: (number) => number * 50 });
    run();
    await clock.advance(1_000);
    expect(calls.map(({ at }) => at)).toEqual([0, 50, 150]);
  });

  it('rejects with the last error when all fail', async () => {
    const { clock, calls, run } = setup();
    const outcome = run();
    await clock.advance(100);
    calls[0]?.reject(new Error('first'));
    await clock.settle();
    expect(outcome.now.status).toBe('pending');
    calls[1]?.reject(new Error('last'));
    await clock.settle();
    expect(outcome.now.error).toMatchObject({ message: 'last' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects at once with an error that no other call would mend, and aborts the others', async () => {
    const { clock, calls, run } = setup({ shouldHedge: (error) => error !== 'wrong input' });
    const outcome = run();
    await clock.advance(100);
    calls[1]?.reject('wrong input');
    await clock.settle();
    expect(outcome.now.error).toBe('wrong input');
    expect(calls[0]?.context.signal.aborted).toBe(true);
  });

  it('rejects with what its functions throw', async () => {
    const bug = new Error('a bug');
    const throwing = (): never => {
      throw bug;
    };
    for (const options of [{ shouldHedge: throwing }, { delayMs: throwing }]) {
      const { clock, calls, run } = setup(options);
      const outcome = run();
      calls[0]?.reject(new StopRetryError('no'));
      await clock.settle();
      expect(outcome.now.error).toBe(bug);
    }
    const late = setup({ maxHedges: 2, delayMs: (number) => (number === 2 ? throwing() : 100) });
    const outcome = late.run();
    await late.clock.advance(100);
    expect(outcome.now.error).toBe(bug);
  });

  it('goes on without a hedge that the budget refuses', async () => {
    const clock = createManualClock();
    const budget = retryBudget({ clock, ratio: 0, minRetries: 1 });
    const { calls, run, policy, events } = setup({ clock, budget });
    const [first, second] = [run(), run()];
    await clock.advance(100);
    expect(calls).toHaveLength(3);
    calls[0]?.resolve('a');
    calls[1]?.resolve('b');
    await clock.settle();
    expect([first.now.value, second.now.value]).toEqual(['a', 'b']);
    expect(policy.stats()).toMatchObject({ hedges: 1, refused: 1 });
    expect(events.events.at(-1)).toMatchObject({ name: 'hedge:refused', payload: { hedge: 1 } });
  });

  it('counts a call once in a budget that it shares with a retry around it', async () => {
    const clock = createManualClock();
    const budget = retryBudget({ clock, ratio: 0, minRetries: 5 });
    const policy = compose(
      retry({ clock, budget, jitter: false }),
      hedge({ clock, budget, delayMs: Infinity }),
    );
    let calls = 0;
    const outcome = watch(
      policy.execute(() => {
        calls += 1;
        throw new Error('down');
      }),
    );
    await clock.advance(1_000);
    expect(outcome.now.status).toBe('rejected');
    // Three attempts of two calls each: five more than the first.
    expect([calls, budget.stats()]).toEqual([6, { calls: 1, retries: 5, refused: 0 }]);
  });

  it('does not fail because a breaker further in refuses the hedge', async () => {
    const clock = createManualClock();
    const breaker = circuitBreaker({ clock, openMs: 1_000, failureThreshold: 1, minCalls: 1, maxProbes: 1 });
    breaker.trip();
    await clock.advance(1_000);
    const answer = createDeferred<string>();
    let calls = 0;
    const outcome = watch(
      compose(hedge({ clock, delayMs: 100, maxHedges: 3 }), breaker).execute(() => {
        calls += 1;
        return answer.promise;
      }),
    );
    await clock.advance(500);
    expect([calls, breaker.stats().totals.rejected, outcome.now.status]).toEqual([1, 1, 'pending']);
    answer.resolve('the probe');
    await clock.settle();
    expect(outcome.now.value).toBe('the probe');
  });

  it('passes a refusal on when no call is under way', async () => {
    const { clock } = setup();
    const full = bulkhead({ clock, maxConcurrent: 1 });
    void full.execute(() => new Promise(() => undefined));
    const policy = compose(hedge({ clock, delayMs: 100 }), full);
    await expect(policy.execute(() => 1)).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });
  });

  it('does not count losers as failures of a breaker further in', async () => {
    const clock = createManualClock();
    const breaker = circuitBreaker({ clock });
    const policy = compose(hedge({ clock, delayMs: 100 }), breaker);
    const outcome = watch(
      policy.execute(({ hedge: number }) => (number === 1 ? 'quick' : new Promise(() => undefined))),
    );
    await clock.advance(100);
    expect(outcome.now.value).toBe('quick');
    expect(breaker.stats().totals).toMatchObject({ successes: 1, cancelled: 1, failures: 0 });
  });

  it('holds the slot of a bulkhead around it until the last loser has really ended', async () => {
    const { clock, policy, calls, work } = setup();
    const slots = bulkhead({ clock, maxConcurrent: 1 });
    const outcome = watch(compose(slots, policy).execute(work));
    await clock.advance(100);
    calls[1]?.resolve('hedge');
    await clock.settle();
    expect([outcome.now.value, slots.stats().running]).toEqual(['hedge', 1]);
    calls[0]?.reject(new Error('aborted, at last'));
    await clock.settle();
    expect(slots.stats().running).toBe(0);
  });

  it("ends every call with the caller's own reason", async () => {
    const controller = new AbortController();
    const { clock, calls, run } = setup({ maxHedges: 2 });
    const outcome = run(controller.signal);
    await clock.advance(150);
    controller.abort('enough');
    await clock.settle();
    expect(outcome.now).toEqual({ status: 'rejected', error: 'enough' });
    expect(calls.map(({ context }) => context.signal.reason as unknown)).toEqual(['enough', 'enough']);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(run(AbortSignal.abort('before'))).toBeDefined();
    expect(calls).toHaveLength(2);
  });

  it('refuses wrong options', () => {
    expect(() => hedge({ delayMs: -1 })).toThrow('`delayMs`');
    expect(() => hedge({ maxHedges: 0 })).toThrow('`maxHedges`');
    expect(() => hedge({ budget: {} as never })).toThrow('`budget`');
    expect(() => hedge({ delayMS: 1 } as object)).toThrow('did you mean `delayMs`?');
  });
});
