import type { EventSource } from '@pawl/core';
import { createCore, type Keyspace } from './cache-core.ts';
import { type CacheOptions, resolveCacheOptions, type TieredCacheOptions } from './cache-options.ts';
import type { CacheStatistics } from './cache-statistics.ts';
import type { Loader, LoadOptions, ReadOptions, SetOptions } from './call-options.ts';
import type { CacheEvents } from './events.ts';
import type { InvalidationPredicate } from './invalidation.ts';
import { toTieredCache, type TieredCache } from './tiered-cache.ts';

/** Reading and writing under a set of keys: what a cache and each of its namespaces offer. */
export interface CacheView<V> {
  /** The fresh value, or undefined; `has` tells a stored undefined from none. Counts as a read. */
  get(key: string, options?: ReadOptions): V | undefined;
  /** As `get`, without counting and without making the entry a recently used one. */
  peek(key: string, options?: ReadOptions): V | undefined;
  /** Whether a fresh value is stored; a remembered failure is none. Changes nothing. */
  has(key: string, options?: ReadOptions): boolean;
  /**
   * Stores a value, also null or undefined. A load of the key that is running will not overwrite it.
   * @returns false when the value was not stored: too large, not admitted, or with no time to live
   * @throws TypeError or RangeError for a wrong option; CACHE_VALUE_NOT_CLONEABLE if the cache isolates
   */
  set(key: string, value: V, options?: SetOptions): boolean;
  /** Removes the key's entry, and keeps a running load from storing one. @returns whether there was an entry */
  delete(key: string): boolean;
  /**
   * The stored value, or else what `loader` brings. However many ask at a time, it runs once, and its failure is
   * the failure of all who wait for it.
   * @throws what the loader throws; the reason of `options.signal`; CACHE_LOAD_TIMEOUT after `hardTimeoutMs`
   */
  getOrLoad(key: string, loader: Loader<V>, options?: LoadOptions<V>): Promise<V>;
  /** The keys of the fresh values as they are now, least recently used first. */
  keys(): readonly string[];
  /**
   * Drops every entry that `matches`. It is asked by key and tags, not by value, because it has to decide on loads
   * in progress too: to invalidate by what a value holds, tag it with that.
   * @returns how many entries were dropped
   */
  invalidateWhere(matches: InvalidationPredicate): number;
  /** Drops everything. In a namespace it takes the same time however much is stored. */
  clear(): void;
}

/**
 * Remembers values. After `delete`, `set`, `invalidateTag`, `invalidateWhere` or `clear` returns, no read gets a value
 * whose load began before.
 */
export interface Cache<V> extends CacheView<V>, EventSource<CacheEvents> {
  /** Drops every entry with that tag, in all namespaces. @returns how many */
  invalidateTag(tag: string): number;
  /** A part of this cache with its own keys and its own `clear`, in the same room. Same name, same namespace. */
  namespace(name: string): CacheView<V>;
  /** Drops what is too old for any use; else such entries leave when they are asked for or pushed out. @returns how many */
  purgeExpired(): number;
  stats(): CacheStatistics;
}

/**
 * Makes a cache in memory, with a `tier` behind it if one is given. It sets no timer of its own while no load with a
 * timeout runs.
 * @throws TypeError or RangeError for a wrong option
 */
export function createCache<V = unknown>(options: TieredCacheOptions<V>): TieredCache<V>;
export function createCache<V = unknown>(options?: CacheOptions<V>): Cache<V>;
export function createCache<V = unknown>(options: CacheOptions<V> = {}): Cache<V> | TieredCache<V> {
  const resolved = resolveCacheOptions(options);
  const core = createCore(resolved);
  if (resolved.tier !== undefined) return toTieredCache(core);
  const namespaces = new Map<string, CacheView<V>>();
  return {
    ...toView(core),
    invalidateTag: (tag) => core.invalidateTag(tag).here,
    namespace(name) {
      const view = namespaces.get(name) ?? toView(core.namespace(name));
      namespaces.set(name, view);
      return view;
    },
    purgeExpired: () => core.purgeExpired().here,
    stats: () => core.stats(),
    on: (name, listener) => core.on(name, listener),
    onAny: (listener) => core.onAny(listener),
  };
}

function toView<V>(space: Keyspace<V>): CacheView<V> {
  return {
    get: (key, options) => space.get(key, options),
    peek: (key, options) => space.peek(key, options),
    has: (key, options) => space.has(key, options),
    getOrLoad: (key, loader, options) => space.getOrLoad(key, loader, options),
    keys: () => space.keys(),
    set: (key, value, options) => space.set(key, value, options).here,
    delete: (key) => space.delete(key).here,
    invalidateWhere: (matches) => space.invalidateWhere(matches).here,
    clear: () => space.clear().here,
  };
}
