import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom, systemRandom } from './random.ts';

const take = (count: number, random: () => number): number[] => Array.from({ length: count }, () => random());

describe('seededRandom', () => {
  // From a second implementation, written in Python after the paper's C code.
  it.each([
    [0, [0.41675133265905573, 0.5870561741002205, 0.2650367332581032, 0.44226437408135244]],
    [1, [0.3990947426108761, 0.8475488031199178, 0.8677046813320433, 0.005355759227660295]],
    [42, [0.12153125309271129, 0.8381542302418197, 0.9407171993080805, 0.6581480182279605]],
    [-1.5, [0.26504303221085124, 0.2588148182472869, 0.47095176968966634, 0.23474051896091974]],
    [2 ** 40, [0.7980340583344169, 0.18292587552062467, 0.9932608732556917, 0.04598087041965315]],
  ])('gives the golden numbers of seed %d', (seed, expected) => {
    expect(take(4, seededRandom(seed))).toEqual(expected);
  });

  const seed = fc.double({ noNaN: true, noDefaultInfinity: true });

  it('stays in [0, 1) and repeats itself for the same seed', () => {
    fc.assert(
      fc.property(seed, (value) => {
        const numbers = take(50, seededRandom(value));
        for (const number of numbers) {
          expect(number).toBeGreaterThanOrEqual(0);
          expect(number).toBeLessThan(1);
        }
        expect(take(50, seededRandom(value))).toEqual(numbers);
      }),
    );
  });

  it('differs for the first 10,000 whole seeds, and for fractions of one', () => {
    const first = new Set(Array.from({ length: 10_000 }, (_, value) => seededRandom(value)()));
    for (let part = 1; part < 1_000; part += 1) first.add(seededRandom(part / 1_000)());
    expect(first.size).toBe(10_999);
  });

  it('spreads evenly', () => {
    const random = seededRandom(7);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 100_000; draw += 1) {
      const at = Math.floor(random() * 10);
      buckets[at] = (buckets[at] ?? 0) + 1;
    }
    // Ten thousand are expected in each; 400 is more than four standard deviations.
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it.each([Number.NaN, Infinity, '7'])('refuses the seed %s', (value) => {
    expect(() => seededRandom(value as number)).toThrow('Expected `seed` to be a number');
  });
});

describe('systemRandom', () => {
  it('stays in [0, 1) and does not repeat itself', () => {
    const numbers = take(1_000, systemRandom);
    for (const number of numbers) expect(number >= 0 && number < 1).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(990);
  });
});
