import { isUtf8 } from 'node:buffer';
import { checkInteger } from '@pawl/core';
import { type Message, messageFault } from './message.ts';

/** 64 MiB. */
export const DEFAULT_MAX_MESSAGE_BYTES = 67_108_864;

const NEWLINE = 0x0a;
const BOM = '\uFEFF';
const PREVIEW_BYTES = 200;

/** A line that is no message. It costs itself; the stream goes on at the next line. */
export class MalformedFrame {
  /** What is wrong, in words. */
  readonly reason: string;
  /** How long the line was, without its newline. */
  readonly sizeBytes: number;
  /** Its first 200 bytes, control characters and invalid bytes escaped. */
  readonly preview: string;

  constructor(reason: string, sizeBytes: number, start: Uint8Array) {
    this.reason = reason;
    this.sizeBytes = sizeBytes;
    this.preview = escapeBytes(start.subarray(0, PREVIEW_BYTES));
  }
}

export interface FrameDecoderOptions {
  /** Longest frame accepted, in bytes without the newline. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
}

/** Turns bytes, cut anywhere, into messages. */
export interface FrameDecoder {
  /** What became complete with `chunk`, in order. Keeps no reference to `chunk` beyond an unfinished last line. */
  push(chunk: Uint8Array): readonly (Message | MalformedFrame)[];
  /** At the end of the stream: an unfinished last line is malformed. */
  end(): readonly MalformedFrame[];
}

/**
 * Splits a byte stream into lines and parses each as a message. Accepts `\r\n`, skips blank lines and a byte order
 * mark before the first one. A line over the limit is dropped while it arrives, never held as a whole.
 */
export function createFrameDecoder(options: FrameDecoderOptions = {}): FrameDecoder {
  const limit = checkInteger('maxMessageBytes', options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES, {
    min: 1,
  });
  // The unfinished line: its parts, or once over the limit only its start.
  let parts: Buffer[] = [];
  let partBytes = 0;
  let overlong = false;
  let atStart = true;

  function keep(rest: Buffer): void {
    if (rest.length === 0) return;
    partBytes += rest.length;
    if (overlong) return;
    parts.push(rest);
    if (partBytes <= limit) return;
    overlong = true;
    // A copy, so that the chunk itself can go.
    parts = [Buffer.from(Buffer.concat(parts, Math.min(partBytes, PREVIEW_BYTES)))];
  }

  function takeKept(): Buffer | MalformedFrame {
    const [first = Buffer.alloc(0), ...more] = parts;
    const taken = overlong
      ? new MalformedFrame(`longer than the limit of ${limit} bytes`, partBytes, first)
      : more.length === 0
        ? first
        : Buffer.concat(parts, partBytes);
    parts = [];
    partBytes = 0;
    overlong = false;
    return taken;
  }

  function decodeLine(line: Buffer, into: (Message | MalformedFrame)[]): void {
    if (line.length > limit)
      into.push(new MalformedFrame(`longer than the limit of ${limit} bytes`, line.length, line));
    else if (isUtf8(line)) decodeText(line.toString('utf8'), into);
    else into.push(new MalformedFrame('not valid UTF-8', line.length, line));
  }

  function decodeText(text: string, into: (Message | MalformedFrame)[]): void {
    const json = atStart && text.startsWith(BOM) ? text.slice(1) : text;
    atStart = false;
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      if (json.trim() === '') return;
      into.push(malformed('not JSON', text));
      return;
    }
    const fault = messageFault(value);
    into.push(fault === undefined ? (value as Message) : malformed(fault, text));
  }

  return {
    push(chunk) {
      const bytes = Buffer.isBuffer(chunk)
        ? chunk
        : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      const frames: (Message | MalformedFrame)[] = [];
      let start = 0;
      if (partBytes > 0) {
        const end = bytes.indexOf(NEWLINE);
        if (end === -1) {
          keep(bytes);
          return frames;
        }
        keep(bytes.subarray(0, end));
        start = end + 1;
        const kept = takeKept();
        if (kept instanceof MalformedFrame) frames.push(kept);
        else decodeLine(kept, frames);
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
            if (to > from) decodeText(text.slice(from, to), frames);
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
      keep(bytes.subarray(start));
      return frames;
    },
    end() {
      if (partBytes === 0) return [];
      const kept = takeKept();
      if (kept instanceof MalformedFrame) return [kept];
      return kept.toString('utf8').trim() === ''
        ? []
        : [new MalformedFrame('not ended by a newline', kept.length, kept)];
    },
  };
}

function malformed(reason: string, text: string): MalformedFrame {
  const bytes = Buffer.from(text.slice(0, PREVIEW_BYTES));
  return new MalformedFrame(reason, Buffer.byteLength(text), bytes);
}

function escapeBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  return JSON.stringify(text).slice(1, -1);
}
