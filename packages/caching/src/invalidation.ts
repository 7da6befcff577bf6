import type { Emitter } from '@pawl/core';
import type { EntryTable } from './entry-table.ts';
import type { CacheEvents } from './events.ts';
import type { KeyLoad } from './key-load.ts';
import type { Flights } from './single-flight.ts';

/** What a predicate learns of an entry, or of a load in progress, beside its key. */
export interface InvalidationCandidate {
  readonly tags: readonly string[];
}

/** Whether an entry is to be dropped. */
export type InvalidationPredicate = (key: string, candidate: InvalidationCandidate) => boolean;

/**
 * Makes invalidation final: once a call here returns, no later read gets a value whose load began before it.
 *
 * Each call takes the next sequence number, drops the entries it hits, and cuts off the loads it hits or may hit.
 * A load that is cut off serves the callers who joined it before; its value is not stored and nobody can join it.
 * Order is the order of calls. No clock is read, so two calls in one millisecond are as ordered as any.
 */
export class Invalidation<V> {
  readonly #table: EntryTable<V>;
  readonly #loads: Flights<KeyLoad<V>>;
  readonly #events: Emitter<CacheEvents>;
  #sequence = 0;
  /** The sequence number of the last one by tag or predicate. */
  #lastSelective = 0;

  constructor(table: EntryTable<V>, loads: Flights<KeyLoad<V>>, events: Emitter<CacheEvents>) {
    this.#table = table;
    this.#loads = loads;
    this.#events = events;
  }

  /** The number of the last invalidation. */
  get sequence(): number {
    return this.#sequence;
  }

  /**
   * Whether a caller that brings these tags may join the load. It may not if the load began before an invalidation
   * that would have cut it off, had it carried the tags then.
   */
  mayJoin(load: KeyLoad<V>, tags: readonly string[], hasOpenTags: boolean): boolean {
    if (load.sequence >= this.#lastSelective) return true;
    return !hasOpenTags && tags.every((tag) => load.tags.has(tag));
  }

  /** Cuts off the key's load; the entry is the caller's to replace or remove. */
  overrule(key: string): void {
    this.#sequence += 1;
    this.#loads.cutOff(key);
  }

  /** @returns how many entries were dropped */
  byTag(tag: string): number {
    this.#sequence += 1;
    this.#lastSelective = this.#sequence;
    const loads = this.#loads.cutOffWhere((load) => load.hasOpenTags || load.tags.has(tag));
    const entries = this.#table.removeTagged(tag);
    this.#events.emit('cache:invalidated', { by: 'tag', name: tag, entries, loads });
    return entries;
  }

  /**
   * @param keyOf the key as the predicate knows it, or undefined for one it must not see
   * @returns how many entries were dropped
   */
  byPredicate(matches: InvalidationPredicate, keyOf: (key: string) => string | undefined): number {
    this.#sequence += 1;
    this.#lastSelective = this.#sequence;
    const isHit = (storedKey: string, tags: readonly string[]): boolean => {
      const key = keyOf(storedKey);
      return key !== undefined && matches(key, { tags });
    };
    const loads = this.#loads.cutOffWhere(
      (load) => isHit(load.key, [...load.tags]) || (load.hasOpenTags && keyOf(load.key) !== undefined),
    );
    const entries = this.#table.removeWhere((key, entry) => isHit(key, entry.tags), 'invalidate');
    this.#events.emit('cache:invalidated', { by: 'predicate', entries, loads });
    return entries;
  }

  /** Cuts off the loads of a namespace whose entries its new version hides. */
  byNamespace(name: string, prefix: string): void {
    this.#sequence += 1;
    const loads = this.#loads.cutOffWhere((load) => load.key.startsWith(prefix));
    this.#events.emit('cache:invalidated', { by: 'namespace', name, entries: 0, loads });
  }

  all(): void {
    this.#sequence += 1;
    const loads = this.#loads.cutOffWhere(() => true);
    const entries = this.#table.clear();
    this.#events.emit('cache:invalidated', { by: 'clear', entries, loads });
  }
}
