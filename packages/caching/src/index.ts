// Cache
export { type Cache, type CacheView, createCache } from './cache.ts';
export type { TieredCache, TieredCacheView } from './tiered-cache.ts';
export type { CacheOptions, Lifetimes, LoadLimits, TieredCacheOptions } from './cache-options.ts';
export type { LoadContext, Loader, LoadOptions, ReadOptions, SetOptions } from './call-options.ts';
export type { InvalidationCandidate, InvalidationPredicate } from './invalidation.ts';
export type { CacheStatistics } from './cache-statistics.ts';
export type { CacheEvents, RemovalReason } from './events.ts';

// Storage
export type {
  CacheStore,
  EntryHead,
  KeyedEntry,
  KeyedHead,
  StoredEntry,
  StoreOutcome,
  StoreReport,
  StoreUsage,
  SyncCacheStore,
} from './cache-store.ts';
export { type Admission, createMemoryStore, type MemoryStoreOptions } from './memory-store.ts';
export {
  createDiskStore,
  type DiskStore,
  type DiskStoreEvents,
  type DiskStoreOptions,
} from './disk-store/disk-store.ts';

// Keys and task results
export { cacheKey } from './cache-key.ts';
export { createTaskCache, type TaskCache, type TaskCacheOptions } from './task-cache.ts';
export type { TaskDifference, TaskEnv, TaskIngredients, TaskManifest } from './task-manifest.ts';
export type {
  NotStoredReason,
  TaskContext,
  TaskFunction,
  TaskProvenance,
  TaskResult,
  TaskRunOptions,
} from './task-run.ts';

// Errors
export {
  CacheLoadTimeoutError,
  KeyUnsupportedError,
  TaskFileError,
  TaskKeyUnknownError,
  ValueNotCloneableError,
} from './caching-errors.ts';
