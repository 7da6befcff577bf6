import type { Clock, Emitter } from '@pawl/core';
import type { CacheCounters } from './cache-statistics.ts';
import type { CacheStore, EntryHead, StoredEntry } from './cache-store.ts';
import type { CacheEvents } from './events.ts';
import { tierKeyOf } from './namespace-key.ts';

/** How often a read is repeated because an invalidation came in between, before there is taken to be nothing. */
const MAX_READS = 3;

type Operation = CacheEvents['tier:failed']['operation'];

/**
 * The store behind the memory of a cache: larger, slower, and perhaps there for longer than the process.
 *
 * Every change is handed to the store within the call, so the store sees them in the order of the calls; its promise
 * resolves when the change has reached the medium. A read waits for the changes before it. If a change fails, what it
 * should have removed may still be there: then nothing is read any more until the tier was cleared.
 */
export class Tier<V> {
  readonly #store: CacheStore<V>;
  readonly #clock: Clock;
  readonly #counters: CacheCounters;
  readonly #events: Emitter<CacheEvents>;
  /** Changes on their way: of one key, and of many. */
  readonly #byKey = new Map<string, Promise<unknown>>();
  #ofMany: Promise<unknown> = Promise.resolve();
  #distrusted = false;

  constructor(store: CacheStore<V>, clock: Clock, counters: CacheCounters, events: Emitter<CacheEvents>) {
    this.#store = store;
    this.#clock = clock;
    this.#counters = counters;
    this.#events = events;
  }

  /**
   * What can answer a miss, or stand in for a load that fails: the entry as it would be had it stayed in memory.
   * @param lastInvalidation its number; a read during which there was one may have found what it hit
   */
  async find(key: string, lastInvalidation: () => number): Promise<StoredEntry<V> | undefined> {
    let found: StoredEntry<V> | undefined;
    for (let reads = 1; reads <= MAX_READS; reads += 1) {
      const before = lastInvalidation();
      found = await this.#read(tierKeyOf(key), key);
      if (lastInvalidation() === before) break;
      found = undefined;
    }
    const now = this.#clock.now();
    if (found === undefined || found.failure !== undefined || now >= found.keepUntil) {
      this.#counters.tierMisses += 1;
      this.#events.emit('tier:miss', { key });
      return undefined;
    }
    this.#counters.tierHits += 1;
    this.#events.emit('tier:hit', { key, stale: now >= found.freshUntil });
    return found;
  }

  /** A tier that fails has nothing. */
  async #read(tierKey: string, key: string): Promise<StoredEntry<V> | undefined> {
    await this.#ofMany;
    await this.#byKey.get(tierKey);
    if (this.#distrusted) return undefined;
    try {
      const entry = await this.#store.get(tierKey);
      return entry === undefined ? undefined : this.#fromWallTime(entry);
    } catch (error) {
      this.#tellFailure('get', error, key);
      return undefined;
    }
  }

  /** @returns whether the store took it @throws what the store throws; the key then holds nothing */
  write(key: string, entry: StoredEntry<V>): Promise<boolean> {
    const tierKey = tierKeyOf(key);
    const write = async (): Promise<boolean> => {
      try {
        const { stored } = await this.#store.set(tierKey, this.#toWallTime(entry));
        if (stored) this.#counters.tierStores += 1;
        return stored;
      } catch (error) {
        this.#tellFailure('set', error, key);
        // What the key held was overruled by what could not be stored.
        await this.#sure('delete', () => this.#store.delete(tierKey), key);
        throw error;
      }
    };
    return this.#trackKey(tierKey, write());
  }

  /** As {@link write}, for a caller that does not wait: a failure is told as an event. */
  writeBehind(key: string, entry: StoredEntry<V>): void {
    this.write(key, entry).catch(() => undefined);
  }

  /** @returns whether the store held something @throws what the store throws */
  remove(key: string): Promise<boolean> {
    const tierKey = tierKeyOf(key);
    const removal = this.#sure('delete', () => this.#store.delete(tierKey), key);
    return this.#trackKey(
      tierKey,
      removal.then((head) => head !== undefined),
    );
  }

  /** @returns how many entries left @throws what the store throws */
  removeWhere(matches: (tierKey: string, head: EntryHead) => boolean): Promise<number> {
    const removal = this.#sure('deleteWhere', () => this.#store.deleteWhere(matches));
    return this.#trackMany(removal.then((removed) => removed.length));
  }

  /** Removes what is too old for any use. @returns how many entries left */
  removeExpired(): Promise<number> {
    const wallTime = this.#clock.wallTime();
    return this.removeWhere((_key, head) => wallTime >= head.keepUntil);
  }

  /** @throws what the store throws */
  clear(): Promise<void> {
    const clearing = this.#sure('clear', () => this.#store.clear());
    return this.#trackMany(
      clearing.then(() => {
        this.#distrusted = false;
      }),
    );
  }

  /** Resolves when every change so far has been made, or failed. */
  async flush(): Promise<void> {
    await Promise.allSettled([this.#ofMany, ...this.#byKey.values()]);
  }

  /** Removes, and stops trusting the tier if that fails. */
  async #sure<R>(operation: Operation, remove: () => R | PromiseLike<R>, key?: string): Promise<R> {
    try {
      return await remove();
    } catch (error) {
      this.#distrusted = true;
      this.#tellFailure(operation, error, key);
      throw error;
    }
  }

  #trackKey<R>(tierKey: string, change: Promise<R>): Promise<R> {
    const settled = Promise.allSettled([this.#byKey.get(tierKey), change]).then(() => {
      if (this.#byKey.get(tierKey) === settled) this.#byKey.delete(tierKey);
    });
    this.#byKey.set(tierKey, settled);
    return change;
  }

  #trackMany<R>(change: Promise<R>): Promise<R> {
    // Resolves with nothing, lest each hold on to the one before.
    this.#ofMany = Promise.allSettled([this.#ofMany, change]).then(() => undefined);
    return change;
  }

  #tellFailure(operation: Operation, error: unknown, key?: string): void {
    this.#counters.tierFailures += 1;
    this.#events.emit('tier:failed', { operation, error, ...(key === undefined ? {} : { key }) });
  }

  /** The clock of a cache may start anew with each process, so a tier is told times of day. */
  #toWallTime(entry: StoredEntry<V>): StoredEntry<V> {
    return shifted(entry, this.#clock.wallTime() - this.#clock.now());
  }

  #fromWallTime(entry: StoredEntry<V>): StoredEntry<V> {
    // An entry from the future was stored before the clock was set back; it is taken for new.
    const ageMs = Math.max(0, this.#clock.wallTime() - entry.storedAt);
    return shifted(entry, this.#clock.now() - ageMs - entry.storedAt);
  }
}

function shifted<V>(entry: StoredEntry<V>, byMs: number): StoredEntry<V> {
  return {
    ...entry,
    storedAt: entry.storedAt + byMs,
    refreshAt: entry.refreshAt + byMs,
    freshUntil: entry.freshUntil + byMs,
    staleUntil: entry.staleUntil + byMs,
    keepUntil: entry.keepUntil + byMs,
    retryAt: entry.retryAt + byMs,
  };
}
