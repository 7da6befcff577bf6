import { describe, expect, it } from 'vitest';
import { estimateBytes, keyBytes } from './value-size.ts';

describe('estimateBytes', () => {
  it.each([
    ['a string', 'héllo', 6],
    ['a number', 1, 8],
    ['nothing', undefined, 8],
    ['binary data', Buffer.alloc(100), 116],
    ['a plain object', { ab: 1 }, 26],
    ['a list', ['a', 'b'], 18],
    ['a Map', new Map([['k', 'value']]), 22],
    ['a Set', new Set(['abc']), 19],
  ])('counts %s', (_name, value, bytes) => {
    expect(estimateBytes(value)).toBe(bytes);
  });

  it('counts what is shared once, and ends on a cycle', () => {
    const shared = { text: 'x'.repeat(100) };
    const value: { a: unknown; b: unknown; self?: unknown } = { a: shared, b: shared };
    value.self = value;
    expect(estimateBytes(value)).toBe(16 + 1 + 1 + 4 + 16 + 4 + 100);
  });

  it('goes as deep as it has to', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    expect(estimateBytes(value)).toBe(100_000 * 16 + 8);
  });

  it('counts an error by its message and stack', () => {
    expect(estimateBytes(new Error('x'.repeat(1_000)))).toBeGreaterThan(2_000);
  });
});

describe('keyBytes', () => {
  it('is the length in UTF-8', () => {
    expect(keyBytes('ключ')).toBe(8);
  });
});
