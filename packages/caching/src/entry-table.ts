import { checkInteger, type Emitter } from '@pawl/core';
import { backOffEntry, createEntry } from './cache-entry.ts';
import type { ResolvedCacheOptions } from './cache-options.ts';
import type { KeyedEntry, StoredEntry, StoreUsage } from './cache-store.ts';
import type { CacheCounters } from './cache-statistics.ts';
import type { ResolvedSetOptions } from './call-options.ts';
import { ValueNotCloneableError } from './caching-errors.ts';
import type { CacheEvents, RemovalReason } from './events.ts';
import { createTagIndex } from './tag-index.ts';
import { estimateBytes, keyBytes } from './value-size.ts';

/** The stored entries of one cache, with what follows from one coming and going: tags, counts, events, disposal. */
export class EntryTable<V> {
  readonly #options: ResolvedCacheOptions<V>;
  readonly #counters: CacheCounters;
  readonly #events: Emitter<CacheEvents>;
  readonly #tags = createTagIndex();

  constructor(options: ResolvedCacheOptions<V>, counters: CacheCounters, events: Emitter<CacheEvents>) {
    this.#options = options;
    this.#counters = counters;
    this.#events = events;
    // A store may come with entries of an earlier life.
    for (const [key, entry] of options.store.entries()) this.#tags.add(key, entry.tags);
  }

  /** The entry, however old, as the most recently used one. */
  find(key: string): StoredEntry<V> | undefined {
    return this.#options.store.get(key);
  }

  /** The entry, however old; its recency stays. */
  look(key: string): StoredEntry<V> | undefined {
    return this.#options.store.peek(key);
  }

  /** A value that may stand in for a load that fails or takes long. */
  fallback(key: string): StoredEntry<V> | undefined {
    const entry = this.look(key);
    return entry !== undefined && entry.failure === undefined && this.now() < entry.keepUntil
      ? entry
      : undefined;
  }

  now(): number {
    return this.#options.clock.now();
  }

  usage(): StoreUsage {
    return this.#options.store.usage();
  }

  keys(isListed: (entry: StoredEntry<V>) => boolean): string[] {
    return this.#options.store.entries().flatMap(([key, entry]) => (isListed(entry) ? [key] : []));
  }

