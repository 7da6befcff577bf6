import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheKey } from './cache-key.ts';
import { encodeValue } from './key-encoding.ts';

class User {
  readonly id = 1;
}
class TimeStamped extends Date {}
class Rootless extends (null as unknown as new () => object) {
  static make(): object {
    return Object.create(Rootless.prototype) as object;
  }
}

function holes(length: number): unknown[] {
  return Object.assign([], { length });
}

/** Each value is equal to none of the others. */
const distinct: readonly (readonly [name: string, value: unknown])[] = [
  ['42', 42],
  ['"42"', '42'],
  ['42n', 42n],
  ['NaN', Number.NaN],
  ['"NaN"', 'NaN'],
  ['null', null],
  ['undefined', undefined],
  ['0', 0],
  ['-0', -0],
  ['Infinity', Infinity],
  ['true', true],
  ['"true"', 'true'],
  ['false', false],
  ['""', ''],
  ['[]', []],
  ['{}', {}],
  ['[[]]', [[]]],
  ['[undefined]', [undefined]],
  // oxlint-disable-next-line eslint/no-sparse-arrays -- a hole is what is meant
  ['a hole', [,]],
  ['two holes', holes(2)],
  ['[null]', [null]],
  ['["a", "b"]', ['a', 'b']],
  ['["a,b"]', ['a,b']],
  ['["ab"]', ['ab']],
  ['["b", "a"]', ['b', 'a']],
  ['{ a: 1 }', { a: 1 }],
  ['{ a: undefined }', { a: undefined }],
  ['{ "a:1": … }', { 'a:1': 1 }],
  ['{ 0: "a" }', { 0: 'a' }],
  ['["a"]', ['a']],
  ['a Map', new Map()],
  ['a Set', new Set()],
  ['a Map of a', new Map([['a', 1]])],
  ['a Set of a', new Set(['a'])],
  ['a Map of 1', new Map([[1, 'a']])],
  ['a Date', new Date(0)],
  ['a later Date', new Date(1)],
  ['an invalid Date', new Date(Number.NaN)],
  ['a Date as text', '1970-01-01T00:00:00.000Z'],
  ['/a/', /a/],
  ['/a/i', /a/i],
  ['"/a/"', '/a/'],
  ['bytes', new Uint8Array([1, 2])],
  ['other bytes', new Uint8Array([1, 3])],
  ['signed bytes', new Int8Array([1, 2])],
  ['a view', new DataView(new Uint8Array([1, 2]).buffer)],
  ['a buffer', new Uint8Array([1, 2]).buffer],
  ['a list of bytes', [1, 2]],
  ['a lone surrogate', '\uD800'],
  ['another lone surrogate', '\uD801'],
  ['the replacement character', '\uFFFD'],
  ['a surrogate spelt out', String.raw`\ud800`],
];

