import { RunStoreError, type StoreFault } from '@pawl/tasks';

/** What SQLite's primary result codes mean here: https://sqlite.org/rescode.html */
const FAULTS: Readonly<Record<number, readonly [code: StoreFault, text: string]>> = {
  5: ['STORE_BUSY', 'another program is writing to it'],
  6: ['STORE_BUSY', 'another program is writing to it'],
  8: ['STORE_READ_ONLY', 'it can only be read'],
  11: ['STORE_CORRUPT', 'it is damaged; restore a backup'],
  13: ['STORE_FULL', 'the disk is full'],
  14: [
    'STORE_READ_ONLY',
    'it can not be opened or created; does its folder exist, and may it be written to?',
  ],
  26: ['STORE_CORRUPT', 'it is no SQLite database, or damaged; restore a backup'],
};

/** Whether SQLite itself failed, rather than the code that uses it. */
export function isSqliteError(error: unknown): error is Error & { readonly errcode: number } {
  return error instanceof Error && typeof (error as { readonly errcode?: unknown }).errcode === 'number';
}

/**
 * Does what a store is asked, and tells an error of SQLite in the words of that store.
 * @param subject names the store at the beginning of a sentence: `The run store /var/runs.db`
 */
export async function inWordsOf<T>(subject: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toStoreError(subject, error);
  }
}

/** An error of SQLite in the words of a store; any other error as it is. */
export function toStoreError(subject: string, error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  // The upper bits of an extended code say more than anybody acts upon.
  const [code, text] = FAULTS[error.errcode & 0xff] ?? ['STORE_FAILED', 'SQLite failed'];
  return new RunStoreError(code, `${subject} can't be used: ${text} (${error.message}).`, error);
}
