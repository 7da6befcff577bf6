import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkString, expectedMessage, hasCode } from '@pawl/core';

/**
 * A log is `<id>.log`; once that is full it goes on in `<id>.<offset>.log`, where the offset says how much lies before.
 * So nothing is ever renamed, and what is in a folder explains itself after a restart.
 */
export interface LogFile {
  readonly id: string;
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  /** When it was last written, in milliseconds since the epoch. */
  readonly modifiedAt: number;
}

const OFFSET_DIGITS = 15;
const NAME = new RegExp(String.raw`^(.+?)(?:\.(\d{${OFFSET_DIGITS}}))?\.log$`);
const ID = /^\w[\w.-]{0,199}$/;

/** @throws TypeError when it can't name a file, or would be taken for the name of another log */
export function checkLogId(id: string): string {
  checkString('id', id);
  if (ID.test(id) && NAME.exec(`${id}.log`)?.[1] === id) return id;
  throw new TypeError(
    expectedMessage(
      'id',
      'at most 200 letters, digits, `_`, `-` and `.`, and no number of 15 digits at the end',
      id,
    ),
  );
}

export function logFilePath(folder: string, id: string, offset: number): string {
  const part = offset === 0 ? '' : `.${String(offset).padStart(OFFSET_DIGITS, '0')}`;
  return join(folder, `${id}${part}.log`);
}

/** The files of one log, or of all logs, in the order of their bytes. A folder that is missing has none. */
export async function findLogFiles(folder: string, id?: string): Promise<readonly LogFile[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const found = names.flatMap((name) => {
    const match = NAME.exec(name);
    if (match?.[1] === undefined || (id !== undefined && match[1] !== id)) return [];
    return [{ id: match[1], path: join(folder, name), offset: Number(match[2] ?? 0) }];
  });
  const files = await Promise.all(
    found.map(async (file): Promise<LogFile | undefined> => {
      // It may be removed meanwhile.
      const stats = await stat(file.path).catch(() => undefined);
      return stats?.isFile() === true ? { ...file, bytes: stats.size, modifiedAt: stats.mtimeMs } : undefined;
    }),
  );
  return files.filter((file) => file !== undefined).toSorted((a, b) => a.offset - b.offset);
}
