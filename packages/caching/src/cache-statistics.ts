import type { StoreUsage } from './cache-store.ts';
import type { RemovalReason } from './events.ts';

/**
 * Counts since the cache was made. They add up: `gets = hits + misses`, and
 * `loads = loadSuccesses + loadFailures + loadsAbandoned + loading`.
 */
export interface CacheStatistics extends StoreUsage {
  /** Calls of `get` and `getOrLoad`, except those that skipped reading (`force`) or came with an aborted signal. */
  readonly gets: number;
  /** Reads answered from the cache. */
  readonly hits: number;
  readonly misses: number;
  /** Hits with a stale value; part of `hits`. */
  readonly staleHits: number;
  /** Hits with a remembered failure; part of `hits`. */
  readonly negativeHits: number;
  /** `hits / gets`, 0 to 1; 0 before the first read. */
  readonly hitRate: number;
  /** Loads begun, refreshes included. */
  readonly loads: number;
  readonly loadSuccesses: number;
  readonly loadFailures: number;
  /** Loads whose last waiter left. */
  readonly loadsAbandoned: number;
  /** Loads begun with nobody waiting, to renew a stale or soon stale value; part of `loads`. */
  readonly refreshes: number;
  /** Callers that joined a load in progress instead of starting one. */
  readonly coalesced: number;
  /** Loads that succeeded and were not stored, because an invalidation or a `set` came in between. */
  readonly loadsSuperseded: number;
  /** Loads that failed while an old value could be served in place of the error. */
  readonly staleOnError: number;
  /** Waiters that took an old value at `softTimeoutMs`. */
  readonly softTimeouts: number;
  /** Misses that the tier answered; no load was begun for them. 0 without a tier, like the rest of these. */
  readonly tierHits: number;
  /** Misses that the tier could not answer either. */
  readonly tierMisses: number;
  /** Entries that the tier stored. */
  readonly tierStores: number;
  /** Reads and changes of the tier that failed. */
  readonly tierFailures: number;
  /** Loads in progress. */
  readonly loading: number;
  /** Entries stored, failures included. */
  readonly stores: number;
  /** Values the store did not take. */
  readonly refused: number;
  /** Entries that left, by reason. */
  readonly removals: Readonly<Record<RemovalReason, number>>;
}

type Counted = Omit<CacheStatistics, 'gets' | 'hitRate' | 'loading' | 'removals' | keyof StoreUsage>;

/** The running counts behind {@link CacheStatistics}. */
export interface CacheCounters extends Record<keyof Counted, number> {
  readonly removals: Record<RemovalReason, number>;
}

export function createCounters(): CacheCounters {
  return {
    hits: 0,
    misses: 0,
    staleHits: 0,
    negativeHits: 0,
    loads: 0,
    loadSuccesses: 0,
    loadFailures: 0,
    loadsAbandoned: 0,
    refreshes: 0,
    coalesced: 0,
    loadsSuperseded: 0,
    staleOnError: 0,
    softTimeouts: 0,
    tierHits: 0,
    tierMisses: 0,
    tierStores: 0,
    tierFailures: 0,
    stores: 0,
    refused: 0,
    removals: { set: 0, delete: 0, evict: 0, expire: 0, invalidate: 0, clear: 0 },
  };
}

/** A frozen picture of the counts. */
export function toStatistics(counters: CacheCounters, usage: StoreUsage): CacheStatistics {
  const { removals, ...counts } = counters;
  const gets = counters.hits + counters.misses;
  return Object.freeze({
    ...counts,
    ...usage,
    gets,
    hitRate: gets === 0 ? 0 : counters.hits / gets,
    loading: counters.loads - counters.loadSuccesses - counters.loadFailures - counters.loadsAbandoned,
    removals: Object.freeze({ ...removals }),
  });
}
