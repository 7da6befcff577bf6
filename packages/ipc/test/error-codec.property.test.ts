import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeError, encodeError, type RemoteError } from '@pawl/ipc';

const plainFields = fc.dictionary(
  fc.string().filter((key) => !['name', 'message', 'stack', 'code', 'cause', 'errors'].includes(key)),
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

function expectSame(remote: RemoteError, from: Parts): void {
  expect(remote.name).toBe(from.name);
  expect(remote.message).toBe(from.message);
  expect(remote.code).toBe(from.code ?? 'REMOTE_ERROR');
  expect(JSON.stringify(remote.fields)).toBe(JSON.stringify(from.fields));
  expect(remote.omitted).toEqual([]);
  const far = remote.cause as Error;
  expect(far.stack).toBeTypeOf('string');
  expect(far.cause === undefined).toBe(from.cause === undefined);
  if (from.cause !== undefined) expectSame(far.cause as RemoteError, from.cause);
  expect(remote.errors).toHaveLength(from.errors.length);
  for (const [index, each] of from.errors.entries()) expectSame(remote.errors[index] as RemoteError, each);
}

describe('the error codec', () => {
  it('carries every field of every error, its causes and its errors', () => {
    fc.assert(
      fc.property(parts, (from) => {
        expectSame(decodeError(JSON.parse(JSON.stringify(encodeError(build(from))))), from);
      }),
      { numRuns: 50 },
    );
  });

  it('encodes whatever is thrown to JSON', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (thrown) => {
          const data = encodeError(thrown);
          expect(JSON.parse(JSON.stringify(data))).toEqual(data);
          expect(decodeError(data).message).not.toBe('');
        },
      ),
    );
  });

  it('decodes whatever JSON comes to an error', () => {
    const key = fc.constantFrom(
      'name',
      'message',
      'stack',
      'code',
      'fields',
      'cause',
      'errors',
      'omitted',
      'thrown',
    );
    const data = fc.letrec((tie) => ({
      data: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        fc.dictionary(key, tie('data')),
        fc.array(tie('data')),
      ),
    })).data;
    fc.assert(
      fc.property(data, (json) => {
        const error = decodeError(json);
        expect(error.message).toBeTypeOf('string');
        expect(error.code).toBeTypeOf('string');
        expect(error.name).toBeTypeOf('string');
      }),
    );
  });
});
