import { AsyncResource } from 'node:async_hooks';
import type { CancelScope } from '@pawl/resilience';
import type { RunOptions } from '../process/run-options.ts';
import { ScopedRunOptions } from '../process/scoped-run-options.ts';
import type { Execution } from './execution.ts';

/** One attempt of a run, as a function in place of pools gets it. */
export interface AttemptContext extends RunOptions {
  readonly signal: AbortSignal;
  readonly runId: string;
  /** From 1. */
  readonly attempt: number;
}

/** How an attempt of a run is to be executed. */
export interface AttemptRequest {
  readonly attempt: number;
  /** What can end it. */
  readonly scope: CancelScope;
  /** How long it may take once it has a worker, in milliseconds; undefined leaves that to the pool. */
  readonly timeoutMs: number | undefined;
}

/** What a pool executes an attempt with. Nothing of the run is told once it has its outcome. */
export function attemptOptions(execution: Execution, request: AttemptRequest): ScopedRunOptions {
  const { runId, trace, options } = execution;
  const { priority, key, affinity } = options;
  const { attempt, scope, timeoutMs } = request;
  const onProgress = told(execution, options.onProgress);
  const onLog = told(execution, options.onLog);
  const onOutput = told(execution, options.onOutput);
  return new ScopedRunOptions(
    { runId, attempt, timeoutMs, priority, key, affinity, trace, onProgress, onLog, onOutput },
    scope,
  );
}

/** A callback in the asynchronous context of its caller, until the run has ended. */
function told<Args extends readonly unknown[]>(
  execution: Execution,
  callback: ((...args: Args) => void) | undefined,
): ((...args: Args) => void) | undefined {
  if (callback === undefined) return undefined;
  return AsyncResource.bind((...args: Args): void => {
    if (!execution.hasEnded) callback(...args);
  });
}
