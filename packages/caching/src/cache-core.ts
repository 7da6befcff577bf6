import { checkFunction, checkString, createEmitter, type EventSource } from '@pawl/core';
import { renewEntry } from './cache-entry.ts';
import type { ResolvedCacheOptions } from './cache-options.ts';
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
import { type Change, Invalidation, type InvalidationPredicate } from './invalidation.ts';
import type { KeyLoad } from './key-load.ts';
import { Loading } from './loading.ts';
import { createNamespace } from './namespace.ts';
import { Flights } from './single-flight.ts';
import { Tier } from './tier.ts';

/** Reading and writing under a set of keys, before it is known whether the caller waits for the tier. */
export interface Keyspace<V> {
  get(key: string, options?: ReadOptions): V | undefined;
  peek(key: string, options?: ReadOptions): V | undefined;
  has(key: string, options?: ReadOptions): boolean;
  set(key: string, value: V, options?: SetOptions): Change<boolean>;
  delete(key: string): Change<boolean>;
  getOrLoad(key: string, loader: Loader<V>, options?: LoadOptions<V>): Promise<V>;
  keys(): readonly string[];
  invalidateWhere(matches: InvalidationPredicate): Change<number>;
  clear(): Change<void>;
}

/** What both forms of a cache are made of, the one with a tier and the one without. */
export interface CacheCore<V> extends Keyspace<V>, EventSource<CacheEvents> {
  invalidateTag(tag: string): Change<number>;
  namespace(name: string): Keyspace<V>;
  purgeExpired(): Change<number>;
  stats(): CacheStatistics;
  /** Resolves when the tier has been told all that was stored so far. */
  flush(): Promise<void>;
}

export function createCore<V>(resolved: ResolvedCacheOptions<V>): CacheCore<V> {
  const events = createEmitter<CacheEvents>({ logger: resolved.logger });
  const counters = createCounters();
  const tier =
    resolved.tier === undefined ? undefined : new Tier(resolved.tier, resolved.clock, counters, events);
  const table = new EntryTable(resolved, counters, events);
  const loads = new Flights<KeyLoad<V>>();
  const invalidation = new Invalidation(table, loads, events, tier);
  const loading = new Loading(resolved, table, loads, invalidation, counters, events, tier);

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

  function set(key: string, value: V, given: SetOptions = {}): Change<boolean> {
    const settings = resolveSetOptions(given, resolved);
    invalidation.overrule(key);
    const entry = table.entryOf(key, value, settings);
    // The tier first: a listener that hears of the change may ask for the key.
    const there = entry === undefined ? tier?.remove(key).then(() => false) : tier?.write(key, entry);
    return { here: table.put(key, entry), there };
  }

  function remove(key: string): Change<boolean> {
    invalidation.overrule(key);
    const there = tier?.remove(key);
    return { here: table.remove(key, 'delete'), there };
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
    namespace: (name) =>
      createNamespace<V>(name, {
        get,
        peek,
        has,
        set,
        delete: remove,
        getOrLoad,
        keys: () => table.keys(isFresh),
        invalidateWhere: (matches, keyOf) => invalidation.byPredicate(checkPredicate(matches), keyOf),
        retire: (retired, prefix) => invalidation.byNamespace(retired, prefix),
      }),
    purgeExpired() {
      const now = table.now();
      const taken = table.takeWhere((_key, entry) => now >= entry.keepUntil);
      const there = tier?.removeExpired();
      table.tell(taken, 'expire');
      return { here: taken.length, there };
    },
    stats: () => toStatistics(counters, table.usage()),
    flush: async () => tier?.flush(),
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
