import { constants, isUtf8 } from 'node:buffer';
import { checkInteger } from '@pawl/core';
import { type Message, messageFault, toMessage } from './message.ts';
import { parsePlainFrame } from './plain-frame.ts';

/** 64 MiB. */
const DEFAULT_MAX_MESSAGE_BYTES = 67_108_864;

const NEWLINE = 0x0a;
const BOM = '\uFEFF';
const PREVIEW_BYTES = 200;
/** A line buffer above this is let go after its line. */
const SPARE_BYTES = 262_144;

/** A line that is no message. It costs itself; the stream goes on at the next line. */
export class MalformedFrame {
  /** What is wrong, in words. */
  readonly reason: string;
  /** How long the line was, without its newline. */
  readonly sizeBytes: number;
  /** Its first 200 bytes, control characters and invalid bytes escaped. */
  readonly preview: string;
  /** The request it would have answered, when it is an answer over the limit. */
  readonly answersTo: number | undefined;

  constructor(
    reason: string,
    sizeBytes: number,
    start: Uint8Array,
    options: { readonly answersTo?: number | undefined } = {},
  ) {
    this.reason = reason;
    this.sizeBytes = sizeBytes;
    this.preview = escapeBytes(start.subarray(0, PREVIEW_BYTES));
    this.answersTo = options.answersTo;
  }
}

export interface FrameDecoderOptions {
  /** Longest frame accepted, in bytes without the newline. At most what a string can hold. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
}

/** @throws TypeError, RangeError */
export function resolveMaxMessageBytes(options: FrameDecoderOptions): number {
  return checkInteger('maxMessageBytes', options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES, {
    min: 1,
    max: constants.MAX_STRING_LENGTH,
  });
}

/** Turns bytes, cut anywhere, into messages. */
export interface FrameDecoder {
  /** What became complete with `chunk`, in order. Keeps no reference to `chunk`. */
  push(chunk: Uint8Array): readonly (Message | MalformedFrame)[];
  /** At the end of the stream: an unfinished last line is malformed. */
  end(): readonly MalformedFrame[];
  /** How long the unfinished line is so far, in bytes. */
  readonly pendingBytes: number;
  /** Longest frame accepted from now on, in bytes without the newline. A line that has begun keeps to it too. */
  maxMessageBytes: number;
}

/**
 * Splits a byte stream into lines and parses each as a message. Accepts `\r\n`, skips blank lines and a byte order
 * mark on the first line that is not blank. A line over the limit is dropped while it arrives, never held as a whole.
 */
export function createFrameDecoder(options: FrameDecoderOptions = {}): FrameDecoder {
  let limit = resolveMaxMessageBytes(options);
  // The unfinished line is the first `keptBytes` of `kept`; once over the limit, only its start is there.
  let kept = Buffer.alloc(0);
  let keptBytes = 0;
  let overlong = false;
  let atStart = true;

  function keep(rest: Buffer): void {
    const before = keptBytes;
    keptBytes += rest.length;
    if (keptBytes > limit) {
      overlong = true;
      if (before < PREVIEW_BYTES || kept.length > PREVIEW_BYTES) {
        kept = Buffer.concat([kept.subarray(0, before), rest], Math.min(keptBytes, PREVIEW_BYTES));
      }
      return;
    }
    if (keptBytes > kept.length) {
      const grown = Buffer.allocUnsafe(Math.min(limit, Math.max(keptBytes, 2 * kept.length, 1_024)));
      kept.copy(grown, 0, 0, before);
      kept = grown;
    }
    rest.copy(kept, before);
  }

  function takeKept(): Buffer | MalformedFrame {
    const taken = overlong ? tooLong(keptBytes, kept) : kept.subarray(0, keptBytes);
    if (overlong || kept.length > SPARE_BYTES) kept = Buffer.alloc(0);
    keptBytes = 0;
    overlong = false;
    return taken;
  }

  function tooLong(sizeBytes: number, start: Buffer): MalformedFrame {
    atStart = false;
    return new MalformedFrame(`longer than the limit of ${limit} bytes`, sizeBytes, start, {
      answersTo: answeredId(start),
    });
  }

  function decodeLine(line: Buffer, into: (Message | MalformedFrame)[]): void {
    if (line.length > limit) into.push(tooLong(line.length, line));
    else if (isUtf8(line)) decodeText(line.toString('utf8'), into);
    else {
      atStart = false;
      into.push(new MalformedFrame('not valid UTF-8', line.length, line));
    }
  }

  /** Of the line from `from` to `to` in `lines`. */
  function decodeText(
    lines: string,
    into: (Message | MalformedFrame)[],
    from = 0,
    to: number = lines.length,
  ): void {
    const plain = parsePlainFrame(lines, from, to);
    if (plain !== undefined) {
      atStart = false;
      into.push(plain);
      return;
    }
    const text = lines.slice(from, to);
    const json = atStart && text.startsWith(BOM) ? text.slice(1) : text;
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      if (json.trim() === '') return;
      atStart = false;
      into.push(malformed('not JSON', text));
      return;
    }
    atStart = false;
    const fault = messageFault(value);
    into.push(fault === undefined ? toMessage(value as Message) : malformed(fault, text));
  }

