import type { Emitter } from '@pawl/core';
import type { EntryTable } from './entry-table.ts';
import type { CacheEvents } from './events.ts';
import type { KeyLoad } from './key-load.ts';
import { tierPrefix } from './namespace-key.ts';
import type { Flights } from './single-flight.ts';
import type { Tier } from './tier.ts';

/** What a predicate learns of an entry, or of a load in progress, beside its key. */
export interface InvalidationCandidate {
  readonly tags: readonly string[];
}

/** Whether an entry is to be dropped. */
export type InvalidationPredicate = (key: string, candidate: InvalidationCandidate) => boolean;

/** A change of the cache: what came of it in memory, at once, and what will have come of it in the tier. */
export interface Change<R> {
  readonly here: R;
  /** Undefined without a tier. */
  readonly there: Promise<R> | undefined;
}

/**
 * Makes invalidation final: once a call here returns, no later read gets a value whose load began before it.
 *
 * Each call takes the next sequence number, drops the entries it hits, and cuts off the loads it hits or may hit.
 * A load that is cut off serves the callers who joined it before; its value is not stored and nobody can join it.
 * Order is the order of calls. No clock is read, so two calls in one millisecond are as ordered as any.
 *
 * A load whose loader has not run yet, because the tier is being read for it, can't bring an old value of the
 * loader's: it goes on, and reads the tier again. The tier is told before any listener hears of the change, so that
 * what a listener reads comes after it.
 */
export class Invalidation<V> {
  readonly #table: EntryTable<V>;
  readonly #loads: Flights<KeyLoad<V>>;
  readonly #events: Emitter<CacheEvents>;
  readonly #tier: Tier<V> | undefined;
  #sequence = 0;
  /** The sequence number of the last one by tag or predicate. */
  #lastSelective = 0;

  constructor(
    table: EntryTable<V>,
    loads: Flights<KeyLoad<V>>,
    events: Emitter<CacheEvents>,
    tier: Tier<V> | undefined,
  ) {
    this.#table = table;
    this.#loads = loads;
    this.#events = events;
    this.#tier = tier;
  }

  /** The number of the last invalidation. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The number of the last one by tag or predicate. */
  get lastSelective(): number {
    return this.#lastSelective;
  }

  /**
   * Whether a caller that brings these tags may join the load. It may not if the load began before an invalidation
   * that would have cut it off, had it carried the tags then.
   */
  mayJoin(load: KeyLoad<V>, tags: readonly string[], hasOpenTags: boolean): boolean {
    if (load.sequence === undefined || load.sequence >= this.#lastSelective) return true;
    return !hasOpenTags && tags.every((tag) => load.tags.has(tag));
  }

  /** Cuts off the key's load; the entry is the caller's to replace or remove. */
  overrule(key: string): void {
    this.#sequence += 1;
    this.#loads.cutOff(key);
  }

  /** @returns how many entries were dropped */
  byTag(tag: string): Change<number> {
    this.#sequence += 1;
    this.#lastSelective = this.#sequence;
    const loads = this.#loads.cutOffWhere(
      (load) => load.hasStarted && (load.hasOpenTags || load.tags.has(tag)),
    );
    const taken = this.#table.takeTagged(tag);
    const there = this.#tier?.removeWhere((_key, head) => head.tags.includes(tag));
    this.#table.tell(taken, 'invalidate');
    this.#events.emit('cache:invalidated', { by: 'tag', name: tag, entries: taken.length, loads });
    return { here: taken.length, there };
  }

  /**
   * @param keyOf the key as the predicate knows it, or undefined for one it must not see
   * @returns how many entries were dropped
   */
  byPredicate(matches: InvalidationPredicate, keyOf: (key: string) => string | undefined): Change<number> {
    this.#sequence += 1;
    this.#lastSelective = this.#sequence;
    const isHit = (storedKey: string, tags: readonly string[]): boolean => {
      const key = keyOf(storedKey);
      return key !== undefined && matches(key, { tags });
    };
    const loads = this.#loads.cutOffWhere(
      (load) =>
        load.hasStarted &&
        (isHit(load.key, [...load.tags]) || (load.hasOpenTags && keyOf(load.key) !== undefined)),
    );
    const taken = this.#table.takeWhere((key, entry) => isHit(key, entry.tags));
    const there = this.#tier?.removeWhere((key, head) => isHit(key, head.tags));
    this.#table.tell(taken, 'invalidate');
    this.#events.emit('cache:invalidated', { by: 'predicate', entries: taken.length, loads });
    return { here: taken.length, there };
  }

  /** Cuts off the loads of a namespace whose entries its new version hides. */
  byNamespace(name: string, prefix: string): Change<void> {
    this.#sequence += 1;
    const loads = this.#loads.cutOffWhere((load) => load.key.startsWith(prefix));
    const hidden = tierPrefix(name);
    const there = this.#tier?.removeWhere((key) => key.startsWith(hidden)).then(() => undefined);
    this.#events.emit('cache:invalidated', { by: 'namespace', name, entries: 0, loads });
    return { here: undefined, there };
  }

  all(): Change<void> {
    this.#sequence += 1;
    const loads = this.#loads.cutOffWhere(() => true);
    const taken = this.#table.takeAll();
    const there = this.#tier?.clear();
    this.#table.tell(taken, 'clear');
    this.#events.emit('cache:invalidated', { by: 'clear', entries: taken.length, loads });
    return { here: undefined, there };
  }
}
