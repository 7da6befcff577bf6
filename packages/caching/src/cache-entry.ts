import type { ResolvedLifetimes } from './cache-options.ts';
import type { StoredEntry } from './cache-store.ts';

/** The longest wait between two refreshes that fail, as a multiple of `refreshBackoffMs`. */
const LONGEST_BACKOFF = 30;

export interface EntryDraft<V> {
  readonly value: V | undefined;
  readonly failure: StoredEntry<V>['failure'];
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly now: number;
  readonly lifetimes: ResolvedLifetimes;
  /** From [0, 1): where in the early refresh window this entry's moment lies. */
  readonly spread: number;
}

/** An entry as it is when it was just stored. */
export function createEntry<V>(draft: EntryDraft<V>): StoredEntry<V> {
  const { now, failure } = draft;
  const { ttlMs, negativeTtlMs, staleMs, staleIfErrorMs, earlyRefreshMs } = draft.lifetimes;
  const lifeMs = failure === undefined ? ttlMs : negativeTtlMs;
  const freshUntil = now + lifeMs;
  const early = failure === undefined && earlyRefreshMs > 0 && lifeMs !== Infinity;
  return {
    value: draft.value,
    failure,
    tags: draft.tags,
    sizeBytes: draft.sizeBytes,
    storedAt: now,
    ttlMs: lifeMs,
    refreshAt: early ? freshUntil - Math.min(earlyRefreshMs, lifeMs) * (1 - draft.spread) : freshUntil,
    freshUntil,
    staleUntil: failure === undefined ? freshUntil + staleMs : freshUntil,
    keepUntil: failure === undefined ? freshUntil + Math.max(staleMs, staleIfErrorMs) : freshUntil,
    retryAt: -Infinity,
    failedRefreshes: 0,
  };
}

/** Starts the entry's time to live anew, as a sliding expiry does on a hit. */
export function renewEntry(entry: StoredEntry<unknown>, now: number): void {
  if (entry.ttlMs === Infinity) return;
  const shiftMs = now + entry.ttlMs - entry.freshUntil;
  entry.refreshAt += shiftMs;
  entry.freshUntil += shiftMs;
  entry.staleUntil += shiftMs;
  entry.keepUntil += shiftMs;
}

/** Notes that loading it anew failed: the next try waits longer after each failure in a row. */
export function backOffEntry(entry: StoredEntry<unknown>, now: number, backoffMs: number): void {
  entry.retryAt = now + backoffMs * Math.min(2 ** entry.failedRefreshes, LONGEST_BACKOFF);
  entry.failedRefreshes += 1;
}
