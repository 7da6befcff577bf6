import type { HealthClass, HealthFinding } from './process/health.ts';
import type { OutputStream } from './process/worker-process.ts';

/** Why a worker was replaced or let go. */
export type WorkerStopReason =
  | 'runs'
  | 'age'
  | 'memory'
  | 'unresponsive'
  | 'busy'
  | 'idle'
  | 'scaled-down'
  | 'asked'
  | 'drained'
  | 'cancelled-run'
  | 'pool-stopped';

/** What a pool tells about its workers and runs. Durations are milliseconds on the pool's clock. */
export interface PoolEvents {
  /** A worker introduced itself and takes runs. */
  'worker:ready': { readonly workerId: string; readonly pid: number | undefined; readonly bootMs: number };
  /** A worker did not become ready. */
  'worker:start-failed': { readonly workerId: string; readonly error: Error };
  /** A worker ended and nobody had asked it to. */
  'worker:crashed': {
    readonly workerId: string;
    readonly pid: number | undefined;
    readonly exitCode: number | null;
    readonly signal: NodeJS.Signals | null;
    /** The run it took with it. */
    readonly runId?: string;
  };
  /** A worker ended as asked. */
  'worker:stopped': {
    readonly workerId: string;
    readonly pid: number | undefined;
    readonly exitCode: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly reason: WorkerStopReason;
  };
  /** A worker is fitter for work than before, or less so. */
  'worker:health': {
    readonly workerId: string;
    readonly pid: number | undefined;
    readonly before: HealthClass;
    readonly class: HealthClass;
    /** What is wrong, gravest first. */
    readonly findings: readonly HealthFinding[];
  };
  /** A line a worker printed, with the run it was busy with. */
  'worker:output': {
    readonly workerId: string;
    readonly stream: OutputStream;
    readonly line: string;
    readonly runId?: string;
  };
  /** A line on a worker's channel that is no message: its first 200 bytes, escaped. */
  'worker:stray-output': {
    readonly workerId: string;
    readonly preview: string;
    readonly sizeBytes: number;
    readonly runId?: string;
  };
  /** A worker executes a run. */
  'run:started': {
    readonly runId: string;
    readonly task: string;
    readonly attempt: number;
    readonly workerId: string;
    readonly queuedMs: number;
  };
  'run:succeeded': { readonly runId: string; readonly task: string; readonly durationMs: number };
  /** A run ended without a result, before or after it had a worker. */
  'run:failed': {
    readonly runId: string;
    readonly task: string;
    readonly cause: FailureCause;
    readonly error: unknown;
    readonly durationMs: number;
  };
  /** The worker of a run whose caller had been answered before is done with it, or gone. */
  'run:released': { readonly runId: string; readonly task: string; readonly workerId: string };
  /** Workers keep failing: no more are started for `retryAfterMs`, and runs are refused meanwhile. */
  'pool:crash-loop': { readonly failures: number; readonly retryAfterMs: number; readonly error: Error };
  /** The last waiting run was handed out. */
  'queue:drained': { readonly runsDone: number };
  /** The queue had been full, and at most half as many wait now as may. */
  'queue:drain': { readonly queued: number };
}

/** What ended a run that has no result. `lost`: its worker died. `refused`: the queue was full, no worker could be started, or too many had died of it. */
export type FailureCause = 'failed' | 'timed-out' | 'cancelled' | 'lost' | 'refused' | 'stopped';
