import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkSignal,
  checkString,
  type Clock,
  onAbort,
  type Timer,
} from '@pawl/core';
import type { FailureCause } from '../events.ts';
import { checkPriority } from '../scheduling/priority.ts';
import type { QueueEntry } from '../scheduling/run-queue.ts';
import type { OutputStream } from './worker-process.ts';

/** A report of how far a task is, as it sent it. */
export interface Progress {
  /** From 0 to 1. */
  readonly value?: number;
  readonly step?: number;
  readonly total?: number;
  readonly message?: string;
  readonly data?: unknown;
}

/** A log entry that a task sent. */
export interface RunLogEntry {
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface RunOptions {
  /** Cancels the run: the promise rejects at once with the signal's reason, the task is asked to stop, then made to. */
  readonly signal?: AbortSignal | undefined;
  /** How long the run may take once it has a worker, in milliseconds. @default the pool's `runTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. @default 2 */
  readonly priority?: number | undefined;
  /** Names the run in events, errors and the task's context. @default made by the pool */
  readonly runId?: string | undefined;
  /** Which try this is, from 1, for the task's context. @default 1 */
  readonly attempt?: number | undefined;
  /** A W3C `traceparent` for the task's context. */
  readonly trace?: string | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLog?: ((entry: RunLogEntry) => void) | undefined;
  /** Gets what the worker prints during the run, in pieces as they come, all of it before the result. */
  readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
}

const RUN_KEYS: readonly (keyof RunOptions)[] = [
  'signal',
  'timeoutMs',
  'priority',
  'runId',
  'attempt',
  'trace',
  'onProgress',
  'onLog',
  'onOutput',
];

/** @throws TypeError, RangeError */
export function checkRunOptions(how: RunOptions): void {
  checkKnownKeys('run', how, RUN_KEYS);
  const { signal, timeoutMs, priority, runId, attempt, trace } = how;
  if (signal !== undefined) checkSignal('signal', signal);
  if (timeoutMs !== undefined) checkDurationMs('timeoutMs', timeoutMs, { infinite: true });
  if (priority !== undefined) checkPriority(priority);
  if (runId !== undefined) checkString('runId', runId);
  if (attempt !== undefined) checkInteger('attempt', attempt, { min: 1 });
  if (trace !== undefined) checkString('trace', trace);
  for (const name of ['onProgress', 'onLog', 'onOutput'] as const) {
    if (how[name] !== undefined) checkFunction(name, how[name]);
  }
}

/** One run on its way through the pool. Settles exactly once. */
export interface PoolRun {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly attempt: number;
  readonly options: RunOptions;
  readonly timeoutMs: number;
  readonly promise: Promise<unknown>;
  /** Where it waits. */
  queued: QueueEntry<PoolRun> | undefined;
  readonly settled: boolean;
  /** How long since it was submitted, in milliseconds. */
  elapsedMs(): number;
  /** Starts the clock of the run itself; `onTimeout` is called unless it is answered or settles first. */
  begin(onTimeout: () => void): void;
  /** Its answer is here, so neither a timeout nor the end of its worker matters any more. */
  answer(): void;
  readonly isAnswered: boolean;
  succeed(value: unknown): void;
  fail(cause: FailureCause, error: unknown): void;
}

export interface PoolRunOptions {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: RunOptions;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** The caller's signal aborted before the run settled. */
  readonly onCancel: (run: PoolRun, reason: unknown) => void;
  readonly onSucceeded: (run: PoolRun) => void;
  readonly onFailed: (run: PoolRun, cause: FailureCause, error: unknown) => void;
}

export function createPoolRun(how: PoolRunOptions): PoolRun {
  const { clock, options } = how;
  const submittedAt = clock.now();
  let settled = false;
  let answered = false;
  let timer: Timer | undefined;
  let stopListening: (() => void) | undefined;
  let resolve!: (value: unknown) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<unknown>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });

  function settle(): boolean {
    if (settled) return false;
    settled = true;
    timer?.cancel();
    stopListening?.();
    return true;
  }

  const run: PoolRun = {
    runId: how.runId,
    task: how.task,
    input: how.input,
    attempt: options.attempt ?? 1,
    options,
    timeoutMs: how.timeoutMs,
    promise,
    queued: undefined,
    get settled() {
      return settled;
    },
    elapsedMs: () => clock.now() - submittedAt,
    begin(onTimeout) {
      if (!settled) timer = clock.setTimer(how.timeoutMs, onTimeout);
    },
    answer() {
      answered = true;
      timer?.cancel();
    },
    get isAnswered() {
      return answered;
    },
    succeed(value) {
      if (!settle()) return;
      resolve(value);
      how.onSucceeded(run);
    },
    fail(cause, error) {
      if (!settle()) return;
      reject(error);
      how.onFailed(run, cause, error);
    },
  };
  if (options.signal !== undefined) {
    stopListening = onAbort(options.signal, (reason) => {
      if (!settled) how.onCancel(run, reason);
    });
  }
  return run;
}
