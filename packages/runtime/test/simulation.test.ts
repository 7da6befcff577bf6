import { describe, expect, it } from 'vitest';
import { simulate } from './simulation/simulate.ts';

describe('a simulated pool', () => {
  it.each([1, 2, 3, 4, 5])('keeps its rules in 20 random lives (%i)', async (round) => {
    let runs = 0;
    for (let seed = round * 1_000; seed < round * 1_000 + 20; seed += 1) runs += (await simulate(seed)).runs;
    expect(runs).toBeGreaterThan(100);
  });

  it('lives the same life with the same seed', async () => {
    const [first, second] = [await simulate(42), await simulate(42)];
    expect(second.log).toEqual(first.log);
    expect((await simulate(43)).log).not.toEqual(first.log);
  });
});
