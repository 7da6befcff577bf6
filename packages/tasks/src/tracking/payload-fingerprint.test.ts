import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { payloadFingerprint } from './payload-fingerprint.ts';

/** The same value with the keys of all objects the other way round. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

describe('payloadFingerprint', () => {
  it('does not look at the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        expect(payloadFingerprint('task', reversed(input))).toBe(payloadFingerprint('task', input));
      }),
    );
  });

  it('differs for other values, types, orders of a list and tasks', () => {
    const inputs = [null, 42, '42', [1, 2], [2, 1], {}, [], { a: 1 }, { a: '1' }, { b: 1 }, { a: { b: 1 } }];
    const prints = inputs.map((input) => payloadFingerprint('task', input));
    prints.push(payloadFingerprint('other', null), payloadFingerprint('task', JSON.parse('{"__proto__":1}')));
    expect(new Set(prints).size).toBe(prints.length);
  });
});
