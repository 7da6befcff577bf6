import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameDecoder, encodeFrame, MalformedFrame, type Message } from '@pawl/ipc';

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
const optionalParams = fc.option(value, { nil: undefined });
const withParams = (params: unknown): object => (params === undefined ? {} : { params });

/** Any message at all. */
const message: fc.Arbitrary<Message> = fc.oneof(
  fc
    .tuple(id, fc.string({ unit: 'binary' }), optionalParams)
    .map(
      ([request, method, params]) =>
        ({ jsonrpc: '2.0', id: request, method, ...withParams(params) }) as const,
    ),
  fc
    .tuple(fc.string({ unit: 'binary' }), optionalParams)
    .map(([method, params]) => ({ jsonrpc: '2.0', method, ...withParams(params) }) as const),
  fc.tuple(id, value).map(([request, result]) => ({ jsonrpc: '2.0', id: request, result }) as const),
  fc
    .tuple(fc.option(id), fc.integer(), fc.string({ unit: 'binary' }), value)
    .map(
      ([request, code, text, data]) =>
        ({ jsonrpc: '2.0', id: request, error: { code, message: text, data } }) as const,
    ),
);

/** As it is after JSON: no `-0`, no lone surrogates lost. */
const plain = (sent: Message): unknown => JSON.parse(JSON.stringify(sent));

/** A line that is no frame: text, or bytes of any kind without a newline. */
const garbage = fc
  .oneof(
    fc.string({ minLength: 1 }).map((text) => Buffer.from(`#${text.replaceAll('\n', ' ')}`)),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
    fc.jsonValue().map((json) => Buffer.from(JSON.stringify(json))),
  )
  .filter((bytes) => bytes.toString().trim() !== '');

function decodeIn(bytes: Buffer, cuts: readonly number[], maxMessageBytes = 67_108_864) {
  const decoder = createFrameDecoder({ maxMessageBytes });
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.end()];
}

const cutPlaces = fc.array(fc.nat(), { maxLength: 30 });

describe('framing', () => {
  it('gives the same messages whatever they are and however they are cut', () => {
    fc.assert(
      fc.property(fc.array(message), cutPlaces, (messages, cuts) => {
        const bytes = Buffer.from(messages.map(encodeFrame).join(''));
        expect(decodeIn(bytes, cuts)).toEqual(messages.map(plain));
      }),
    );
  });

  it('gives every message and one malformed frame for each line of garbage between them', () => {
    const lines = fc.array(fc.oneof(message, garbage));
    fc.assert(
      fc.property(lines, cutPlaces, fc.constantFrom('\n', '\r\n', '\n\n', ' \n'), (items, cuts, newline) => {
        // A byte order mark belongs to the first line alone; garbage that begins with one is no garbage there.
        const first = Buffer.from('#\n');
        const bytes = Buffer.concat([
          first,
          ...items.map((item) =>
            Buffer.isBuffer(item)
              ? Buffer.concat([item, Buffer.from(newline)])
              : Buffer.from(encodeFrame(item).replace('\n', newline)),
          ),
        ]);
        const [, ...frames] = decodeIn(bytes, cuts);
        expect(frames.map((frame) => (frame instanceof MalformedFrame ? 'malformed' : frame))).toEqual(
          items.map((item) => (Buffer.isBuffer(item) ? 'malformed' : plain(item))),
        );
      }),
    );
  });

  it('gives the same whether bytes come at once or one by one, under any limit', () => {
    const anything = fc.array(
      fc.oneof(
        garbage,
        message.map((each) => Buffer.from(encodeFrame(each).trimEnd())),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 120 }), (lines, limit) => {
        const bytes = Buffer.from(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
        const atOnce = decodeIn(bytes, [], limit);
        expect(decodeIn(bytes, Array.from(bytes.keys()), limit)).toEqual(atOnce);
        expect(atOnce).toHaveLength(lines.length);
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 200 })),
        fc.integer({ min: 1, max: 100 }),
        (chunks, limit) => {
          const decoder = createFrameDecoder({ maxMessageBytes: limit });
          for (const chunk of chunks) decoder.push(chunk);
          decoder.end();
        },
      ),
    );
  });
});
