import { checkFunction, checkString, createEmitter, type EventSource } from '@pawl/core';
import { renewEntry } from './cache-entry.ts';
import { type CacheOptions, resolveCacheOptions } from './cache-options.ts';
import { type CacheStatistics, createCounters, toStatistics } from './cache-statistics.ts';
import type { StoredEntry } from './cache-store.ts';
import {
  checkKey,
  type Loader,
  type LoadOptions,
  type ReadOptions,
  resolveLoadOptions,
  resolveSetOptions,
  type SetOptions,
} from './call-options.ts';
import { EntryTable } from './entry-table.ts';
import type { CacheEvents } from './events.ts';
import { Invalidation, type InvalidationPredicate } from './invalidation.ts';
import type { KeyLoad } from './key-load.ts';
import { Loading } from './loading.ts';
import { createNamespace } from './namespace.ts';
import { Flights } from './single-flight.ts';

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
 * Makes a cache in memory. It sets no timer of its own while no load with a timeout runs.
 * @throws TypeError or RangeError for a wrong option
 */
export function createCache<V = unknown>(options: CacheOptions<V> = {}): Cache<V> {
  const resolved = resolveCacheOptions(options);
  const events = createEmitter<CacheEvents>({ logger: resolved.logger });
  const counters = createCounters();
  const table = new EntryTable(resolved, counters, events);
  const loads = new Flights<KeyLoad<V>>();
  const invalidation = new Invalidation(table, loads, events);
  const loading = new Loading(resolved, table, loads, invalidation, counters, events);
  const namespaces = new Map<string, CacheView<V>>();

  function tellHit(key: string, stale: boolean, negative: boolean): void {
    counters.hits += 1;
    if (stale) counters.staleHits += 1;
    if (negative) counters.negativeHits += 1;
    if (events.listenerCount('cache:hit') > 0) events.emit('cache:hit', { key, stale, negative });
  }
  function tellMiss(key: string): void {
    counters.misses += 1;
    if (events.listenerCount('cache:miss') > 0) events.emit('cache:miss', { key });
  }

  /** The moment to compare an entry's with. The clock is not read for an entry that never gets old. */
  const momentFor = (entry: StoredEntry<V>): number => (entry.refreshAt === Infinity ? 0 : table.now());

  function usable(entry: StoredEntry<V>, allowStale: boolean): boolean {
    if (entry.failure !== undefined) return false;
    return momentFor(entry) < (allowStale ? entry.keepUntil : entry.freshUntil);
  }

  function get(key: string, read?: ReadOptions): V | undefined {
    const entry = table.find(key);
    if (entry === undefined || !usable(entry, read?.allowStale === true)) {
      if (entry !== undefined && table.now() >= entry.keepUntil) table.remove(key, 'expire');
      tellMiss(key);
      return undefined;
    }
    const now = momentFor(entry);
    const stale = now >= entry.freshUntil;
    if (resolved.sliding && !stale) renewEntry(entry, now);
    tellHit(key, stale, false);
    return table.handOut(key, entry.value as V);
  }

  function peek(key: string, read?: ReadOptions): V | undefined {
    const entry = table.look(key);
    if (entry === undefined || !usable(entry, read?.allowStale === true)) return undefined;
    return table.handOut(key, entry.value as V);
  }

  function has(key: string, read?: ReadOptions): boolean {
    const entry = table.look(key);
    return entry !== undefined && usable(entry, read?.allowStale === true);
  }

  function set(key: string, value: V, given: SetOptions = {}): boolean {
    const settings = resolveSetOptions(given, resolved);
    invalidation.overrule(key);
    return table.putValue(key, value, settings);
  }

  function remove(key: string): boolean {
    invalidation.overrule(key);
    return table.remove(key, 'delete');
  }

  /** What getOrLoad answers without waiting: a promise, or undefined for a miss. */
  function answer(key: string, loader: Loader<V>, given: LoadOptions<V>): Promise<V> | undefined {
    const entry = table.find(key);
    if (entry === undefined) return undefined;
    const now = momentFor(entry);
    if (now >= entry.keepUntil) {
      table.remove(key, 'expire');
      return undefined;
    }
    const stale = now >= entry.freshUntil;
    // Past the time to be served stale it is only for want of anything better: right after a refresh failed.
    if (now >= entry.staleUntil && now >= entry.retryAt) return undefined;
    if (entry.failure !== undefined) {
      tellHit(key, false, true);
      return Promise.reject(entry.failure.error);
    }
    const value = table.handOut(key, entry.value as V);
    tellHit(key, stale, false);
    if (now >= entry.refreshAt && now >= entry.retryAt) {
      loading.refresh(key, loader, () => resolveLoadOptions({ ...given, signal: undefined }, resolved));
    } else if (resolved.sliding && !stale) renewEntry(entry, now);
    return Promise.resolve(value);
  }

  function getOrLoad(key: string, loader: Loader<V>, given: LoadOptions<V> = {}): Promise<V> {
    try {
      const { signal } = given;
      if (signal?.aborted === true) return Promise.reject(signal.reason);
      if (given.force !== true) {
        const answered = answer(key, loader, given);
        if (answered !== undefined) return answered;
      }
      checkFunction('loader', loader);
      const settings = resolveLoadOptions(given, resolved);
      if (!settings.force) tellMiss(key);
      return loading.load(key, loader, settings, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  const isFresh = (entry: StoredEntry<V>): boolean => usable(entry, false);

  return {
    get: (key, read) => get(checkKey(key), read),
    peek: (key, read) => peek(checkKey(key), read),
    has: (key, read) => has(checkKey(key), read),
    set: (key, value, given) => set(checkKey(key), value, given),
    delete: (key) => remove(checkKey(key)),
    getOrLoad(key, loader, given) {
      try {
        return getOrLoad(checkKey(key), loader, given);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    keys: () => table.keys(isFresh).filter((key) => ownKey(key) !== undefined),
    invalidateTag: (tag) => invalidation.byTag(checkString('tag', tag)),
    invalidateWhere: (matches) => invalidation.byPredicate(checkPredicate(matches), ownKey),
    clear: () => invalidation.all(),
    namespace(name) {
      const known = namespaces.get(name);
      if (known !== undefined) return known;
      const view = createNamespace<V>(name, {
        get,
        peek,
        has,
        set,
        delete: remove,
        getOrLoad,
        keys: () => table.keys(isFresh),
        invalidateWhere: (matches, keyOf) => invalidation.byPredicate(checkPredicate(matches), keyOf),
        retire: (retired, prefix) => invalidation.byNamespace(retired, prefix),
      });
      namespaces.set(name, view);
      return view;
    },
    purgeExpired: () => {
      const now = table.now();
      return table.removeWhere((_key, entry) => now >= entry.keepUntil, 'expire');
    },
    stats: () => toStatistics(counters, table.usage()),
    on: (name, listener) => events.on(name, listener),
    onAny: (listener) => events.onAny(listener),
  };
}

/** Keys of namespaces begin with NUL and are seen through their namespace alone. */
function ownKey(key: string): string | undefined {
  return key.charCodeAt(0) === 0 ? undefined : key;
}

function checkPredicate(matches: InvalidationPredicate): InvalidationPredicate {
  return checkFunction('matches', matches);
}
