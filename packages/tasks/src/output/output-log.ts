import { checkInteger, checkKnownKeys, checkNumber, checkOneOf, checkSignal } from '@pawl/core';
import { PawlError, untilAborted } from '@pawl/core';
import { MAX_ENTRY_BYTES, parseEntries, rawBytes } from './log-format.ts';
import type { LogReader, LogStorage } from './log-storage.ts';
import type { OutputEntry, OutputEvent, OutputStream } from './output-entry.ts';

export interface TailOptions {
  /** Only what arrived after this instant, in milliseconds since the epoch. */
  readonly since?: number;
}

export interface FollowOptions {
  /** The `nextOffset` of the event after which to go on. @default 0, everything that is kept */
  readonly from?: number;
  /** Ends the subscription: it throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a process printed. Each reader reads at its own pace, and costs neither the process nor the others anything. */
export interface OutputLog {
  readonly id: string;
  /** Whether nothing more will come. */
  readonly isComplete: boolean;
  /** Behind the last entry, in bytes. */
  readonly endOffset: number;
  /** The latest entries, oldest first. @param count 1–10,000 @default 500 */
  tail(count?: number, options?: TailOptions): Promise<readonly OutputEntry[]>;
  /**
   * What is kept, then what comes, then `complete`. Begin behind an event that was seen and nothing is lost or given
   * twice.
   * @throws RangeError when `from` is not where an entry begins
   */
  follow(options?: FollowOptions): AsyncIterableIterator<OutputEvent>;
  /**
   * The bytes of the log itself, formatted as its file is, from any byte on, live until it is complete.
   * @throws PawlError `OUTPUT_DROPPED` when bytes from there on are not kept any more
   */
  read(options?: FollowOptions): AsyncIterableIterator<Buffer>;
  /**
   * What the process wrote until now, byte for byte as far as it is kept. Of one stream it is exact; of both, lines
   * come in the order of their arrival.
   */
  download(stream?: OutputStream): AsyncIterableIterator<Buffer>;
}

const MOST_TAIL = 10_000;
const DEFAULT_TAIL = 500;
/** A read of this size has a whole entry. */
const READ_BYTES = 2 * MAX_ENTRY_BYTES;
const FIRST_TAIL_BYTES = 65_536;
/** Lines may be long: no answer holds more than this. */
const MOST_TAIL_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

/** A part of a log: whole entries, or how much is gone. */
type Block =
  | { readonly offset: number; readonly bytes: Buffer }
  | { readonly offset: number; readonly missing: number };

/** The reading side of a log. */
export function createLogView(id: string, storage: LogStorage): OutputLog {
  /** @param to where to end; Infinity goes on until the log is complete */
  async function* blocksOf(from: number, to: number, signal?: AbortSignal): AsyncGenerator<Block> {
    const reader = storage.reader();
    try {
      for (let offset = from; offset < to;) {
        signal?.throwIfAborted();
        // Asked for before looking, so that no change falls between the two.
        const changed = storage.changed();
        const { closed } = storage;
        if (offset < storage.end) {
          const block = await readBlock(reader, offset);
          yield block;
          offset = 'bytes' in block ? offset + block.bytes.length : offset + block.missing;
        } else {
          if (closed) return;
          await untilAborted(changed, signal);
        }
      }
    } finally {
      await reader.close();
    }
  }

  async function readBlock(reader: LogReader, offset: number): Promise<Block> {
    const bytes = await reader.read(offset, Math.min(READ_BYTES, storage.end - offset));
    if (bytes !== undefined) return { offset, bytes: bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1) };
    const missing = storage.start - offset;
    if (missing > 0) return { offset, missing };
    throw new PawlError(`The files of the output log ${id} were removed.`, { code: 'OUTPUT_LOG_GONE' });
  }

