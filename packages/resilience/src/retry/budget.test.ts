import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createManualClock } from '@pawl/core/testing';
import { retryBudget } from './budget.ts';

describe('retryBudget', () => {
  it('allows a few retries without calls, and a share of the calls on top', () => {
    const budget = retryBudget({ ratio: 0.5, minRetries: 2, clock: createManualClock() });
    const take = (): number => {
      let taken = 0;
      while (budget.tryRetry()) taken += 1;
      return taken;
    };
    expect(take()).toBe(2);
    for (let call = 0; call < 5; call += 1) budget.recordCall();
    expect(take()).toBe(2);
    expect(budget.stats()).toEqual({ calls: 5, retries: 4, refused: 2 });
  });

  it('forgets calls and retries after its window', async () => {
    const clock = createManualClock();
    const budget = retryBudget({ ratio: 1, minRetries: 0, windowMs: 1_000, clock });
    budget.recordCall();
    await clock.advance(1_000);
    expect(budget.tryRetry()).toBe(false);
    budget.recordCall();
    expect(budget.tryRetry()).toBe(true);
    expect(budget.tryRetry()).toBe(false);
  });

  it('never allows more than its bound, in whatever order it is asked', () => {
    const ratios = fc.double({ min: 0, max: 2, noNaN: true });
    fc.assert(
      fc.property(ratios, fc.nat(10), fc.array(fc.boolean()), (ratio, minRetries, steps) => {
        const budget = retryBudget({ ratio, minRetries, clock: createManualClock() });
        for (const isCall of steps) {
          if (isCall) budget.recordCall();
          else budget.tryRetry();
          const { calls, retries } = budget.stats();
          expect(retries).toBeLessThanOrEqual(minRetries + ratio * calls);
        }
      }),
    );
  });

  it('refuses wrong options', () => {
    expect(() => retryBudget({ ratio: -1 })).toThrow('`ratio`');
    expect(() => retryBudget({ minRetries: 0.5 })).toThrow('`minRetries`');
    expect(() => retryBudget({ windowMs: 0 })).toThrow('`windowMs`');
    expect(() => retryBudget({ rate: 1 } as object)).toThrow('Unknown option `rate` of retryBudget');
  });
});
