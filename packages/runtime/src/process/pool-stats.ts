import type { FailureCause } from '../events.ts';
import type { DurationSummary } from './duration-histogram.ts';
import type { HealthClass, HealthFinding } from './health.ts';
import type { WorkerState } from './worker-state.ts';

/** Every submitted run is in exactly one of `queued`, `running` and the ended counts. */
export interface RunStats extends EndedCounts {
  readonly submitted: number;
  /** Those that no worker executes yet: in the queue, delayed, waiting for a place in the queue, or sent ahead. */
  readonly queued: number;
  readonly running: number;
  /** From submission until a worker began, of every run that began. */
  readonly waitMs: DurationSummary;
  /** From there until it settled. */
  readonly runMs: DurationSummary;
}

export interface PoolStats extends RunStats, WorkerStats {}

export interface WorkerStats {
  /** Workers that start, are ready, or busy. */
  readonly size: number;
  readonly workers: Readonly<Record<WorkerState, number>>;
  /** Workers that ended without being asked to, since the pool began. */
  readonly crashed: number;
  /** From the start of a worker until it was ready. */
  readonly bootMs: DurationSummary;
  /** From when a worker was asked to end until it was gone. */
  readonly stopMs: DurationSummary;
}

/** How runs ended. */
export interface EndedCounts {
  readonly succeeded: number;
  /** The task threw. */
  readonly failed: number;
  readonly timedOut: number;
  readonly cancelled: number;
  /** The worker died with the run on it. */
  readonly lost: number;
  /** The queue was full, no worker could be started for it, or it had killed too many of them. */
  readonly refused: number;
  /** Ended by the pool's stop. */
  readonly stopped: number;
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly state: WorkerState;
  /** How fit for work it was at the last heartbeat, `unknown` before the first. */
  readonly health: HealthClass;
  /** What was wrong then, gravest first. */
  readonly findings: readonly HealthFinding[];
  /** The run it executes, if it is one alone. */
  readonly runId: string | undefined;
  /** All that it executes. */
  readonly runIds: readonly string[];
  /** How many runs were sent ahead to it and have not begun. */
  readonly runsAhead: number;
  readonly runsDone: number;
  readonly ageMs: number;
  /** As it last said, in bytes; undefined until it did. */
  readonly rssBytes: number | undefined;
  /** How long ago it was last heard of, in milliseconds. */
  readonly silentMs: number;
}

const COUNT_OF = {
  failed: 'failed',
  'timed-out': 'timedOut',
  cancelled: 'cancelled',
  lost: 'lost',
  refused: 'refused',
  stopped: 'stopped',
} as const satisfies Record<FailureCause, keyof EndedCounts>;

/** Counts runs by how they ended. */
export interface RunCounts {
  readonly ended: EndedCounts;
  succeeded(): void;
  failed(cause: FailureCause): void;
}

export function createRunCounts(): RunCounts {
  const ended = { succeeded: 0, failed: 0, timedOut: 0, cancelled: 0, lost: 0, refused: 0, stopped: 0 };
  return {
    get ended() {
      return { ...ended };
    },
    succeeded() {
      ended.succeeded += 1;
    },
    failed(cause) {
      ended[COUNT_OF[cause]] += 1;
    },
  };
}
