import { AsyncResource } from 'node:async_hooks';
import {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkOneOf,
  checkSignal,
  checkString,
  ownOptions,
} from '@pawl/core';
import { checkPriority } from '../scheduling/priority.ts';
import { ScopedRunOptions } from './scoped-run-options.ts';
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
  /** How long the run may take, in milliseconds; `Infinity` is no limit. @default the pool's `runTimeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Whether that counts from when a worker executes it, or from when it was submitted. @default the pool's `timeoutFrom` */
  readonly timeoutFrom?: TimeoutFrom | undefined;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. @default 2 */
  readonly priority?: number | undefined;
  /** Whose run it is. Within a priority the keys take turns, so that a thousand runs of one do not hold up another's. */
  readonly key?: string | undefined;
  /** Runs of the same affinity go to the same worker as long as it lives, and wait for it. @default to any worker */
  readonly affinity?: string | undefined;
  /** How long it stays out of the queue, in milliseconds. @default 0 */
  readonly delayMs?: number | undefined;
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

/** What a run's timeout counts from. */
export type TimeoutFrom = 'start' | 'submit';

export const TIMEOUT_FROM: readonly TimeoutFrom[] = ['start', 'submit'];

const RUN_KEYS: readonly (keyof RunOptions)[] = [
  'signal',
  'timeoutMs',
  'timeoutFrom',
  'priority',
  'key',
  'affinity',
  'delayMs',
  'runId',
  'attempt',
  'trace',
  'onProgress',
  'onLog',
  'onOutput',
];

const TEXTS = ['key', 'affinity', 'runId', 'trace'] as const;
const CALLBACKS = ['onProgress', 'onLog', 'onOutput'] as const;

/**
 * A run's own options, checked. Its callbacks are called in the asynchronous context they were given in, though the
 * messages they are for are read in that of another run.
 * @throws TypeError, RangeError
 */
export function resolveRunOptions(given: RunOptions): RunOptions {
  if (given instanceof ScopedRunOptions) return given;
  const how = ownOptions(given);
  checkKnownKeys('run', how, RUN_KEYS);
  checkRunOptions(how);
  const { onProgress, onLog, onOutput } = how;
  if (onProgress === undefined && onLog === undefined && onOutput === undefined) return how;
  return Object.assign(how, {
    onProgress: onProgress && AsyncResource.bind(onProgress),
    onLog: onLog && AsyncResource.bind(onLog),
    onOutput: onOutput && AsyncResource.bind(onOutput),
  });
}

/** Looks at the values alone. @throws TypeError, RangeError */
export function checkRunOptions(how: RunOptions): void {
  const { signal, timeoutMs, timeoutFrom, priority, delayMs, attempt } = how;
  if (signal !== undefined) checkSignal('signal', signal);
  if (timeoutMs !== undefined) checkDurationMs('timeoutMs', timeoutMs, { infinite: true });
  if (timeoutFrom !== undefined) checkOneOf('timeoutFrom', timeoutFrom, TIMEOUT_FROM);
  if (priority !== undefined) checkPriority(priority);
  if (delayMs !== undefined) checkDurationMs('delayMs', delayMs);
  if (attempt !== undefined) checkInteger('attempt', attempt, { min: 1 });
  for (const name of TEXTS) if (how[name] !== undefined) checkString(name, how[name]);
  for (const name of CALLBACKS) if (how[name] !== undefined) checkFunction(name, how[name]);
}