describe('cacheKey', () => {
  it('gives every value of the list a key of its own', () => {
    const names = new Map<string, string>();
    for (const [name, value] of distinct) {
      const key = cacheKey(value);
      expect(key).toMatch(/^[0-9a-f]{64}$/);
      expect(`${name} = ${names.get(key) ?? name}`).toBe(`${name} = ${name}`);
      names.set(key, name);
    }
  });

  it.each([
    ['the order of keys', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ['the identity of dates', new Date(5), new Date(5)],
    [
      'the order of a Map',
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['the order of a Set', new Set(['a', 'b']), new Set(['b', 'a'])],
    ['a missing prototype', { a: 1 }, Object.assign(Object.create(null), { a: 1 })],
    ['Buffer or Uint8Array', Buffer.from([1, 2]), new Uint8Array([1, 2])],
    ['the buffer around a view', new Uint8Array([9, 1, 2]).subarray(1), new Uint8Array([1, 2])],
    ['the realm', { a: [new Date(5)] }, runInNewContext('({ a: [new Date(5)] })') as unknown],
    ['repetition of one object', [distinct[0], distinct[0]], [[...(distinct[0] ?? [])], distinct[0]]],
  ])('does not see %s', (_name, a, b) => {
    expect(cacheKey(a)).toBe(cacheKey(b));
  });

  // Vectors: a change here is a change of every stored key, and needs a new ENCODING_VERSION.
  it.each([
    [null, 'n;'],
    [-0, 'd-0;'],
    [1e21, 'd1e+21;'],
    ['é\uD800\n', '"é\\ud800\\n"'],
    [
      { b: [1, , undefined], a: { x: 10n, y: true } }, // oxlint-disable-line eslint/no-sparse-arrays
      '{"a"{"x"i10;"y"t;}"b"[d1;_1;u;]}',
    ],
    [new Map<unknown, unknown>([['k', new Set([2, 1])]]), 'M("k"S(d1;d2;))'],
    [new Date(1_767_225_600_000), 'D1767225600000;'],
    [/a"b/gi, 'R"a\\"b"gi,0;'],
    [
      new Uint8Array([1, 2, 3]),
      'BUint8Array,3,039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81;',
    ],
  ])('encodes %# as it always did', (value, encoding) => {
    expect(encodeValue(value)).toBe(encoding);
    const expected = createHash('sha256').update(`pawl-key-1\n${encoding}`).digest('hex');
    expect(cacheKey(value)).toBe(expected);
  });

  it('gives the same digits as ever', () => {
    expect(cacheKey({ task: 'add', input: [1, 2] })).toBe(GOLDEN);
  });

  it.each<[string, string, unknown]>([
    ['input.items[3].fn', 'a function', { items: [0, 1, 2, { fn: () => 1 }] }],
    ['input', 'a symbol', Symbol('s')],
    ['input.a["b c"]', 'a promise', { a: { 'b c': Promise.resolve() } }],
    ['input[0]', 'an instance of User', [new User()]],
    ['input', 'an instance of TimeStamped', new TimeStamped(0)],
    ['input', 'an instance of Rootless', Rootless.make()],
    ['input', 'an instance of WeakMap', new WeakMap()],
    ['input', 'an instance of Error', new Error('x')],
    ['input', 'an instance of Number', Object(1)],
    ['input', 'an object with a symbol as key', { [Symbol('s')]: 1 }],
    ['input', 'an array with the property "index"', /a/.exec('a')],
    ['input', 'an array with the property "01"', Object.assign([1], { '01': 2 })],
    ['input.get("k")', 'a function', new Map([['k', () => 1]])],
    ['input.keys()', 'a function', new Map([[() => 1, 1]])],
    ['input.values()', 'a symbol', new Set([Symbol('s')])],
    ['input', 'an instance of Object', Math],
    ['input', 'shared memory', new Uint8Array(new SharedArrayBuffer(1))],
  ])('refuses what %s holds: %s', (path, found, value) => {
    expect(() => cacheKey(value)).toThrow(
      expect.objectContaining({
        code: 'CACHE_KEY_UNSUPPORTED',
        path,
        found,
        message: `${path} is ${found}, which can't be part of a cache key.`,
      }),
    );
  });

  it('refuses a cycle where it closes, and nothing that merely repeats', () => {
    const cyclic: { list: unknown[] } = { list: [] };
    cyclic.list.push({ back: cyclic });
    expect(() => cacheKey(cyclic)).toThrow(
      expect.objectContaining({ path: 'input.list[0].back', found: 'a cycle' }),
    );
    const shared = { a: 1 };
    expect(cacheKey([shared, shared])).toBe(cacheKey([{ a: 1 }, { a: 1 }]));
  });

  it('refuses what is nested too deep instead of overflowing', () => {
    let value: unknown = 1;
    for (let depth = 0; depth < 100_000; depth += 1) value = [value];
    expect(() => cacheKey(value)).toThrow(expect.objectContaining({ code: 'CACHE_KEY_UNSUPPORTED' }));
  });

  it('takes an array that is nearly all holes', () => {
    expect(cacheKey(holes(4e9))).not.toBe(cacheKey(holes(4e9 - 1)));
  });
});

/** Values a key can be made of, small enough that equal ones turn up by chance. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      0,
      -0,
      1,
      Number.NaN,
      '',
      '0',
      '1',
      'a',
      null,
      undefined,
      true,
      0n,
      1n,
      new Date(0),
    ),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.uint8Array({ maxLength: 2 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '0', '__proto__'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
    fc
      .array(fc.tuple(fc.constantFrom<unknown>('a', 0, '0', 0n), tie('value')))
      .map((pairs) => new Map(pairs)),
    fc.array(tie('value'), { maxLength: 2 }).map((items) => new Set(items)),
  ),
})).value;

describe('a key, for any value', () => {
  it('is equal exactly when the values are', () => {
    fc.assert(
      fc.property(values, values, (a, b) => (cacheKey(a) === cacheKey(b)) === isDeepStrictEqual(a, b)),
      { numRuns: 2_000 },
    );
  });

  it('is that of a copy', () => {
    fc.assert(fc.property(values, (value) => cacheKey(structuredClone(value)) === cacheKey(value)));
  });

  it('changes when one part does', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, rest) => {
        if (isDeepStrictEqual(a, b)) return;
        expect(cacheKey({ rest, list: [rest, a] })).not.toBe(cacheKey({ rest, list: [rest, b] }));
      }),
    );
  });
});

// printf 'pawl-key-1\n{"input"[d1;d2;]"task""add"}' | sha256sum
const GOLDEN = '98bff0be707b2027055278074c433b13645d57c8f6321c05dbbd05a28356ca96';
