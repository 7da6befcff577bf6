import { readdir, rmdir, lstat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkDurationMs,
  checkKnownKeys,
  checkString,
  type Clock,
  hasCode,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';

export interface TempFilesOptions {
  /** The folder that is swept, with all below it. It stays itself. */
  readonly folder: string;
  /** What was changed longer ago than this goes, in milliseconds. @default 86400000 (24 h) */
  readonly maxAgeMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of files that could not be removed. @default silentLogger */
  readonly logger?: Logger;
}

/**
 * Removes old files, and the folders that are empty and old. Links are removed and not followed. What can't be
 * removed is logged and left.
 * @returns how many files were removed; 0 when there is no such folder
 * @throws TypeError, RangeError for wrong options
 */
export async function removeTempFiles(options: TempFilesOptions): Promise<number> {
  checkKnownKeys('removeTempFiles', options, ['folder', 'maxAgeMs', 'clock', 'logger']);
  const { clock = systemClock, logger = silentLogger } = options;
  const maxAgeMs = checkDurationMs('maxAgeMs', options.maxAgeMs ?? 86_400_000);
  const oldest = clock.wallTime() - maxAgeMs;
  let removed = 0;

  /** What another process has removed meanwhile is no trouble. */
  async function attempt(path: string, fn: () => Promise<void>): Promise<void> {
    try {
      await fn();
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) logger.warn({ err: error, path }, `"${path}" could not be removed.`);
    }
  }

  async function sweep(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      await attempt(path, async () => {
        // Looked at before what is in it goes, which counts as a change.
        const isOld = (await lstat(path)).mtimeMs < oldest;
        if (entry.isDirectory()) {
          await sweep(path);
          if (isOld && (await readdir(path)).length === 0) await rmdir(path);
        } else if (isOld) {
          await unlink(path);
          removed += 1;
        }
      });
    }
  }

  const folder = checkString('folder', options.folder);
  await attempt(folder, () => sweep(folder));
  return removed;
}
