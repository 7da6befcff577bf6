import { strict as assert } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { createFrameDecoder, encodeFrame, type FrameDecoder, MalformedFrame } from '@pawl/ipc';
import { cut, cutPlaces, line, message } from '../arbitraries.ts';
import type { Target } from '../target.ts';

type CreateDecoder = (options: { readonly maxMessageBytes: number }) => FrameDecoder;

const NEWLINE = 0x0a;
const NO_LIMIT = 1_000_000;

/** @param createDecoder what is looked at, for tests that put a faulty one in its place */
export function framingTargets(createDecoder: CreateDecoder = createFrameDecoder): readonly Target[] {
  function decode(bytes: Buffer, places: readonly number[], maxMessageBytes: number): readonly unknown[] {
    const decoder = createDecoder({ maxMessageBytes });
    const frames = cut(bytes, places).flatMap((chunk) => decoder.push(chunk));
    return [...frames, ...decoder.end()].map((frame) =>
      frame instanceof MalformedFrame ? { sizeBytes: frame.sizeBytes } : frame,
    );
  }

  /** The sizes and messages in the lines, where the limit changes before each of the chunks. */
  function decodeWithin(chunks: readonly Buffer[], limits: readonly number[]): readonly unknown[] {
    const decoder = createDecoder({ maxMessageBytes: limits[0] ?? NO_LIMIT });
    const frames = chunks.flatMap((chunk, index) => {
      decoder.maxMessageBytes = limits[index % limits.length] ?? NO_LIMIT;
      return decoder.push(chunk);
    });
    return [...frames, ...decoder.end()].map((frame) =>
      frame instanceof MalformedFrame ? { sizeBytes: frame.sizeBytes } : frame,
    );
  }

  return [
    {
      name: 'framing.limits',
      says: 'gives each line as it is or as malformed, by its size, while the limit changes',
      property: fc.property(
        fc.array(line, { maxLength: 8 }),
        cutPlaces,
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }),
        (lines, places, limits) => {
          const bytes = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\n')]));
          const found = decodeWithin(cut(bytes, places), limits);
          const loose = read(bytes, Math.max(...limits));
          const strict = read(bytes, Math.min(...limits));
          // A blank line is one or the other by its length alone.
          if (loose.length !== strict.length) return;
          assert.equal(found.length, loose.length);
          for (const [index, frame] of found.entries()) {
            const isEither = [loose[index], strict[index]].some((allowed) =>
              isDeepStrictEqual(frame, allowed),
            );
            assert.ok(isEither, `frame ${index} is ${JSON.stringify(frame)}`);
          }
        },
      ),
    },
    {
      name: 'framing.round-trip',
      says: 'gives the same messages whatever they are and however their bytes are cut',
      property: fc.property(fc.array(message), cutPlaces, (messages, places) => {
        const bytes = Buffer.from(messages.map(encodeFrame).join(''));
        const expected: unknown = JSON.parse(JSON.stringify(messages));
        assert.deepEqual(decode(bytes, places, NO_LIMIT), expected);
      }),
    },
    {
      name: 'framing.lines',
      says: 'gives each line as a plain reading of the specification does, whatever it is, however cut, under any limit',
      property: fc.property(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\n\n', ' \n', '\n\uFEFF\n')), {
          maxLength: 8,
        }),
        line,
        cutPlaces,
        fc.oneof(fc.integer({ min: 1, max: 120 }), fc.constant(NO_LIMIT)),
        (lines, last, places, limit) => {
          const parts = lines.flatMap(([bytes, newline]) => [bytes, Buffer.from(newline)]);
          const bytes = Buffer.concat([...parts, last]);
          assert.deepEqual(decode(bytes, places, limit), read(bytes, limit));
        },
      ),
    },
    {
      name: 'framing.bytes',
      says: 'gives the same for bytes of any kind at once and one by one',
      property: fc.property(
        fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), line)),
        fc.integer({ min: 1, max: 100 }),
        (chunks, limit) => {
          const bytes = Buffer.concat(chunks);
          const expected = read(bytes, limit);
          assert.deepEqual(decode(bytes, [], limit), expected);
          assert.deepEqual(decode(bytes, Array.from(bytes.keys()), limit), expected);
        },
      ),
    },
  ];
}

/** The section "Frames" of docs/protocol.md, in the plainest words. */
function read(bytes: Buffer, limit: number): readonly unknown[] {
  const found: unknown[] = [];
  let isFirst = true;
  for (let from = 0; from < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, from);
    const end = newline === -1 ? bytes.length : newline;
    const frame = readLine(bytes.subarray(from, end), { limit, isFirst, isEnded: newline !== -1 });
    if (frame !== undefined) {
      found.push(frame);
      isFirst = false;
    }
    from = end + 1;
  }
  return found;
}

interface Place {
  readonly limit: number;
  readonly isFirst: boolean;
  readonly isEnded: boolean;
}

/** @returns undefined for a blank line */
function readLine(bytes: Buffer, { limit, isFirst, isEnded }: Place): unknown {
  const malformed = { sizeBytes: bytes.length };
  if (bytes.length > limit) return malformed;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return malformed;
  }
  if (text.trim() === '') return undefined;
  if (!isEnded) return malformed;
  try {
    const value: unknown = JSON.parse(isFirst ? text.replace(/^\uFEFF/, '') : text);
    return isMessage(value) ? value : malformed;
  } catch {
    return malformed;
  }
}

/** The section "Messages", likewise. */
function isMessage(value: unknown): boolean {
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return false;
  const { id, method, error } = value;
  const hasId = Number.isSafeInteger(id) && (id as number) > 0;
  if (method !== undefined) return typeof method === 'string' && (id === undefined || hasId);
  if (error !== undefined) {
    return (
      (hasId || id === null) &&
      isObject(error) &&
      typeof error['code'] === 'number' &&
      typeof error['message'] === 'string'
    );
  }
  return hasId && Object.hasOwn(value, 'result');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
