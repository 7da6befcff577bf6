import { resolve } from 'node:path';
import { checkString } from '@pawl/core';
import { checkIntegrity, type IntegrityReport } from './integrity.ts';
import { inWordsOf } from './sqlite-faults.ts';
import type { StoreHandle } from './store-handle.ts';

/** What the file of a store can be asked for. */
export interface StoreUpkeep {
  /** Reads the whole file and compares what must agree. This process stands still meanwhile. */
  integrity(): Promise<IntegrityReport>;
  /** Writes a copy as of this moment, while the store is in use, and replaces `file` with it. @throws RunStoreError */
  backup(file: string): Promise<void>;
  /** Stores what was asked for and lets go of the file, for good. Twice is fine. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param flush is called before the file is closed, and does not reject */
export function createUpkeep(
  subject: string,
  handle: StoreHandle,
  flush: () => Promise<void> = () => Promise.resolve(),
): StoreUpkeep {
  const close = (): Promise<void> =>
    inWordsOf(subject, async () => {
      await flush();
      await handle.close();
    });
  return {
    integrity: () => inWordsOf(subject, async () => checkIntegrity((await handle.open()).sql)),
    backup: (file) =>
      inWordsOf(subject, async () => {
        const target = resolve(checkString('file', file));
        await (await handle.open()).backUp(target);
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}
