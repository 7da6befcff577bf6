import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { checkKnownKeys, type Clock, systemClock } from '@pawl/core';
import type { HostIdentity, RunStore, ScheduleStore } from '@pawl/tasks';
import {
  createCacheIn,
  resolveCacheOptions,
  type SqliteCache,
  type SqliteCacheOptions,
} from './sqlite-cache-store.ts';
import { createRunStoreIn, resolveHostOptions, type SqliteRunStoreOptions } from './sqlite-run-store.ts';
import { checkMaxSlots, createScheduleStoreIn } from './sqlite-schedule-store.ts';
import { createStoreHandle } from './store-handle.ts';
import { openStoreFile } from './store-file.ts';
import { createUpkeep, type StoreUpkeep } from './store-upkeep.ts';

export interface SqliteStoreOptions extends SqliteRunStoreOptions {
  /** Claimed slots remembered per schedule, at least 1000; beyond that the earliest claim is forgotten. @default 10000 */
  readonly maxSlots?: number;
  /** How much the cache may hold. It does not count towards `maxBytes` of the runs. */
  readonly cache?: SqliteCacheOptions;
  /** Tells since when this process has the file. @default systemClock */
  readonly clock?: Clock;
}

/** All stores in one SQLite file on a local disk, which this process alone has while it is open. */
export interface SqliteStore<V = unknown> extends StoreUpkeep {
  /** For `createRunTracker`, whose stop leaves the file open for the others. */
  readonly runs: RunStore;
  /** For `createScheduler`. */
  readonly schedules: ScheduleStore;
  /** For `createCache`, as its `tier`. */
  readonly cache: SqliteCache<V>;
}

/**
 * Opens the file when one of the stores is first used, as its only host, and keeps it until `close`. What the stores
 * are asked for in one turn of the event loop shares one commit.
 * @throws TypeError, RangeError
 */
export function createSqliteStore<V = unknown>(options: SqliteStoreOptions): SqliteStore<V> {
  const keys = ['file', 'maxBytes', 'busyTimeoutMs', 'maxSlots', 'cache', 'clock'];
  checkKnownKeys('createSqliteStore', options, keys);
  const { file, maxBytes, busyTimeoutMs } = resolveHostOptions(options);
  const maxSlots = checkMaxSlots(options.maxSlots);
  const cacheOptions = resolveCacheOptions(options.cache ?? {});
  const clock = options.clock ?? systemClock;
  const subject = `The store ${file}`;

  /** Until a tracker leaves its own name. */
  const thisProcess = (): HostIdentity => ({
    id: randomUUID(),
    name: hostname(),
    pid: process.pid,
    startTime: undefined,
    bootId: undefined,
    since: clock.wallTime(),
  });
  const handle = createStoreHandle(subject, () =>
    openStoreFile({ file, subject, busyTimeoutMs, host: thisProcess() }),
  );
  const { cache, flush } = createCacheIn<V>(handle, file, cacheOptions);
  return {
    runs: createRunStoreIn({ path: file, maxBytes, open: () => handle.open(), release: () => undefined }),
    schedules: createScheduleStoreIn(handle, file, maxSlots),
    cache,
    ...createUpkeep(subject, handle, flush),
  };
}
