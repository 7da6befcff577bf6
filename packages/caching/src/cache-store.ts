/**
 * One remembered answer. All moments are on the cache's clock, in milliseconds; `Infinity` is never.
 *
 * `storedAt ≤ refreshAt ≤ freshUntil ≤ staleUntil ≤ keepUntil`: fresh, then stale but served while it is loaded
 * anew, then kept only for the case that loading fails, then gone.
 */
export interface StoredEntry<V> {
  /** What was stored; `undefined` may be a real value: look at `failure` to tell. */
  readonly value: V | undefined;
  /** Set when the load failed and the failure itself is remembered. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Without repetitions. */
  readonly tags: readonly string[];
  /** Bytes of the value and the key together, at least 1. */
  readonly sizeBytes: number;
  readonly storedAt: number;
  /** How long it stays fresh after a renewal, for a sliding expiry. */
  readonly ttlMs: number;
  /** From here a reader that can load does so early, in the background. */
  refreshAt: number;
  freshUntil: number;
  staleUntil: number;
  keepUntil: number;
  /** No refresh begins before this moment, after one failed. */
  retryAt: number;
  /** Refreshes that failed in a row. */
  failedRefreshes: number;
}

/** An entry under its key. */
export type KeyedEntry<V> = readonly [key: string, entry: StoredEntry<V>];

/** What is known of an entry without its value. */
export type EntryHead = Omit<StoredEntry<unknown>, 'value' | 'failure'>;

/** An entry's head under its key. */
export type KeyedHead = readonly [key: string, head: EntryHead];

/** What a store did with an entry it was given. */
export interface StoreReport {
  /** False when the store refused it, for its size or by its admission rule. */
  readonly stored: boolean;
  /** What the key held before; it is gone in either case. */
  readonly replaced: EntryHead | undefined;
  /** What had to leave to make room, in the order it left. */
  readonly evicted: readonly KeyedHead[];
}

type Awaitable<T> = T | PromiseLike<T>;

/**
 * Where entries are kept. A store knows nothing of time, tags, loads or invalidation: it finds, keeps and evicts.
 * `storeContract` of `@pawl/caching/testing` holds the rules as checks. This is the widest form, which a store on
 * disk meets too, so what leaves is told by its head alone: a value that nobody asked for need not be read.
 *
 * Changes take effect in the order of the calls, also of those that are not awaited. What outlives the process has
 * reached its medium when a change resolves. A store that keeps copies makes them before `set` returns.
 */
export interface CacheStore<V> {
  /** The entry of that key, which becomes the most recently used one. */
  get(key: string): Awaitable<StoredEntry<V> | undefined>;
  /** The entry of that key; its recency stays as it is. */
  peek(key: string): Awaitable<StoredEntry<V> | undefined>;
  /** Keeps the entry as the most recently used one, in place of what the key held. */
  set(key: string, entry: StoredEntry<V>): Awaitable<StoreReport>;
  /** @returns what the key held */
  delete(key: string): Awaitable<EntryHead | undefined>;
  /** Removes all that match; all are asked before any leaves. @returns what left */
  deleteWhere(matches: (key: string, head: EntryHead) => boolean): Awaitable<readonly KeyedHead[]>;
  clear(): Awaitable<void>;
  /** All entries as they are at this moment, least recently used first; later changes don't disturb it. */
  entries(): Awaitable<readonly KeyedHead[]>;
  /** How much is held. */
  usage(): Awaitable<StoreUsage>;
}

/** How full a store is. */
export interface StoreUsage {
  readonly entries: number;
  /** The sum of the entries' `sizeBytes`, or what a store that measures found them to take. */
  readonly bytes: number;
}

/** What a {@link SyncCacheStore} did with an entry it was given: what left is at hand, with its value. */
export interface StoreOutcome<V> extends StoreReport {
  readonly replaced: StoredEntry<V> | undefined;
  readonly evicted: readonly KeyedEntry<V>[];
}

/**
 * A store that answers at once. A cache reads through one of these, because a hit has to cost less than a
 * microsecond and because an invalidation has to be over when the call returns.
 */
export interface SyncCacheStore<V> extends CacheStore<V> {
  get(key: string): StoredEntry<V> | undefined;
  peek(key: string): StoredEntry<V> | undefined;
  set(key: string, entry: StoredEntry<V>): StoreOutcome<V>;
  delete(key: string): StoredEntry<V> | undefined;
  deleteWhere(matches: (key: string, entry: StoredEntry<V>) => boolean): readonly KeyedEntry<V>[];
  clear(): void;
  entries(): readonly KeyedEntry<V>[];
  usage(): StoreUsage;
}
