import type { FailureCause } from '../events.ts';
import type { WorkerState } from './worker-state.ts';

/** Every submitted run is in exactly one of `queued`, `running` and the ended counts. */
export interface PoolStats extends EndedCounts {
  readonly submitted: number;
  readonly queued: number;
  readonly running: number;
  /** Workers that start, are ready, or busy. */
  readonly size: number;
  readonly workers: Readonly<Record<WorkerState, number>>;
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
  /** The queue was full, or no worker could be started for it. */
  readonly refused: number;
  /** Ended by the pool's stop. */
  readonly stopped: number;
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly state: WorkerState;
  readonly runId: string | undefined;
  readonly runsDone: number;
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
