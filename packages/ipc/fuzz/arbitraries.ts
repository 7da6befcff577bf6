import * as fc from 'fast-check';
import type { Message } from '@pawl/ipc';

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const optionalParams = fc.option(value, { nil: undefined });
const withParams = (params: unknown): object => (params === undefined ? {} : { params });
const text = fc.string({ unit: 'binary' });

/** Any message at all. */
export const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .tuple(id, text, optionalParams)
    .map(
      ([request, method, params]) =>
        ({ jsonrpc: '2.0', id: request, method, ...withParams(params) }) as const,
    ),
  fc
    .tuple(text, optionalParams)
    .map(([method, params]) => ({ jsonrpc: '2.0', method, ...withParams(params) }) as const),
  fc.tuple(id, value).map(([request, result]) => ({ jsonrpc: '2.0', id: request, result }) as const),
  fc
    .tuple(fc.option(id), fc.integer(), text, value)
    .map(
      ([request, code, said, data]) =>
        ({ jsonrpc: '2.0', id: request, error: { code, message: said, data } }) as const,
    ),
);

/** JSON with the keys of a message and any values, right or wrong. */
const almostMessage: fc.Arbitrary<string> = fc
  .record(
    {
      jsonrpc: fc.constantFrom<unknown>('2.0', '1.0', 2),
      id: fc.oneof(fc.constantFrom<unknown>(0, -1, 1.5, null, '1', 2 ** 53), id),
      method: fc.oneof(text, value),
      params: value,
      result: value,
      error: fc.oneof(
        value,
        fc.record({ code: fc.oneof(fc.integer(), value), message: fc.oneof(text, value) }),
      ),
      ['__proto__']: value,
    },
    { requiredKeys: [] },
  )
  .map((fields) => JSON.stringify(fields));

/** A frame as this package writes it, but for its id. */
const oddId: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(
      '0',
      '00',
      '01',
      '-1',
      '1.0',
      '1e3',
      '',
      '999999999999999',
      '9007199254740991',
      '9007199254740993',
    ),
    fc.constantFrom(
      '"method":"x","params":[1]',
      '"method":"\\u0078","params":[1]',
      '"result":{}',
      '"result":1,"method":"x"',
    ),
  )
  .map(([written, rest]) => `{"jsonrpc":"2.0","id":${written},${rest}}`);

/** A frame with some characters of it gone, or others in their place. */
const damagedFrame: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      message.map((each) => JSON.stringify(each)),
      almostMessage,
    ),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.nat({ max: 3 }),
        fc.constantFrom('', '"', '{', '}', ',', ' ', '\\', '\0', '1', '\u2028'),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  )
  .map(([frame, edits]) => {
    let damaged = frame;
    for (const [place, gone, added] of edits) {
      const at = place % (damaged.length + 1);
      damaged = damaged.slice(0, at) + added + damaged.slice(at + gone);
    }
    return damaged;
  });

/** The bytes of one line, without its newline: a frame, nearly one, or anything else. */
export const line: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 4, arbitrary: message.map((each) => JSON.stringify(each)) },
    { weight: 2, arbitrary: almostMessage },
    { weight: 2, arbitrary: damagedFrame },
    { weight: 1, arbitrary: oddId },
    { weight: 1, arbitrary: message.map((each) => `\uFEFF${JSON.stringify(each)}`) },
    { weight: 1, arbitrary: fc.json() },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', ' ', '\t', '\uFEFF', '\uFEFF{}', '\0', 'null', '[[[[', 'print'),
    },
    { weight: 1, arbitrary: text.map((each) => each.replaceAll('\n', ' ')) },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 60 })
        .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
    },
  )
  .map((each) => Buffer.from(each));

/** Where a stream of bytes is cut; each place is taken modulo the length. */
export const cutPlaces: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(), { maxLength: 30 });

export function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length));
}
