import { type FileHandle, open, readdir, readFile, unlink } from 'node:fs/promises';
import { hasCode } from '@pawl/core';

/** How many files are worked on at a time. */
const MAX_CONCURRENT_FILES = 16;

/** Writes a new file, for its owner alone, and waits until its content is on the medium. */
export async function writeNewFile(path: string, bytes: Uint8Array, modifiedMs: number): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.utimes(modifiedMs / 1_000, modifiedMs / 1_000);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's content, or undefined when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return ifThere(readFile(path));
}

/** @returns whether it was there */
export async function removeIfThere(path: string): Promise<boolean> {
  return (await ifThere(unlink(path).then(() => true))) ?? false;
}

/** What `work` on a file resolves to, or undefined when the file is gone. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Calls `work` for each file of the folder, several at a time, in no order; for none if there is no folder. */
export async function forEachFile(folder: string, work: (name: string) => Promise<void>): Promise<void> {
  const names = ((await ifThere(readdir(folder))) ?? []).values();
  const worker = async (): Promise<void> => {
    for (const name of names) await work(name);
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT_FILES }, worker));
}

/**
 * Waits until the names in a folder are on the medium as they are. Callers that come while one waits share the next
 * turn: however many changes were made, the medium is waited for once.
 */
export function createFolderSync(folder: string): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        running = syncFolder(folder);
        return running;
      });
    return next;
  };
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // There is nothing to bring there yet. Windows opens no folders, and keeps the order of changes by itself.
    if (hasCode(error, 'ENOENT', 'EISDIR', 'EPERM')) return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
