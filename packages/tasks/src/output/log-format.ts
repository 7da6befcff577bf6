import { isoTime } from '../tracking/utc-time.ts';
import type { OutputEntry, OutputStream } from './output-entry.ts';
import { defaultLevel, levelOf, mayNameLevel, OUTPUT_LEVELS, type OutputLevel } from './output-level.ts';

// An entry is one line: `[2026-03-08T07:00:00.000Z] [INFO] [stdout] text`. The bytes of the text are the process's own,
// so that they can be given back as they were. Where it printed no newline, a `~` stands in the place of the blank
// before the text.

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TILDE = 0x7e;
/** `[`, 24 characters of time, `] [`: here the level begins. */
const LEVEL_AT = 28;
/** `[stdout]` and the blank behind it. */
const STREAM_LENGTH = 9;
/** The longest is `[<time>] [CRITICAL] [stdout] `. */
const LONGEST_LEVEL = 8;

/** Entries as they are written, and how many they are. */
export interface FormattedBatch {
  readonly bytes: Buffer;
  readonly entries: number;
}

/** Formats a batch of {@link createLineBatches}. @param at milliseconds since the epoch */
export function formatBatch(
  batch: Buffer,
  endsLine: boolean,
  stream: OutputStream,
  at: number,
): FormattedBatch {
  // One character a byte: decoded and encoded again, every byte is what it was.
  const text = batch.toString('latin1');
  const time = isoTime(at);
  const head = (level: OutputLevel): string => `[${time}] [${level}] [${stream}]${endsLine ? ' ' : '~'}`;
  if (!endsLine)
    return { bytes: Buffer.from(`${head(levelOf(text, stream))}${text}\n`, 'latin1'), entries: 1 };
  if (!mayNameLevel(text)) {
    // Nothing to look at line by line.
    const prefix = head(defaultLevel(stream));
    const body = text.replaceAll('\n', `\n${prefix}`);
    const entries = 1 + (body.length - text.length) / prefix.length;
    return { bytes: Buffer.from(`${prefix}${body}\n`, 'latin1'), entries };
  }
  const heads = new Map(OUTPUT_LEVELS.map((level) => [level, head(level)]));
  const lines = text.split('\n');
  let formatted = '';
  for (const line of lines) formatted += `${heads.get(levelOf(line, stream))}${line}\n`;
  return { bytes: Buffer.from(formatted, 'latin1'), entries: lines.length };
}

/** Where the text of an entry is, and what its head says. */
interface EntryHead {
  readonly level: OutputLevel;
  readonly stream: OutputStream;
  readonly endsLine: boolean;
  readonly textAt: number;
}

function readHead(bytes: Buffer, from: number): EntryHead {
  const levelEnd = bytes.indexOf(']', from + LEVEL_AT);
  const streamAt = levelEnd + 3;
  const textAt = levelEnd + 2 + STREAM_LENGTH;
  return {
    level: bytes.toString('latin1', from + LEVEL_AT, levelEnd) as OutputLevel,
    stream: bytes.toString('latin1', streamAt, streamAt + 6) as OutputStream,
    endsLine: bytes[textAt - 1] !== TILDE,
    textAt,
  };
}

/**
 * Reads the whole entries of a part of a log.
 * @param bytes begin with an entry
 * @param offset where they begin in the log
 */
export function parseEntries(bytes: Buffer, offset: number): OutputEntry[] {
  const entries: OutputEntry[] = [];
  for (let from = 0, to: number; (to = bytes.indexOf(NEWLINE, from)) !== -1; from = to + 1) {
    const { level, stream, endsLine, textAt } = readHead(bytes, from);
    const textEnd = endsLine && to > textAt && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    entries.push({
      at: parseTime(bytes.toString('latin1', from + 1, from + LEVEL_AT - 3)),
      level,
      stream,
      text: bytes.toString('utf8', textAt, textEnd),
      endsLine,
      offset: offset + from,
      nextOffset: offset + to + 1,
    });
  }
  return entries;
}

/** The bytes that the process wrote, out of whole entries. @param only of this stream, or of both as they came */
export function rawBytes(bytes: Buffer, only: OutputStream | undefined): Buffer {
  const parts: Buffer[] = [];
  for (let from = 0, to: number; (to = bytes.indexOf(NEWLINE, from)) !== -1; from = to + 1) {
    const { stream, endsLine, textAt } = readHead(bytes, from);
    if (only === undefined || only === stream) parts.push(bytes.subarray(textAt, endsLine ? to + 1 : to));
  }
  return Buffer.concat(parts);
}

/** No entry is longer: two pieces, since a batch begins with what was left of the one before, and the head. */
export const MAX_ENTRY_BYTES: number = 2 * 65_536 + LEVEL_AT + LONGEST_LEVEL + 2 + STREAM_LENGTH + 1;

/** @returns milliseconds since the epoch */
function parseTime(text: string): number {
  return Date.parse(text); // oxlint-disable-line eslint/no-restricted-globals -- a conversion, it reads no clock
}
