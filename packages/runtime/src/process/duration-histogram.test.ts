import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDurationHistogram } from './duration-histogram.ts';

describe('createDurationHistogram', () => {
  it('is empty at first', () => {
    expect(createDurationHistogram().summary()).toEqual({
      count: 0,
      min: 0,
      mean: 0,
      max: 0,
      p50: 0,
      p90: 0,
      p99: 0,
    });
  });

  it('gives percentiles to an eighth, and the rest exactly', () => {
    const ms = fc.oneof(
      fc.double({ min: 0.01, max: 5, noNaN: true }),
      fc.double({ min: 1, max: 1_000_000, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(ms, { minLength: 1, maxLength: 300 }), (durations) => {
        const histogram = createDurationHistogram();
        for (const each of durations) histogram.record(each);
        const sorted = durations.toSorted((a, b) => a - b);
        const { count, min, max, mean, ...percentiles } = histogram.summary();
        expect([count, min, max]).toEqual([durations.length, sorted[0], sorted.at(-1)]);
        expect(mean).toBeCloseTo(durations.reduce((sum, each) => sum + each, 0) / durations.length, 3);
        for (const [name, share] of [
          ['p50', 0.5],
          ['p90', 0.9],
          ['p99', 0.99],
        ] as const) {
          const exact = sorted[Math.ceil(durations.length * share) - 1] ?? 0;
          expect(percentiles[name]).toBeGreaterThan(exact * 0.87 - 0.002);
          expect(percentiles[name]).toBeLessThan(exact * 1.13 + 0.002);
        }
      }),
    );
  });

  it('takes nothing, less than nothing and for ever', () => {
    const histogram = createDurationHistogram();
    for (const ms of [0, -1, 1e12]) histogram.record(ms);
    expect(histogram.summary()).toMatchObject({ count: 3, min: -1, max: 1e12 });
  });
});
