import { checkBoolean, checkDurationMs, checkKnownKeys } from '@pawl/core';
import type { OutputStream } from '../process/worker-process.ts';
import { checkRunOptions, type Progress, type RunLogEntry, type RunOptions } from '../process/pool-run.ts';

/** How one run is to be executed. */
export interface ExecutionOptions {
  /** Cancels the run: its outcome is `cancelled` at once. */
  readonly signal?: AbortSignal | undefined;
  /** How long everything may take, waiting and retries included, in milliseconds. @default the executor's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** How long one attempt may take once it has a worker, in milliseconds. @default the pool's `runTimeoutMs` */
  readonly attemptTimeoutMs?: number | undefined;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. @default 2 */
  readonly priority?: number | undefined;
  /** Names the run. @default a random UUID */
  readonly runId?: string | undefined;
  /** A W3C `traceparent`. */
  readonly trace?: string | undefined;
  /** Whether the same input always gives the same result, so that a stored one may serve. @default false */
  readonly deterministic?: boolean | undefined;
  /** Runs even if a result is stored; the new one replaces it. @default false */
  readonly force?: boolean | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLog?: ((entry: RunLogEntry) => void) | undefined;
  readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
}

const KEYS: readonly (keyof ExecutionOptions)[] = [
  'signal',
  'timeoutMs',
  'attemptTimeoutMs',
  'priority',
  'runId',
  'trace',
  'deterministic',
  'force',
  'onProgress',
  'onLog',
  'onOutput',
];

/** @throws TypeError, RangeError */
export function checkExecutionOptions(options: ExecutionOptions): void {
  checkKnownKeys('execute', options, KEYS);
  const { timeoutMs, attemptTimeoutMs, deterministic, force, ...forPool } = options;
  const durations = { timeoutMs, attemptTimeoutMs };
  for (const [name, value] of Object.entries(durations)) {
    if (value !== undefined) checkDurationMs(name, value, { infinite: true });
  }
  if (deterministic !== undefined) checkBoolean('deterministic', deterministic);
  if (force !== undefined) checkBoolean('force', force);
  checkRunOptions(forPool);
}

/** One attempt of a run, as whatever executes it gets it. A pool takes it as it is. */
export interface AttemptContext extends RunOptions {
  readonly signal: AbortSignal;
  readonly runId: string;
  /** From 1. */
  readonly attempt: number;
}

/** What an attempt of a run is executed with. */
export function attemptContext(
  runId: string,
  attempt: number,
  signal: AbortSignal,
  options: ExecutionOptions,
): AttemptContext {
  const { attemptTimeoutMs, priority, trace, onProgress, onLog, onOutput } = options;
  return {
    runId,
    attempt,
    signal,
    timeoutMs: attemptTimeoutMs,
    priority,
    trace,
    onProgress,
    onLog,
    onOutput,
  };
}
