import { checkDurationMs, checkKnownKeys, type Clock, systemClock } from '@pawl/core';

/** The part of a RunStore that forgets what has ended. */
export interface EndedRuns {
  /** Removes at most `limit` runs that ended before an instant, in milliseconds since the epoch. @returns their ids */
  remove(endedBefore: number, limit: number): Promise<readonly string[]>;
}

/** Small enough that nobody else waits long for the store. */
const BATCH = 1_000;

export interface OldRunsOptions {
  readonly runs: EndedRuns;
  /** Runs that ended longer ago than this go, in milliseconds. @default 86400000 (24 h) */
  readonly maxAgeMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Forgets runs that ended long ago. @returns how many @throws what the store throws */
export async function removeOldRuns(options: OldRunsOptions): Promise<number> {
  checkKnownKeys('removeOldRuns', options, ['runs', 'maxAgeMs', 'clock']);
  const { runs, clock = systemClock } = options;
  const maxAgeMs = checkDurationMs('maxAgeMs', options.maxAgeMs ?? 86_400_000);
  const endedBefore = clock.wallTime() - maxAgeMs;
  for (let removed = 0; ;) {
    const { length } = await runs.remove(endedBefore, BATCH);
    removed += length;
    if (length < BATCH) return removed;
  }
}
