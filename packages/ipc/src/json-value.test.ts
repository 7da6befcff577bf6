import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findChangedPart } from './json-value.ts';

class Money {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

describe('findChangedPart', () => {
  it.each([
    ['a Map', { items: [{ at: new Map([[1, 2]]) }] }, 'result.items[0].at'],
    ['a Set', new Set([1]), 'result'],
    ['a Date', { at: new Date(0) }, 'result.at'],
    ['a Buffer', [Buffer.from('x')], 'result[0]'],
    ['a Uint8Array', { 'odd name': new Uint8Array(1) }, 'result["odd name"]'],
    ['an ArrayBuffer', new ArrayBuffer(1), 'result'],
    ['a RegExp', /x/, 'result'],
    ['an Error', { failure: new TypeError('x') }, 'result.failure'],
    ['a Promise', Promise.resolve(), 'result'],
    ['a function', { call: () => 1 }, 'result.call'],
    ['a symbol', { mark: Symbol('x') }, 'result.mark'],
    ['NaN', [1, Number.NaN], 'result[1]'],
    ['Infinity', { limit: Infinity }, 'result.limit'],
    ['undefined in an array', [1, undefined], 'result[1]'],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is meant
    ['undefined in an array', [1, , 3], 'result[1]'],
  ])('finds %s, and says where', (what, value, path) => {
    expect(findChangedPart('result', value)).toEqual({ path, what });
  });

  it.each([
    ['what JSON has', { a: [1, 'x', true, null, { b: -1.5 }] }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['a field that is undefined', { a: undefined, b: 1 }],
    ['an instance of a class, for its fields', { price: new Money(5) }],
    ['an object that says by toJSON what it is', { at: new URL('https://example.org') }],
    ['a Map that says by toJSON what it is', Object.assign(new Map(), { toJSON: () => [] })],
  ])('lets through %s', (_what, value) => {
    expect(findChangedPart('result', value)).toBeUndefined();
  });

  it('takes no notice of what somebody put on Object.prototype', () => {
    // oxlint-disable-next-line no-extend-native -- that is what it is about
    Object.defineProperty(Object.prototype, 'odd', {
      value: () => 1,
      enumerable: true,
      writable: true,
      configurable: true,
    });
    try {
      expect(findChangedPart('result', { a: 1 })).toBeUndefined();
    } finally {
      Reflect.deleteProperty(Object.prototype, 'odd');
    }
  });

  it('lets through exactly what arrives as it was, of any value', () => {
    const anything = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        if (JSON.stringify(value) === undefined) return;
        const arrived: unknown = JSON.parse(JSON.stringify(value));
        const isLetThrough = findChangedPart('result', value) === undefined;
        // But for fields that are undefined and the sign of zero, which JSON has no word for.
        expect(isLetThrough).toBe(isDeepStrictEqual(plain(arrived), plain(value)));
      }),
      { numRuns: 2_000 },
    );
  });
});

function plain(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== 'object' || value === null) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([key, field]) => [key, plain(field)]));
}
