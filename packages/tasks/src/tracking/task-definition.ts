import { checkDurationMs, checkFunction, checkInteger, checkKnownKeys } from '@pawl/core';
import { type Backoff, exponentialBackoff, isRetryable, resolveJitter } from '@pawl/resilience';
import type { Jitter, JitterOption } from '@pawl/resilience';
import type { ProcessConfig, ProcessHandle } from '@pawl/runtime';
import type { Run } from './run.ts';

/** What an attempt is given to work with. */
export interface RunContext {
  /** Aborts when the attempt must end: cancelled, timed out, or the tracker stops. Its reason is an error with a code. */
  readonly signal: AbortSignal;
  /** The run as it was when the attempt began. */
  readonly run: Run;
  readonly runId: string;
  /** From 1. */
  readonly attempt: number;
  /** Rises with each attempt of the run. Hand it to whatever must refuse a late writer. */
  readonly fence: number;
  /** Says that the attempt is alive, and how far it is: any JSON, stored with the next heartbeat. */
  heartbeat(progress?: unknown): void;
  /**
   * Starts a process that belongs to the attempt: it is ended with its group when the signal aborts, and by the next
   * host if this one is killed.
   * @throws ProcessStartError; the signal's reason
   */
  spawn(config: ProcessConfig): Promise<ProcessHandle>;
}

/** The code of a task. What it returns is the run's result, any JSON. */
export type TaskFunction = (input: never, context: RunContext) => unknown;

/** Does the work of a run, whatever its task. */
export type RunExecutor = (run: Run, context: RunContext) => unknown;

/** When a failed attempt is followed by another. */
export interface RunRetryOptions {
  /** Attempts that may fail or time out; `1` never retries. @default 1 */
  readonly maxAttempts?: number;
  /** Attempts that may be lost with their host before the run is `lost` for good; `1` never retries. @default 3 */
  readonly maxLosses?: number;
  /** The waits between attempts. @default exponentialBackoff() */
  readonly backoff?: Backoff;
  /** Spreads the waits. @default true, which is ±20 %; false for a backoff that is random itself */
  readonly jitter?: JitterOption;
  /** Whether an error deserves another attempt. @default isRetryable */
  readonly shouldRetry?: (error: unknown) => boolean;
}

export interface TaskOptions {
  /** How long one attempt may take, in milliseconds. @default Infinity */
  readonly timeoutMs?: number;
  /** An attempt that does not call `context.heartbeat` for so long is lost. @default Infinity */
  readonly heartbeatTimeoutMs?: number;
  readonly retry?: RunRetryOptions;
}

/** A task together with how it is to be run. */
export interface TaskDefinition extends TaskOptions {
  readonly run: TaskFunction;
}

/** A checked definition. */
export interface ResolvedTask {
  readonly execute: RunExecutor;
  readonly timeoutMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly maxAttempts: number;
  readonly maxLosses: number;
  readonly backoff: Backoff;
  readonly jitter: Jitter | undefined;
  readonly shouldRetry: (error: unknown) => boolean;
}

const TASK_KEYS = ['timeoutMs', 'heartbeatTimeoutMs', 'retry'] as const;
const RETRY_KEYS: readonly (keyof RunRetryOptions)[] = [
  'maxAttempts',
  'maxLosses',
  'backoff',
  'jitter',
  'shouldRetry',
];

/** @throws TypeError, RangeError */
export function resolveTask(
  name: string,
  task: TaskFunction | TaskDefinition,
  defaults: TaskOptions,
): ResolvedTask {
  const definition: TaskDefinition = typeof task === 'function' ? { run: task } : task;
  checkKnownKeys(`task ${name}`, definition, ['run', ...TASK_KEYS]);
  const run = checkFunction(`tasks.${name}.run`, definition.run) as (
    input: unknown,
    context: RunContext,
  ) => unknown;
  return resolveTaskOptions((record, context) => run(record.input, context), {
    ...defaults,
    ...definition,
    retry: { ...defaults.retry, ...definition.retry },
  });
}

/** @throws TypeError, RangeError */
export function resolveTaskOptions(execute: RunExecutor, options: TaskOptions): ResolvedTask {
  const { retry = {} } = options;
  checkKnownKeys('retry', retry, RETRY_KEYS);
  const backoff = checkFunction('backoff', retry.backoff ?? exponentialBackoff());
  return {
    execute,
    timeoutMs: checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true }),
    heartbeatTimeoutMs: checkDurationMs('heartbeatTimeoutMs', options.heartbeatTimeoutMs ?? Infinity, {
      infinite: true,
    }),
    maxAttempts: checkInteger('maxAttempts', retry.maxAttempts ?? 1, { min: 1, infinite: true }),
    maxLosses: checkInteger('maxLosses', retry.maxLosses ?? 3, { min: 1, infinite: true }),
    backoff,
    jitter: resolveJitter(retry.jitter ?? backoff.jittered !== true),
    shouldRetry: checkFunction('shouldRetry', retry.shouldRetry ?? isRetryable),
  };
}
