import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalJitter, fullJitter, proportionalJitter, resolveJitter } from './jitter.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const delay = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e9, noNaN: true }));

describe('jitter', () => {
  it('keeps within its bounds', () => {
    fc.assert(
      fc.property(delay, chance, (delayMs, drawn) => {
        const within = (value: number, low: number, high: number): void => {
          expect(value).toBeGreaterThanOrEqual(low * (1 - 1e-12));
          expect(value).toBeLessThanOrEqual(high * (1 + 1e-12));
        };
        within(
          fullJitter(delayMs, () => drawn),
          0,
          delayMs,
        );
        within(
          equalJitter(delayMs, () => drawn),
          delayMs / 2,
          delayMs,
        );
        within(
          proportionalJitter()(delayMs, () => drawn),
          delayMs * 0.8,
          delayMs * 1.2,
        );
      }),
    );
  });

  it('draws once, evenly', () => {
    expect(proportionalJitter()(100, () => 0)).toBe(80);
    expect(proportionalJitter()(100, () => 0.5)).toBe(100);
    expect(proportionalJitter(0.5)(100, () => 0)).toBe(50);
    expect(proportionalJitter(0)(100, () => 0.9)).toBe(100);
    expect(fullJitter(100, () => 0.25)).toBe(25);
    expect(equalJitter(100, () => 0.25)).toBe(62.5);
  });

  it('is chosen by a name, a boolean or a function', () => {
    expect(resolveJitter(false)).toBeUndefined();
    expect(resolveJitter(true)?.(100, () => 0)).toBe(80);
    expect(resolveJitter('full')).toBe(fullJitter);
    expect(resolveJitter('equal')).toBe(equalJitter);
    expect(resolveJitter('proportional')?.(100, () => 0)).toBe(80);
    const own = (): number => 1;
    expect(resolveJitter(own)).toBe(own);
    expect(() => resolveJitter('fulll' as 'full')).toThrow('`jitter`');
    expect(() => proportionalJitter(2)).toThrow(RangeError);
  });
});
