import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { createDeferred, type Deferred } from '@pawl/core';
import { createFileLogReader, type ReadableFile } from './file-log-reader.ts';
import { findLogFiles, logFilePath } from './log-files.ts';
import type { LogStorage } from './log-storage.ts';

export interface FileLogOptions {
  readonly folder: string;
  readonly id: string;
  /** The oldest file is removed when there is more than this. */
  readonly maxBytes: number;
}

/** Of a full log; so an eighth of it goes at a time. */
const FILES_PER_LOG = 8;
/** What waits for the disk before the writer is asked to wait too. */
const MOST_WAITING_BYTES = 256 * 1024;

/** One of the files of a log. */
interface LogPart extends ReadableFile {
  end: number;
}

/** Writes a new log. What can't be written is lost, and `fault` says why: no process stands still for a full disk. */
export function createFileLogStorage({ folder, id, maxBytes }: FileLogOptions): LogStorage {
  const parts: LogPart[] = [];
  const partBytes = Math.ceil(maxBytes / FILES_PER_LOG);
  let handle: FileHandle | undefined;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let end = 0;
  let closed = false;
  let fault: Error | undefined;
  let change = createDeferred();
  /** Of the writers that were asked to wait. */
  let room: Deferred<void> | undefined;
  let writing: Promise<void> | undefined = begin();

  function tell(): void {
    const told = change;
    change = createDeferred();
    told.resolve();
  }

  async function openPart(): Promise<void> {
    await handle?.close();
    const path = logFilePath(folder, id, end);
    // A log that exists is never written over.
    handle = await open(path, 'wx');
    parts.push({ path, offset: end, end });
  }

  async function dropSurplus(): Promise<void> {
    const [oldest] = parts;
    if (oldest === undefined || parts.length === 1 || end - oldest.offset <= maxBytes) return;
    parts.shift();
    await rm(oldest.path, { force: true });
  }

  /** As much of what waits as the current file has room for, but something in any case. */
  function takeBatch(): readonly Buffer[] {
    const current = parts.at(-1);
    let left = partBytes - (current === undefined ? 0 : current.end - current.offset);
    let count = 0;
    for (const { length } of waiting) {
      if (count > 0 && length > left) break;
      left -= length;
      waitingBytes -= length;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const full = parts.at(-1);
      if (full !== undefined && full.end - full.offset >= partBytes) await openPart();
      const batch = takeBatch();
      if (waitingBytes < MOST_WAITING_BYTES) {
        room?.resolve();
        room = undefined;
      }
      if (handle !== undefined) end += await writeBatch(handle, batch);
      const current = parts.at(-1);
      if (current !== undefined) current.end = end;
      await dropSurplus();
      tell();
    }
  }

  async function begin(): Promise<void> {
    await guarded(async () => {
      await mkdir(folder, { recursive: true });
      await openPart();
      await writeAll();
    });
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      fault = error as Error;
      waiting = [];
      waitingBytes = 0;
    } finally {
      writing = undefined;
      room?.resolve();
      room = undefined;
      tell();
    }
  }

  return {
    get start() {
      return parts[0]?.offset ?? end;
    },
    get end() {
      return end;
    },
    get closed() {
      return closed;
    },
    get fault() {
      return fault;
    },
    append(bytes) {
      if (fault !== undefined) return undefined;
      waiting.push(bytes);
      waitingBytes += bytes.length;
      writing ??= guarded(writeAll);
      if (waitingBytes < MOST_WAITING_BYTES) return undefined;
      room ??= createDeferred();
      return room.promise;
    },
    async close() {
      await writing;
      try {
        await handle?.close();
      } catch (error) {
        fault ??= error as Error;
      }
      handle = undefined;
      closed = true;
      tell();
    },
    changed: () => change.promise,
    reader: () => createFileLogReader((from) => partAt(parts, from)),
  };
}

/** @returns how many bytes that were */
async function writeBatch(handle: FileHandle, batch: readonly Buffer[]): Promise<number> {
  const bytes = batch.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(batch);
  // The rest says why, or goes through.
  if (bytesWritten < bytes) await handle.appendFile(Buffer.concat(batch).subarray(bytesWritten));
  return bytes;
}

/**
 * A log that was written before, by this host or one that is no more. What is behind its last line end was cut off
 * with its host, and is left out.
 * @returns undefined when there is none
 */
export async function openFileLogStorage(folder: string, id: string): Promise<LogStorage | undefined> {
  const files = await findLogFiles(folder, id);
  const last = files.at(-1);
  if (last === undefined) return undefined;
  const end = last.offset + (await endOfEntries(last.path, last.bytes));
  const parts = files.map(({ path, offset, bytes }) => ({
    path,
    offset,
    end: Math.min(end, offset + bytes),
  }));
  return {
    start: files[0]?.offset ?? 0,
    end,
    closed: true,
    fault: undefined,
    append: () => undefined,
    close: async () => undefined,
    changed: () => new Promise(() => undefined),
    reader: () => createFileLogReader((from) => partAt(parts, from)),
  };
}

function partAt(parts: readonly LogPart[], offset: number): LogPart | undefined {
  return parts.find((part) => offset >= part.offset && offset < part.end);
}

const LOOK_BYTES = 65_536;

/** Where the last whole entry of a file ends. */
async function endOfEntries(path: string, size: number): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const block = Buffer.allocUnsafe(LOOK_BYTES);
    for (let to = size; to > 0; to -= LOOK_BYTES) {
      const from = Math.max(0, to - LOOK_BYTES);
      const { bytesRead } = await handle.read(block, 0, to - from, from);
      const newline = block.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (newline !== -1) return from + newline + 1;
    }
    return 0;
  } finally {
    await handle.close();
  }
}