  /** @throws RangeError when no entry begins there */
  async function checkEntryOffset(from: number): Promise<void> {
    if (from === 0 || from < storage.start) return;
    const reader = storage.reader();
    try {
      const before = from > storage.end ? undefined : await reader.read(from - 1, 1);
      if (before?.[0] === NEWLINE || (before === undefined && from === storage.start)) return;
    } finally {
      await reader.close();
    }
    throw new RangeError(
      `Expected \`from\` (${from}) to be the \`nextOffset\` of an event of the output log ${id}.`,
    );
  }

  async function* follow(options: FollowOptions = {}): AsyncGenerator<OutputEvent> {
    const { from, signal } = checkFollow(options);
    await checkEntryOffset(from);
    let nextOffset = from;
    for await (const block of blocksOf(from, Infinity, signal)) {
      if ('missing' in block) {
        nextOffset = block.offset + block.missing;
        yield { type: 'dropped', bytes: block.missing, nextOffset };
        continue;
      }
      nextOffset = block.offset + block.bytes.length;
      for (const entry of parseEntries(block.bytes, block.offset)) yield { type: 'entry', ...entry };
    }
    yield { type: 'complete', nextOffset, fault: storage.fault };
  }

  async function* read(options: FollowOptions = {}): AsyncGenerator<Buffer> {
    const { from, signal } = checkFollow(options);
    for await (const block of blocksOf(from, Infinity, signal)) {
      if ('bytes' in block) yield block.bytes;
      else throw droppedError(id, block.offset, block.offset + block.missing);
    }
  }

  async function* download(stream?: OutputStream): AsyncGenerator<Buffer> {
    if (stream !== undefined) checkOneOf('stream', stream, ['stdout', 'stderr']);
    for await (const block of blocksOf(storage.start, storage.end)) {
      if ('bytes' in block) yield rawBytes(block.bytes, stream);
    }
  }

  async function tail(count = DEFAULT_TAIL, options: TailOptions = {}): Promise<readonly OutputEntry[]> {
    checkInteger('count', count, { min: 1, max: MOST_TAIL });
    checkKnownKeys('tail', options, ['since']);
    const since = options.since === undefined ? -Infinity : checkNumber('since', options.since);
    const { start, end } = storage;
    for (let size = FIRST_TAIL_BYTES; ; size *= 2) {
      const from = Math.max(start, end - Math.min(size, MOST_TAIL_BYTES));
      const entries = await entriesBetween(from, end);
      const isEnough = entries.length >= count || (entries[0]?.at ?? Infinity) <= since;
      if (isEnough || from === start || size >= MOST_TAIL_BYTES) {
        return entries.filter(({ at }) => at > since).slice(-count);
      }
    }
  }

  /** The whole entries between two offsets, of which the first may be amid an entry. */
  async function entriesBetween(from: number, to: number): Promise<OutputEntry[]> {
    const entries: OutputEntry[] = [];
    let isFirst = from > storage.start;
    for await (const block of blocksOf(from, to)) {
      if ('missing' in block) {
        isFirst = false;
        continue;
      }
      const cut = isFirst ? block.bytes.indexOf(NEWLINE) + 1 : 0;
      isFirst = false;
      for (const entry of parseEntries(block.bytes.subarray(cut), block.offset + cut)) entries.push(entry);
    }
    return entries;
  }

  return {
    id,
    get isComplete() {
      return storage.closed;
    },
    get endOffset() {
      return storage.end;
    },
    tail,
    follow,
    read,
    download,
  };
}

function checkFollow(options: FollowOptions): {
  readonly from: number;
  readonly signal: AbortSignal | undefined;
} {
  checkKnownKeys('follow', options, ['from', 'signal']);
  const { from = 0, signal } = options;
  return {
    from: checkInteger('from', from, { min: 0 }),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
  };
}

function droppedError(id: string, from: number, start: number): PawlError {
  return new PawlError(
    `The output log ${id} begins at byte ${start}: what was before it, ${from} included, is not kept any more.`,
    { code: 'OUTPUT_DROPPED' },
  );
}
