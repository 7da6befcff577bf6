import {
  EXECUTION_STAGES,
  type ExecutionStage,
  type Outcome,
  OUTCOME_CAUSES,
  type OutcomeCause,
  type OutcomeStatus,
} from './outcome.ts';

/** Totals since the executor was made. */
export interface ExecutorStats {
  readonly running: number;
  /** `running`, and all of `byStatus`. */
  readonly total: number;
  readonly byStatus: Readonly<Record<OutcomeStatus, number>>;
  /** Runs without a result: together as many as those of `byStatus` that did not succeed. */
  readonly byCause: Readonly<Record<OutcomeCause, number>>;
  /** Where the `running` are now, and where those without a result ended. */
  readonly byStage: Readonly<Record<ExecutionStage, StageStats>>;
  /** Succeeded of ended runs, from 0 to 1; `NaN` before the first. */
  readonly successRate: number;
  /** Mean duration of ended runs that were not served from the cache, in milliseconds; `NaN` before the first. */
  readonly averageDurationMs: number;
  /** Runs served from the cache. */
  readonly cached: number;
  /** Runs served by another that was under way. */
  readonly shared: number;
  /** Of all ended runs together. */
  readonly attempts: number;
}

export interface StageStats {
  readonly running: number;
  readonly ended: number;
}

/** Counts outcomes. */
export interface ExecutionCounts {
  add(outcome: Outcome): void;
  stats(running: Iterable<{ readonly stage: ExecutionStage }>): ExecutorStats;
}

export function createExecutionCounts(): ExecutionCounts {
  const byStatus = zeros<OutcomeStatus>(['succeeded', 'failed', 'timed-out', 'cancelled', 'lost']);
  const byCause = zeros(OUTCOME_CAUSES);
  const endedIn = zeros(EXECUTION_STAGES);
  let ended = 0;
  let cached = 0;
  let shared = 0;
  let attempts = 0;
  let durationSum = 0;
  return {
    add(outcome) {
      ended += 1;
      attempts += outcome.attempts;
      byStatus[outcome.status] += 1;
      if (outcome.status !== 'succeeded') {
        byCause[outcome.cause] += 1;
        endedIn[outcome.stage] += 1;
      }
      if (outcome.shared) shared += 1;
      if (outcome.cached) cached += 1;
      else durationSum += outcome.durationMs;
    },
    stats(running) {
      const runningIn = zeros(EXECUTION_STAGES);
      let count = 0;
      for (const { stage } of running) {
        count += 1;
        runningIn[stage] += 1;
      }
      return {
        running: count,
        total: ended + count,
        byStatus: { ...byStatus },
        byCause: { ...byCause },
        byStage: Object.fromEntries(
          EXECUTION_STAGES.map((stage) => [stage, { running: runningIn[stage], ended: endedIn[stage] }]),
        ) as Record<ExecutionStage, StageStats>,
        successRate: byStatus.succeeded / ended,
        averageDurationMs: durationSum / (ended - cached),
        cached,
        shared,
        attempts,
      };
    },
  };
}

function zeros<Key extends string>(keys: readonly Key[]): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<Key, number>;
}
