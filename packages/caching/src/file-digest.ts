import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { TaskFileError } from './caching-errors.ts';

/** Path as given → SHA-256 of the file's content in hex, in order of path. */
export type FileDigests = Readonly<Record<string, string>>;

/** How many files are read at a time. */
const MAX_CONCURRENT_FILES = 8;

/**
 * Digests the content of each file; times and sizes are not looked at, since they can stay when content changes.
 * @throws TASK_FILE_UNREADABLE for a file that is missing or can't be read
 */
export async function digestFiles(paths: readonly string[]): Promise<FileDigests> {
  const unique = [...new Set(paths)].toSorted();
  const digests = new Map<string, string>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let path = unique[next++]; path !== undefined; path = unique[next++]) {
      digests.set(path, await digestFile(path));
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT_FILES, unique.length) }, work));
  return Object.fromEntries(unique.map((path) => [path, digests.get(path) ?? '']));
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw new TaskFileError(path, error);
  }
  return hash.digest('hex');
}
