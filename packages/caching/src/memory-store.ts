import { checkInteger, checkKnownKeys, checkOneOf } from '@pawl/core';
import { LRUCache } from 'lru-cache';
import type { KeyedEntry, StoredEntry, StoreOutcome, SyncCacheStore } from './cache-store.ts';
import { createFrequencySketch } from './frequency-sketch.ts';

/**
 * Who gets in when the store is full. `always`: the new entry, in place of the least recently used. `frequent`: the
 * new entry only if its key was asked for more often of late than those of the entries it would push out (TinyLFU),
 * so that one pass over many keys leaves the often used ones where they are.
 */
export type Admission = 'always' | 'frequent';

export interface MemoryStoreOptions {
  /** The most entries it holds; `Infinity` leaves the limit to `maxBytes`. @default 1000 */
  readonly maxEntries?: number;
  /** The most bytes it holds, keys included; a larger entry is refused. @default Infinity */
  readonly maxBytes?: number;
  /** @default 'always' */
  readonly admission?: Admission;
}

export const DEFAULT_MAX_ENTRIES = 1_000;

/** Size of the frequency sketch when `maxEntries` is `Infinity`. */
const UNBOUNDED_SKETCH_ENTRIES = 10_000;

/**
 * Keeps entries in memory, in an lru-cache. Its expiry, `fetch` and `memo` are not used: time belongs to the cache
 * above, which also has to tell stale entries from gone ones.
 * @throws TypeError or RangeError for a wrong option
 */
export function createMemoryStore<V>(options: MemoryStoreOptions = {}): SyncCacheStore<V> {
  checkKnownKeys('createMemoryStore', options, ['maxEntries', 'maxBytes', 'admission']);
  const maxEntries = checkInteger('maxEntries', options.maxEntries ?? DEFAULT_MAX_ENTRIES, {
    min: 1,
    infinite: true,
  });
  const maxBytes = checkInteger('maxBytes', options.maxBytes ?? Infinity, { min: 1, infinite: true });
  const admission = checkOneOf('admission', options.admission ?? 'always', ['always', 'frequent']);
  const sketch =
    admission === 'frequent'
      ? createFrequencySketch(maxEntries === Infinity ? UNBOUNDED_SKETCH_ENTRIES : maxEntries)
      : undefined;

  // What the set in progress pushed out.
  let evicted: KeyedEntry<V>[] = [];
  const lru = new LRUCache<string, StoredEntry<V>>({
    ...(maxEntries === Infinity ? {} : { max: maxEntries }),
    // lru-cache takes no Infinity, and counts bytes only under a limit.
    maxSize: maxBytes === Infinity ? Number.MAX_SAFE_INTEGER : maxBytes,
    dispose: (entry, key, reason) => {
      if (reason === 'evict') evicted.push([key, entry]);
    },
  });

  /** lru-cache types its pairs loosely. */
  const leastRecentFirst = (): Iterable<KeyedEntry<V>> => lru.rentries() as Iterable<KeyedEntry<V>>;

  /** Whether the key is asked for more often than every entry that would have to leave for it. */
  function isAdmitted(key: string, entry: StoredEntry<V>): boolean {
    if (sketch === undefined || lru.peek(key) !== undefined) return true;
    let surplusEntries = lru.size + 1 - maxEntries;
    let surplusBytes = lru.calculatedSize + entry.sizeBytes - maxBytes;
    if (surplusEntries <= 0 && surplusBytes <= 0) return true;
    const frequency = sketch.estimate(key);
    for (const [victimKey, victim] of leastRecentFirst()) {
      if (sketch.estimate(victimKey) >= frequency) return false;
      surplusEntries -= 1;
      surplusBytes -= victim.sizeBytes;
      if (surplusEntries <= 0 && surplusBytes <= 0) break;
    }
    return true;
  }

  return {
    get(key) {
      sketch?.record(key);
      return lru.get(key);
    },
    peek: (key) => lru.peek(key),
    set(key, entry): StoreOutcome<V> {
      const replaced = lru.peek(key);
      if (entry.sizeBytes > maxBytes) {
        lru.delete(key);
        return { stored: false, replaced, evicted: [] };
      }
      if (sketch !== undefined) {
        // A set that follows a read that missed is one request, not two.
        if (sketch.estimate(key) === 0) sketch.record(key);
        if (!isAdmitted(key, entry)) return { stored: false, replaced, evicted: [] };
      }
      evicted = [];
      lru.set(key, entry, { size: entry.sizeBytes });
      return { stored: true, replaced, evicted };
    },
    delete(key) {
      const entry = lru.peek(key);
      lru.delete(key);
      return entry;
    },
    deleteWhere(matches) {
      const matching = [...leastRecentFirst()].filter(([key, entry]) => matches(key, entry));
      for (const [key] of matching) lru.delete(key);
      return matching;
    },
    clear: () => lru.clear(),
    entries: () => [...leastRecentFirst()],
    usage: () => ({ entries: lru.size, bytes: lru.calculatedSize }),
  };
}
