import { strict as assert } from 'node:assert';
import * as fc from 'fast-check';
import { decodeError, encodeError, type RemoteError } from '@pawl/ipc';
import type { Target } from '../target.ts';

const WIRE_FIELDS = ['name', 'message', 'stack', 'code', 'cause', 'errors'];

const plainFields = fc.dictionary(
  fc.string().filter((key) => !WIRE_FIELDS.includes(key)),
  fc.jsonValue(),
  { maxKeys: 4 },
);

interface Parts {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly fields: Record<string, unknown>;
  readonly cause: Parts | undefined;
  readonly errors: readonly Parts[];
}

const partsOf: (depth?: number) => fc.Arbitrary<Parts> = fc.memo((depth): fc.Arbitrary<Parts> =>
  fc.record({
    name: fc.string(),
    message: fc.string({ unit: 'binary' }),
    code: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
    fields: plainFields,
    cause: depth > 1 ? fc.option(partsOf(), { nil: undefined }) : fc.constant(undefined),
    errors: depth > 1 ? fc.array(partsOf(), { maxLength: 3 }) : fc.constant([]),
  }),
);
const parts = partsOf(3);

/** JSON that begins like an encoded error and goes wrong anywhere. */
const data = fc.letrec((tie) => ({
  data: fc.oneof(
    { depthSize: 'small' },
    fc.jsonValue(),
    fc.dictionary(fc.constantFrom(...WIRE_FIELDS, 'fields', 'omitted', 'thrown'), tie('data')),
    fc.array(tie('data')),
  ),
})).data;

const thrown = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });

export const errorCodecTargets: readonly Target[] = [
  {
    name: 'error-codec.round-trip',
    says: 'carries every field of every error, its causes and its errors',
    property: fc.property(parts, (from) => {
      assertSame(decodeError(JSON.parse(JSON.stringify(encodeError(build(from))))), from);
    }),
  },
  {
    name: 'error-codec.thrown',
    says: 'encodes whatever is thrown, or hangs on an error, to JSON',
    property: fc.property(thrown, fc.dictionary(fc.string(), thrown), (value, fields) => {
      for (const each of [value, withFields(fields)]) {
        const encoded = encodeError(each);
        assert.deepEqual(JSON.parse(JSON.stringify(encoded)), encoded);
        assert.equal(typeof decodeError(encoded).message, 'string');
      }
    }),
  },
  {
    name: 'error-codec.data',
    says: 'decodes whatever JSON comes to an error',
    property: fc.property(data, (json) => {
      const error = decodeError(json);
      for (const text of [error.message, error.code, error.name]) assert.equal(typeof text, 'string');
      assert.ok(Array.isArray(error.errors) && Array.isArray(error.omitted));
      assert.equal(Object.getPrototypeOf(error.fields), Object.prototype);
    }),
  },
];

function build(from: Parts): Error {
  const cause = from.cause === undefined ? {} : { cause: build(from.cause) };
  const error =
    from.errors.length > 0
      ? new AggregateError(from.errors.map(build), from.message, cause)
      : new Error(from.message, cause);
  error.name = from.name;
  for (const [key, value] of Object.entries(from.fields)) {
    Object.defineProperty(error, key, { value, enumerable: true });
  }
  return from.code === undefined ? error : Object.assign(error, { code: from.code });
}

function withFields(fields: Readonly<Record<string, unknown>>): Error {
  const error = new Error('x');
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true });
  }
  return error;
}

function assertSame(remote: RemoteError | undefined, from: Parts): void {
  assert.ok(remote !== undefined);
  assert.equal(remote.name, from.name);
  assert.equal(remote.message, from.message);
  assert.equal(remote.code, from.code ?? 'REMOTE_ERROR');
  assert.equal(JSON.stringify(remote.fields), JSON.stringify(from.fields));
  assert.deepEqual(remote.omitted, []);
  const far = remote.cause as Error;
  assert.equal(typeof far.stack, 'string');
  assert.equal(far.cause === undefined, from.cause === undefined);
  if (from.cause !== undefined) assertSame(far.cause as RemoteError, from.cause);
  assert.equal(remote.errors.length, from.errors.length);
  for (const [index, each] of from.errors.entries()) assertSame(remote.errors[index], each);
}
