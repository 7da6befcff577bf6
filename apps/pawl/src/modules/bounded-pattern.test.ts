import { expect, it } from 'vitest';
import { matchesPattern } from './bounded-pattern.ts';

it('matches the whole text, as an HTML input does', () => {
  expect(matchesPattern(String.raw`\d{4}`, '2026')).toBe(true);
  expect(matchesPattern(String.raw`\d{4}`, 'in 2026')).toBe(false);
  expect(matchesPattern('a|b', 'ab')).toBe(false);
  expect(matchesPattern('.', '💡')).toBe(true);
});

it('ends a match that backtracks without end', () => {
  expect(() => matchesPattern('(a+)+', `${'a'.repeat(40)}!`)).toThrow(
    expect.objectContaining({ code: 'PATTERN_TIMEOUT' }),
  );
  expect(matchesPattern('(a+)+', 'aaa')).toBe(true);
});
