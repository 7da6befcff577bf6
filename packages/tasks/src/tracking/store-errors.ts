import { PawlError } from '@pawl/core';
import type { HostIdentity } from './run.ts';
import { isoTime } from './utc-time.ts';

/** What kept a store from doing what it was asked. Nothing was changed. */
export type StoreFault =
  | 'STORE_FULL'
  | 'STORE_READ_ONLY'
  | 'STORE_CORRUPT'
  | 'STORE_BUSY'
  | 'STORE_CLOSED'
  | 'STORE_FAILED';

/** A store could not do what it was asked. Nothing was changed; where the cause goes away, the next call works again. */
export class RunStoreError extends PawlError {
  declare readonly code: StoreFault;

  constructor(code: StoreFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? { code } : { code, cause });
  }
}

/** Another host has the store. */
export class StoreLockedError extends PawlError {
  declare readonly code: 'STORE_LOCKED';
  /** Who; undefined while it has not yet left its name. */
  readonly holder: HostIdentity | undefined;

  constructor(store: string, holder: HostIdentity | undefined) {
    const who =
      holder === undefined
        ? 'another process that is just starting or ending'
        : `process ${holder.pid} on ${holder.name} since ${isoTime(holder.since)}`;
    super(`${store} is in use by ${who}.`, { code: 'STORE_LOCKED' });
    this.holder = holder;
  }
}
