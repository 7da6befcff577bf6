import { type FileHandle, open } from 'node:fs/promises';
import { hasCode } from '@pawl/core';
import type { LogReader } from './log-storage.ts';

/** A file of a log, and what of it may be read. */
export interface ReadableFile {
  readonly path: string;
  /** Where its first byte is in the log. */
  readonly offset: number;
  /** Where the next file goes on. */
  readonly end: number;
}

/**
 * Reads a log from its files. A file that is removed while it is being read is read to its end.
 * @param fileAt the file that holds the byte at an offset, if any does
 */
export function createFileLogReader(fileAt: (offset: number) => ReadableFile | undefined): LogReader {
  let current: { readonly handle: FileHandle; readonly path: string; file: ReadableFile } | undefined;

  async function close(): Promise<void> {
    const { handle } = current ?? {};
    current = undefined;
    await handle?.close();
  }

  /** @returns undefined when the file is gone */
  async function open_(from: number): Promise<ReadableFile | undefined> {
    const file = fileAt(from);
    if (current !== undefined && (file === undefined || file.path === current.path)) {
      // The one that is open may have been removed: then nobody knows it any more, and its end is final.
      if (file !== undefined) current.file = file;
      if (from >= current.file.offset && from < current.file.end) return current.file;
    }
    if (file === undefined) return undefined;
    await close();
    try {
      current = { handle: await open(file.path, 'r'), path: file.path, file };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
    return file;
  }

  return {
    async read(from, maxBytes) {
      const file = await open_(from);
      if (file === undefined || current === undefined) return undefined;
      const bytes = Buffer.allocUnsafe(Math.min(maxBytes, file.end - from));
      const { bytesRead } = await current.handle.read(bytes, 0, bytes.length, from - file.offset);
      return bytes.subarray(0, bytesRead);
    },
    close,
  };
}
