import { describe, expect, it } from 'vitest';
import { matches, versionTag } from './etag.ts';

describe('versionTag', () => {
  it('is the same for the same answer, and another for another', () => {
    expect(versionTag({ a: 1 })).toBe(versionTag({ a: 1 }));
    expect(versionTag({ a: 1 })).not.toBe(versionTag({ a: 2 }));
    expect(versionTag({ a: 1 })).toMatch(/^"[\w-]{27}"$/);
  });
});

describe('matches', () => {
  it.each([
    [undefined, false],
    ['"x"', true],
    ['W/"x"', true],
    ['"a", W/"x" ,"b"', true],
    ['*', true],
    ['"y"', false],
    ['x', false],
  ])('finds "x" in %s: %s', (header, expected) => {
    expect(matches(header, '"x"')).toBe(expected);
  });
});
