import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advisePattern, comparePatterns, explainPattern, type WorkTraits } from './pattern-advisor.ts';
import { patternNames } from './pattern-advisor-catalogue.ts';

describe('advisePattern', () => {
  it.each<[WorkTraits, string]>([
    [{}, 'simple'],
    [{ expectedDurationMs: 60_000 }, 'simple'],
    [{ expectedDurationMs: 60_001 }, 'long-running'],
    [{ needsLiveOutput: true }, 'long-running'],
    [{ concurrentRuns: 2 }, 'concurrent'],
    [{ needsResult: false }, 'fire-and-forget'],
    [{ runsPerMinute: 10 }, 'simple'],
    [{ runsPerMinute: 11 }, 'pooled'],
    [{ recurring: true }, 'periodic'],
    [{ recurring: true, needsLiveOutput: true, concurrentRuns: 5 }, 'periodic'],
    [{ expectedDurationMs: 3_600_000, concurrentRuns: 5, needsResult: false }, 'long-running'],
    [{ concurrentRuns: 5, needsResult: false, runsPerMinute: 100 }, 'concurrent'],
    [{ needsResult: false, runsPerMinute: 100 }, 'fire-and-forget'],
  ])('recommends for %j: %s', (traits, pattern) => {
    expect(advisePattern(traits).pattern).toBe(pattern);
  });

  it('gives its reasons with the numbers, and the runners-up in order', () => {
    const advice = advisePattern({
      expectedDurationMs: 90_000,
      needsLiveOutput: true,
      concurrentRuns: 4,
      runsPerMinute: 30,
    });
    expect(advice).toEqual({
      pattern: 'long-running',
      reasons: [
        'Its output is wanted while it runs.',
        'It takes 90 s, longer than 60 s: people want to see how far it is.',
      ],
      runnersUp: [
        { pattern: 'concurrent', reason: '4 runs are wanted together, so they need a bound.' },
        {
          pattern: 'pooled',
          reason: 'It runs 30 times a minute, more than 10: starting each time would cost too much.',
        },
        { pattern: 'simple', reason: 'One call that waits for the end is the least that can go wrong.' },
      ],
    });
  });

  it('says why simple is enough', () => {
    expect(advisePattern({ expectedDurationMs: 2_500 })).toEqual({
      pattern: 'simple',
      reasons: ['It takes 2.5 s: one call that waits for the end is enough.'],
      runnersUp: [],
    });
  });

  it('always gives a reason, and names each pattern once', () => {
    const traits = fc.record(
      {
        expectedDurationMs: fc.nat(200_000),
        needsLiveOutput: fc.boolean(),
        concurrentRuns: fc.integer({ min: 1, max: 20 }),
        needsResult: fc.boolean(),
        recurring: fc.boolean(),
        runsPerMinute: fc.nat(50),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(traits, (some) => {
        const { pattern, reasons, runnersUp } = advisePattern(some);
        const named = [pattern, ...runnersUp.map((other) => other.pattern)];
        return reasons.length > 0 && new Set(named).size === named.length && named.includes('simple');
      }),
    );
  });

  it.each([
    [{ concurrentRuns: 0 }, '`concurrentRuns`'],
    [{ expectedDurationMs: -1 }, '`expectedDurationMs`'],
    [{ recurring: 'yes' }, '`recurring`'],
    [{ recuring: true }, 'did you mean `recurring`?'],
  ])('refuses %j', (traits, message) => {
    expect(() => advisePattern(traits as never)).toThrow(message);
  });
});

describe('explainPattern', () => {
  it.each(patternNames)('tells of %s what it is for, gives and costs', (name) => {
    const { useWhen, benefits, limitations, example, entry } = explainPattern(name);
    expect(useWhen).toMatch(/\.$/);
    expect(benefits.length).toBeGreaterThan(0);
    expect(limitations.length).toBeGreaterThan(0);
    expect(example).not.toBe('');
    expect(entry).not.toBe('');
  });

  it('knows no other', () => {
    expect(() => explainPattern('magic' as never)).toThrow('`name`');
  });
});

describe('comparePatterns', () => {
  it('has the six patterns in order, and something to say of each', () => {
    const lines = comparePatterns();
    expect(lines.map(({ name }) => name)).toEqual(patternNames);
    expect(lines.flatMap((line) => Object.values(line))).not.toContain('');
  });
});
