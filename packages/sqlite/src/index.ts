export { createSqliteStore, type SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts';
export { createSqliteRunStore, type SqliteRunStore, type SqliteRunStoreOptions } from './sqlite-run-store.ts';
export {
  createSqliteScheduleStore,
  type SqliteScheduleStore,
  type SqliteScheduleStoreOptions,
} from './sqlite-schedule-store.ts';
export {
  createSqliteCacheStore,
  type SqliteCache,
  type SqliteCacheEvents,
  type SqliteCacheOptions,
  type SqliteCacheStore,
  type SqliteCacheStoreOptions,
} from './sqlite-cache-store.ts';
export type { CacheDamage } from './cache-rows.ts';
export type { IntegrityReport } from './integrity.ts';
export type { StoreUpkeep } from './store-upkeep.ts';
