import { rm } from 'node:fs/promises';
import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  PawlError,
} from '@pawl/core';
import { systemClock } from '@pawl/core';
import { createFileLogStorage, openFileLogStorage } from './file-log-storage.ts';
import { checkLogId, findLogFiles, type LogFile } from './log-files.ts';
import { createLogView, type OutputLog } from './output-log.ts';
import { createLogWriter, type OutputLogWriter } from './output-log-writer.ts';

export interface OutputLogsOptions {
  /** Made if it does not exist. */
  readonly folder: string;
  /** What one log keeps, in bytes; of a longer one the oldest eighth goes. @default 1_073_741_824, 1 GiB */
  readonly maxLogBytes?: number;
  /** How long a log that is complete is kept, in milliseconds. @default 2_592_000_000, 30 days */
  readonly maxAgeMs?: number;
  /** Complete logs that are kept; the oldest go. @default Infinity */
  readonly maxLogs?: number;
  /** What all logs may have together, in bytes; the oldest complete ones go. @default Infinity */
  readonly maxTotalBytes?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface OutputLogSummary {
  readonly id: string;
  readonly bytes: number;
  /** When it was last written, in milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Whether this host writes it now. */
  readonly isLive: boolean;
}

/** The output logs in a folder, each in a file of its own. */
export interface OutputLogs {
  /** Begins a log. Should its file exist, or not be writable, the log says so as the `fault` of its end. @throws TypeError */
  create(id: string): OutputLogWriter;
  /** A log that is being written here, or was written before, also by a host that is no more. @throws PawlError `OUTPUT_LOG_NOT_FOUND` */
  open(id: string): Promise<OutputLog>;
  /** The latest first. */
  list(): Promise<readonly OutputLogSummary[]>;
  /** @returns whether there was one. @throws PawlError `OUTPUT_LOG_LIVE` while it is being written */
  remove(id: string): Promise<boolean>;
  /** Removes what is older or more than is to be kept. @returns the ids of what went */
  sweep(): Promise<readonly string[]>;
}

const KEYS: readonly (keyof OutputLogsOptions)[] = [
  'folder',
  'maxLogBytes',
  'maxAgeMs',
  'maxLogs',
  'maxTotalBytes',
  'clock',
];

/** @throws TypeError, RangeError for wrong options */
export function createOutputLogs(options: OutputLogsOptions): OutputLogs {
  checkKnownKeys('createOutputLogs', options, KEYS);
  const folder = checkString('folder', options.folder);
  const clock = options.clock ?? systemClock;
  const maxLogBytes = checkInteger('maxLogBytes', options.maxLogBytes ?? 1_073_741_824, { min: 1 });
  const maxAgeMs = checkDurationMs('maxAgeMs', options.maxAgeMs ?? 2_592_000_000, { infinite: true });
  const maxLogs = checkInteger('maxLogs', options.maxLogs ?? Infinity, { min: 0, infinite: true });
  const maxTotalBytes = checkInteger('maxTotalBytes', options.maxTotalBytes ?? Infinity, {
    min: 0,
    infinite: true,
  });
  const live = new Map<string, OutputLogWriter>();

  async function list(): Promise<readonly OutputLogSummary[]> {
    const byId = new Map<string, LogFile[]>();
    for (const file of await findLogFiles(folder)) byId.set(file.id, [...(byId.get(file.id) ?? []), file]);
    return [...byId]
      .map(([id, files]) => ({
        id,
        bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
        modifiedAt: Math.max(...files.map(({ modifiedAt }) => modifiedAt)),
        isLive: live.has(id),
      }))
      .toSorted((a, b) => b.modifiedAt - a.modifiedAt || (a.id < b.id ? -1 : 1));
  }

  async function removeFiles(id: string): Promise<boolean> {
    const files = await findLogFiles(folder, id);
    // The oldest first: what is left, should this host die now, is the end of a log.
    for (const { path } of files) await rm(path, { force: true });
    return files.length > 0;
  }

  return {
    create(id) {
      checkLogId(id);
      if (live.has(id)) throw liveError(id, 'begun again');
      const storage = createFileLogStorage({ folder, id, maxBytes: maxLogBytes });
      const log = createLogWriter(id, storage, clock, () => live.delete(id));
      live.set(id, log);
      return log;
    },
    async open(id) {
      checkLogId(id);
      const writer = live.get(id);
      if (writer !== undefined) return writer;
      const storage = await openFileLogStorage(folder, id);
      if (storage !== undefined) return createLogView(id, storage);
      throw new PawlError(`There is no output log ${id} in ${folder}.`, { code: 'OUTPUT_LOG_NOT_FOUND' });
    },
    list,
    async remove(id) {
      checkLogId(id);
      if (live.has(id)) throw liveError(id, 'removed');
      return removeFiles(id);
    },
    async sweep() {
      const logs = await list();
      const oldest = clock.wallTime() - maxAgeMs;
      const removed: string[] = [];
      let kept = 0;
      let keptBytes = 0;
      // Those that are being written count first: they stay.
      for (const { id, bytes, modifiedAt, isLive } of logs.toSorted(
        (a, b) => Number(b.isLive) - Number(a.isLive),
      )) {
        const isOver = modifiedAt < oldest || kept >= maxLogs || keptBytes + bytes > maxTotalBytes;
        if (isLive || !isOver) {
          kept += isLive ? 0 : 1;
          keptBytes += bytes;
        } else if (await removeFiles(id)) removed.push(id);
      }
      return removed;
    },
  };
}

function liveError(id: string, what: string): PawlError {
  return new PawlError(`The output log ${id} can't be ${what}: it is being written.`, {
    code: 'OUTPUT_LOG_LIVE',
  });
}
