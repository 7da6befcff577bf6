import type { Outcome, OutcomeStatus } from './outcome.ts';

/** Totals since the executor was made. */
export interface ExecutorStats {
  readonly running: number;
  readonly total: number;
  readonly byStatus: Readonly<Record<OutcomeStatus, number>>;
  /** Succeeded of ended runs, from 0 to 1; `NaN` before the first. */
  readonly successRate: number;
  /** Mean duration of ended runs that were not served from the cache, in milliseconds; `NaN` before the first. */
  readonly averageDurationMs: number;
  /** Runs served from the cache. */
  readonly cached: number;
}

/** Counts outcomes. */
export interface ExecutionCounts {
  add(outcome: Outcome): void;
  stats(running: number): ExecutorStats;
}

export function createExecutionCounts(): ExecutionCounts {
  const byStatus: Record<OutcomeStatus, number> = {
    succeeded: 0,
    failed: 0,
    'timed-out': 0,
    cancelled: 0,
    lost: 0,
  };
  let ended = 0;
  let cached = 0;
  let durationSum = 0;
  return {
    add(outcome) {
      ended += 1;
      byStatus[outcome.status] += 1;
      if (outcome.cached) cached += 1;
      else durationSum += outcome.durationMs;
    },
    stats: (running) => ({
      running,
      total: ended + running,
      byStatus: { ...byStatus },
      successRate: byStatus.succeeded / ended,
      averageDurationMs: durationSum / (ended - cached),
      cached,
    }),
  };
}