  /** What a reader gets of a stored value: itself, or its own copy. */
  handOut(key: string, value: V): V {
    if (!this.#options.isolate) return value;
    try {
      return structuredClone(value);
    } catch (error) {
      throw new ValueNotCloneableError(key, error);
    }
  }

  /** The entry that a value makes, or undefined when it has no time to live. */
  entryOf(key: string, value: V, settings: ResolvedSetOptions): StoredEntry<V> | undefined {
    const { lifetimes } = settings;
    if (lifetimes.ttlMs === 0 && lifetimes.staleMs === 0 && lifetimes.staleIfErrorMs === 0) return undefined;
    const sizeBytes = this.#sizeOf(key, value, settings.sizeBytes);
    return this.#create(key, { value: this.handOut(key, value), failure: undefined, sizeBytes }, settings);
  }

  /** The entry that a failure makes. */
  failureOf(key: string, error: unknown, settings: ResolvedSetOptions): StoredEntry<V> {
    const sizeBytes = this.#options.estimateSizes ? estimateBytes(error) : 0;
    return this.#create(key, { value: undefined, failure: { error }, sizeBytes }, settings);
  }

  /** The entry as it would be here, had its value been made here. */
  measured(key: string, entry: StoredEntry<V>, sizeBytes: number | undefined): StoredEntry<V> {
    const ownBytes = this.#sizeOf(key, entry.value as V, sizeBytes);
    return { ...entry, sizeBytes: Math.max(1, ownBytes + keyBytes(key)) };
  }

  /** Stores the entry, or drops what the key holds if there is none. @returns whether the store took it */
  put(key: string, entry: StoredEntry<V> | undefined): boolean {
    if (entry === undefined) {
      this.remove(key, 'set');
      return false;
    }
    const { tags, sizeBytes } = entry;
    const { stored, replaced, evicted } = this.#options.store.set(key, entry);
    if (replaced !== undefined) this.#tags.remove(key, replaced.tags);
    for (const [evictedKey, gone] of evicted) this.#tags.remove(evictedKey, gone.tags);
    if (stored) {
      this.#tags.add(key, tags);
      this.#counters.stores += 1;
      if (this.#events.listenerCount('entry:stored') > 0) {
        const negative = entry.failure !== undefined;
        this.#events.emit('entry:stored', { key, tags, sizeBytes, negative });
      }
    } else {
      this.#counters.refused += 1;
      this.#events.emit('entry:refused', { key, sizeBytes });
    }
    if (replaced !== undefined) this.#left(key, replaced, 'set');
    for (const [evictedKey, gone] of evicted) this.#left(evictedKey, gone, 'evict');
    return stored;
  }

  /** Lets the stale entry wait before it is loaded anew. */
  backOff(entry: StoredEntry<V>): void {
    backOffEntry(entry, this.now(), this.#options.refreshBackoffMs);
  }

  remove(key: string, reason: RemovalReason): boolean {
    const entry = this.#options.store.delete(key);
    if (entry === undefined) return false;
    this.#tags.remove(key, entry.tags);
    this.#left(key, entry, reason);
    return true;
  }

  /** Takes the entries with that tag out, silently: {@link tell} of them when all else is done. */
  takeTagged(tag: string): readonly KeyedEntry<V>[] {
    const taken: KeyedEntry<V>[] = [];
    for (const key of this.#tags.keysOf(tag)) {
      const entry = this.#options.store.delete(key);
      if (entry !== undefined) taken.push([key, entry]);
    }
    this.#forgetTags(taken);
    return taken;
  }

  /** Takes the entries that match out, silently; a predicate that throws leaves everything as it was. */
  takeWhere(matches: (key: string, entry: StoredEntry<V>) => boolean): readonly KeyedEntry<V>[] {
    const taken = this.#options.store.deleteWhere(matches);
    this.#forgetTags(taken);
    return taken;
  }

  /** Takes all entries out, silently. */
  takeAll(): readonly KeyedEntry<V>[] {
    const taken = this.#options.store.entries();
    this.#options.store.clear();
    this.#tags.clear();
    return taken;
  }

  /** Announces entries that were taken out: all are gone before the first dispose function runs and can look. */
  tell(taken: readonly KeyedEntry<V>[], reason: RemovalReason): void {
    for (const [key, entry] of taken) this.#left(key, entry, reason);
  }

  #forgetTags(taken: readonly KeyedEntry<V>[]): void {
    for (const [key, entry] of taken) this.#tags.remove(key, entry.tags);
  }

  #create(
    key: string,
    draft: Pick<StoredEntry<V>, 'value' | 'failure' | 'sizeBytes'>,
    { tags, lifetimes }: ResolvedSetOptions,
  ): StoredEntry<V> {
    return createEntry<V>({
      value: draft.value,
      failure: draft.failure,
      tags,
      sizeBytes: Math.max(1, draft.sizeBytes + keyBytes(key)),
      now: this.now(),
      lifetimes,
      spread: lifetimes.earlyRefreshMs > 0 ? this.#options.random() : 0,
    });
  }

  #sizeOf(key: string, value: V, given: number | undefined): number {
    if (given !== undefined) return given;
    const { sizeOf, estimateSizes } = this.#options;
    if (sizeOf !== undefined) return checkInteger('sizeOf(value)', sizeOf(value, key), { min: 0 });
    return estimateSizes ? estimateBytes(value) : 0;
  }

  #left(key: string, entry: StoredEntry<V>, reason: RemovalReason): void {
    this.#counters.removals[reason] += 1;
    if (this.#events.listenerCount('entry:removed') > 0) this.#events.emit('entry:removed', { key, reason });
    const { dispose, logger } = this.#options;
    if (dispose === undefined || entry.failure !== undefined) return;
    try {
      dispose(entry.value as V, key, reason);
    } catch (error) {
      logger.error({ err: error, key, reason }, 'The dispose function of a cache failed.');
    }
  }
}
