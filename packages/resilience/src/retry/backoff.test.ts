import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '@pawl/core';
import {
  type Backoff,
  decorrelatedJitter,
  exponentialBackoff,
  fibonacciBackoff,
  fixedBackoff,
  linearBackoff,
  listBackoff,
  LONGEST_DELAY_MS,
} from './backoff.ts';

const first = (backoff: Backoff, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => backoff(index + 1));

describe('backoffs', () => {
  it('give the series of their formulas', () => {
    expect(first(fixedBackoff(250), 3)).toEqual([250, 250, 250]);
    expect(first(linearBackoff(), 4)).toEqual([100, 200, 300, 400]);
    expect(first(linearBackoff({ initialMs: 0, stepMs: 50 }), 3)).toEqual([0, 50, 100]);
    expect(first(exponentialBackoff(), 10)).toEqual([
      100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000,
    ]);
    expect(first(exponentialBackoff({ initialMs: 500, multiplier: 1.5 }), 3)).toEqual([500, 750, 1125]);
    expect(first(fibonacciBackoff(), 7)).toEqual([100, 100, 200, 300, 500, 800, 1300]);
    expect(first(listBackoff([10, 0, 30]), 5)).toEqual([10, 0, 30, 30, 30]);
  });

  it('spread each wait from the first to thrice the one before when decorrelated', () => {
    const backoff = decorrelatedJitter({ initialMs: 100, maxMs: 1_000 });
    const wait = (previousDelayMs: number | undefined, chance: number): number =>
      backoff(2, { previousDelayMs, random: () => chance });
    expect(backoff(1)).toBe(100);
    expect(wait(undefined, 0.9)).toBe(100);
    expect([wait(100, 0), wait(100, 0.5), wait(100, 1)]).toEqual([100, 200, 300]);
    expect([wait(900, 0), wait(900, 1)]).toEqual([100, 1_000]);
  });

  it('refuse wrong options by name', () => {
    expect(() => exponentialBackoff({ initialMs: -1 })).toThrow('`initialMs`');
    expect(() => exponentialBackoff({ multiplier: 0.5 })).toThrow('`multiplier`');
    expect(() => exponentialBackoff({ initialMs: 9, maxMs: 5 })).toThrow(
      'Expected `initialMs` (9) to be at most `maxMs` (5).',
    );
    expect(() => exponentialBackoff({ factor: 2 } as object)).toThrow('Unknown option `factor`');
    expect(() => linearBackoff({ stepMs: Number.NaN })).toThrow('`stepMs`');
    expect(() => listBackoff([])).toThrow(TypeError);
    expect(() => listBackoff([1, -2])).toThrow('`delaysMs[1]`');
    expect(() => fixedBackoff(Infinity)).toThrow(RangeError);
  });

  const duration = fc.double({ min: 0, max: 1e12, noNaN: true });
  const anyBackoff: fc.Arbitrary<Backoff> = fc
    .record({
      a: duration,
      b: fc.oneof(duration, fc.constant(Infinity)),
      multiplier: fc.double({ min: 1, max: 1e100, noNaN: true }),
      kind: fc.constantFrom('fixed', 'linear', 'exponential', 'fibonacci', 'list', 'decorrelated'),
    })
    .map(({ a, b, multiplier, kind }) => {
      const limits = { initialMs: Math.min(a, b), maxMs: Math.max(a, b) };
      if (kind === 'fixed') return fixedBackoff(a);
      if (kind === 'list') return listBackoff([a, limits.initialMs]);
      if (kind === 'linear') return linearBackoff(limits);
      if (kind === 'fibonacci') return fibonacciBackoff(limits);
      if (kind === 'exponential') return exponentialBackoff({ ...limits, multiplier });
      return decorrelatedJitter({ ...limits, multiplier });
    });

  it('never give a delay that is NaN, negative or too long for a timer', () => {
    fc.assert(
      fc.property(
        anyBackoff,
        fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2 ** 31 })),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.double({ min: 0, max: LONGEST_DELAY_MS, noNaN: true }), { nil: undefined }),
        (backoff, attempt, chance, previousDelayMs) => {
          const delayMs = backoff(attempt, { previousDelayMs, random: () => chance });
          expect(delayMs).toBeGreaterThanOrEqual(0);
          expect(delayMs).toBeLessThanOrEqual(LONGEST_DELAY_MS);
        },
      ),
    );
  });

  it('never shrink, but for the random one', () => {
    fc.assert(
      fc.property(duration, duration, fc.double({ min: 1, max: 10, noNaN: true }), (a, b, multiplier) => {
        const limits = { initialMs: Math.min(a, b), maxMs: Math.max(a, b) };
        for (const backoff of [
          linearBackoff(limits),
          fibonacciBackoff(limits),
          exponentialBackoff({ ...limits, multiplier }),
        ]) {
          const delays = first(backoff, 40);
          expect(delays).toEqual(delays.toSorted((x, y) => x - y));
        }
      }),
    );
  });

  it('are the same again from the same seed', () => {
    const series = (seed: number): readonly number[] => {
      const random = seededRandom(seed);
      const backoff = decorrelatedJitter();
      let previousDelayMs: number | undefined;
      return Array.from({ length: 20 }, (_, index) => {
        previousDelayMs = backoff(index + 1, { previousDelayMs, random });
        return previousDelayMs;
      });
    };
    expect(series(7)).toEqual(series(7));
    expect(series(7)).not.toEqual(series(8));
  });
});
