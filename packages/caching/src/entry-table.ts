import { checkInteger, type Emitter } from '@pawl/core';
import { backOffEntry, createEntry } from './cache-entry.ts';
import type { ResolvedCacheOptions } from './cache-options.ts';
import type { StoredEntry, StoreUsage } from './cache-store.ts';
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

  /** @returns whether the store took it */
  putValue(key: string, value: V, settings: ResolvedSetOptions): boolean {
    const { lifetimes } = settings;
    if (lifetimes.ttlMs === 0 && lifetimes.staleMs === 0 && lifetimes.staleIfErrorMs === 0) {
      this.remove(key, 'set');
      return false;
    }
    const sizeBytes = this.#sizeOf(key, value, settings.sizeBytes);
    return this.#put(key, { value: this.handOut(key, value), failure: undefined, sizeBytes }, settings);
  }

  putFailure(key: string, error: unknown, settings: ResolvedSetOptions): boolean {
    const sizeBytes = this.#options.estimateSizes ? estimateBytes(error) : 0;
    return this.#put(key, { value: undefined, failure: { error }, sizeBytes }, settings);
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

  removeTagged(tag: string): number {
    return this.#removeKeys(this.#tags.keysOf(tag), 'invalidate');
  }

  removeWhere(matches: (key: string, entry: StoredEntry<V>) => boolean, reason: RemovalReason): number {
    // All are asked before any leaves, so that a predicate that throws leaves everything as it was.
    const keys = this.#options.store.entries().flatMap(([key, entry]) => (matches(key, entry) ? [key] : []));
    return this.#removeKeys(keys, reason);
  }

  clear(): number {
    const entries = this.#options.store.entries();
    this.#options.store.clear();
    this.#tags.clear();
    for (const [key, entry] of entries) this.#left(key, entry, 'clear');
    return entries.length;
  }

  #removeKeys(keys: readonly string[], reason: RemovalReason): number {
    const removed: (readonly [string, StoredEntry<V>])[] = [];
    for (const key of keys) {
      const entry = this.#options.store.delete(key);
      if (entry === undefined) continue;
      this.#tags.remove(key, entry.tags);
      removed.push([key, entry]);
    }
    // All are gone before the first dispose function runs and can look.
    for (const [key, entry] of removed) this.#left(key, entry, reason);
    return removed.length;
  }

  #put(
    key: string,
    draft: Pick<StoredEntry<V>, 'value' | 'failure' | 'sizeBytes'>,
    { tags, lifetimes }: ResolvedSetOptions,
  ): boolean {
    const sizeBytes = Math.max(1, draft.sizeBytes + keyBytes(key));
    const spread = lifetimes.earlyRefreshMs > 0 ? this.#options.random() : 0;
    const entry = createEntry<V>({
      value: draft.value,
      failure: draft.failure,
      tags,
      sizeBytes,
      now: this.now(),
      lifetimes,
      spread,
    });
    const { stored, replaced, evicted } = this.#options.store.set(key, entry);
    if (replaced !== undefined) this.#tags.remove(key, replaced.tags);
    for (const [evictedKey, gone] of evicted) this.#tags.remove(evictedKey, gone.tags);
    if (stored) {
      this.#tags.add(key, tags);
      this.#counters.stores += 1;
      if (this.#events.listenerCount('entry:stored') > 0) {
        this.#events.emit('entry:stored', { key, tags, sizeBytes, negative: draft.failure !== undefined });
      }
    } else {
      this.#counters.refused += 1;
      this.#events.emit('entry:refused', { key, sizeBytes });
    }
    if (replaced !== undefined) this.#left(key, replaced, 'set');
    for (const [evictedKey, gone] of evicted) this.#left(evictedKey, gone, 'evict');
    return stored;
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