  return {
    push(chunk) {
      const bytes = Buffer.isBuffer(chunk)
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const frames: (Message | MalformedFrame)[] = [];
      let start = 0;
      if (keptBytes > 0) {
        const end = bytes.indexOf(NEWLINE);
        if (end === -1) {
          keep(bytes);
          return frames;
        }
        keep(bytes.subarray(0, end));
        start = end + 1;
        const line = takeKept();
        if (line instanceof MalformedFrame) frames.push(line);
        else decodeLine(line, frames);
      }
      const stop = bytes.lastIndexOf(NEWLINE) + 1;
      if (stop > start) {
        const whole = bytes.subarray(start, stop);
        // Decoding all lines at once is several times as fast as one by one; a bad byte must cost only its line.
        if (whole.length <= limit && isUtf8(whole)) {
          const text = whole.toString('utf8');
          for (
            let from = 0, to = text.indexOf('\n');
            to !== -1;
            from = to + 1, to = text.indexOf('\n', from)
          ) {
            if (to > from) decodeText(text, frames, from, to);
          }
        } else {
          for (
            let from = 0, to = whole.indexOf(NEWLINE);
            to !== -1;
            from = to + 1, to = whole.indexOf(NEWLINE, from)
          ) {
            if (to > from) decodeLine(whole.subarray(from, to), frames);
          }
        }
        start = stop;
      }
      if (start < bytes.length) keep(bytes.subarray(start));
      return frames;
    },
    end() {
      if (keptBytes === 0) return [];
      const line = takeKept();
      if (line instanceof MalformedFrame) return [line];
      return line.toString('utf8').trim() === ''
        ? []
        : [new MalformedFrame('not ended by a newline', line.length, line)];
    },
    get pendingBytes() {
      return keptBytes;
    },
    get maxMessageBytes() {
      return limit;
    },
    set maxMessageBytes(bytes) {
      limit = resolveMaxMessageBytes({ maxMessageBytes: bytes });
    },
  };
}

/** Which request a line answers, told from its first bytes alone. */
function answeredId(start: Buffer): number | undefined {
  const head = start.toString('latin1', 0, PREVIEW_BYTES);
  const match =
    /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(\d{1,15})\s*,\s*"(?:result|error)"\s*:/.exec(head) ??
    /^\s*\{\s*"id"\s*:\s*(\d{1,15})\s*,\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"(?:result|error)"\s*:/.exec(head);
  return match === null ? undefined : Number(match[1]);
}

function malformed(reason: string, text: string): MalformedFrame {
  return new MalformedFrame(reason, Buffer.byteLength(text), Buffer.from(text.slice(0, PREVIEW_BYTES)));
}

function escapeBytes(bytes: Uint8Array): string {
  // The cut at 200 bytes may have hit the middle of a character.
  const cuts = bytes.length < PREVIEW_BYTES ? 1 : 4;
  for (let cut = 0; cut < cuts; cut += 1) {
    const whole = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(whole)) return escapeText(Buffer.from(whole).toString('utf8'));
  }
  let shown = '';
  for (const byte of bytes) {
    shown +=
      byte < 0x80 ? escapeText(String.fromCodePoint(byte)) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}

/** As in a JSON string, and what else moves a terminal's cursor or breaks its lines. */
function escapeText(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(
      /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
