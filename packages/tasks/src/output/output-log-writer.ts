import { checkInteger, checkKnownKeys, type Clock, systemClock } from '@pawl/core';
import { createLineBatches, type LineBatches } from './line-batches.ts';
import { checkLogId } from './log-files.ts';
import { formatBatch } from './log-format.ts';
import type { LogStorage } from './log-storage.ts';
import { createMemoryLogStorage } from './memory-log-storage.ts';
import type { OutputStream } from './output-entry.ts';
import { createLogView, type OutputLog } from './output-log.ts';

/** A log that is being written. */
export interface OutputLogWriter extends OutputLog {
  /**
   * Adds what a process printed, in pieces of any size.
   * @returns a promise when so much waits for the disk that the process had better wait too
   */
  write(stream: OutputStream, chunk: Buffer): Promise<void> | undefined;
  /** Nothing more comes: writes what is left of the last lines, and completes every subscription. Never rejects. */
  end(): Promise<void>;
}

export interface OutputLogOptions {
  readonly id: string;
  /** The latest entries, which are all that is kept. @default 10_000 */
  readonly maxEntries?: number;
  /** Longest text of all of them, in bytes. @default 16_777_216, 16 MiB */
  readonly maxBytes?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** A log in memory. For one in a file see `createOutputLogs`. @throws TypeError, RangeError for wrong options */
export function createOutputLog(options: OutputLogOptions): OutputLogWriter {
  checkKnownKeys('createOutputLog', options, ['id', 'maxEntries', 'maxBytes', 'clock']);
  const id = checkLogId(options.id);
  const maxEntries = checkInteger('maxEntries', options.maxEntries ?? 10_000, { min: 1 });
  const maxBytes = checkInteger('maxBytes', options.maxBytes ?? 16 * 1024 * 1024, { min: 1 });
  return createLogWriter(id, createMemoryLogStorage(maxEntries, maxBytes), options.clock ?? systemClock);
}

/** The writing side of a log. @param onEnded called once all is written */
export function createLogWriter(
  id: string,
  storage: LogStorage,
  clock: Clock,
  onEnded: () => void = () => undefined,
): OutputLogWriter {
  let lastAt = -Infinity;
  let wait: Promise<void> | undefined;
  let ended: Promise<void> | undefined;

  const batchesOf = (stream: OutputStream): LineBatches =>
    createLineBatches((batch, endsLine) => {
      // The wall clock may step back, the log does not.
      lastAt = Math.max(lastAt, clock.wallTime());
      const { bytes, entries } = formatBatch(batch, endsLine, stream, lastAt);
      wait = storage.append(bytes, entries);
    });
  const batches = { stdout: batchesOf('stdout'), stderr: batchesOf('stderr') };

  const view = createLogView(id, storage);
  return {
    id,
    get isComplete() {
      return view.isComplete;
    },
    get endOffset() {
      return view.endOffset;
    },
    tail: (...asked) => view.tail(...asked),
    follow: (how) => view.follow(how),
    read: (how) => view.read(how),
    download: (stream) => view.download(stream),
    write(stream, chunk) {
      if (ended !== undefined) return undefined;
      wait = undefined;
      batches[stream].push(chunk);
      return wait;
    },
    end() {
      if (ended === undefined) {
        batches.stdout.end();
        batches.stderr.end();
        ended = storage.close().finally(onEnded);
      }
      return ended;
    },
  };
}
