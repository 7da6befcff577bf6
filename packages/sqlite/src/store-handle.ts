import { RunStoreError } from '@pawl/tasks';
import type { StoreFile } from './store-file.ts';

/** A file that is opened when it is first needed, once for all stores of this process that are in it. */
export interface StoreHandle {
  /** The file, open. One that could not be opened is tried again. @throws what opening it does; RunStoreError */
  open(): Promise<StoreFile>;
  /** Lets go of the file, for good. Twice is fine. */
  close(): Promise<void>;
}

/** @param subject names the store at the beginning of a sentence */
export function createStoreHandle(subject: string, openFile: () => Promise<StoreFile>): StoreHandle {
  let opening: Promise<StoreFile> | undefined;
  let isClosed = false;
  return {
    open() {
      if (isClosed) return Promise.reject(new RunStoreError('STORE_CLOSED', `${subject} is closed.`));
      if (opening === undefined) {
        opening = openFile();
        opening.catch(() => {
          opening = undefined;
        });
      }
      return opening;
    },
    async close() {
      isClosed = true;
      const last = opening;
      opening = undefined;
      const file = await last?.catch(() => undefined);
      file?.close();
    },
  };
}
