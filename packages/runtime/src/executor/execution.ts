import { AsyncResource } from 'node:async_hooks';
import { CancelScope, TimeoutError } from '@pawl/resilience';
import type { Deadline } from '../scheduling/deadlines.ts';
import type { AttemptSpan } from './attempt-span.ts';
import type { ExecutionOptions } from './execution-options.ts';
import { causeOf, type ExecutionStage, type Outcome, statusOf } from './outcome.ts';
import type { WorkerOccupation } from './worker-occupation.ts';

export interface ExecutionRequest {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: ExecutionOptions;
  /** How long it may take in all, in milliseconds. */
  readonly timeoutMs: number;
  readonly trace: string | undefined;
  /** On the executor's clock. */
  readonly startedAt: number;
  /** Whether events of it that come from elsewhere are told in the caller's asynchronous context. */
  readonly keepsContext: boolean;
}

/** A run on its way, and how far it is. */
export class Execution implements Deadline {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: ExecutionOptions;
  readonly trace: string | undefined;
  readonly timeoutMs: number;
  readonly startedAt: number;
  /** Ends it, whatever stage it is in; follows the caller's signal. */
  readonly scope: CancelScope;
  stage: ExecutionStage = 'queue';
  attempts = 0;
  hasEnded = false;
  /** Where the value came from. */
  source: 'run' | 'cache' | 'shared' = 'run';
  /** What it was admitted for, until nobody needs it any more. */
  occupation: WorkerOccupation | undefined = undefined;
  /** How the last attempt failed, and where. */
  lastFailure: { readonly error: unknown; readonly stage: ExecutionStage } | undefined = undefined;
  /** Its last attempt, and by that the ones before. */
  lastSpan: AttemptSpan | undefined = undefined;
  /** When its time is up, on the executor's clock. */
  readonly dueAt: number;
  heapIndex = -1;
  #isOverdue = false;
  readonly #context: AsyncResource | undefined;

  constructor(request: ExecutionRequest) {
    const { signal } = request.options;
    this.runId = request.runId;
    this.task = request.task;
    this.input = request.input;
    this.options = request.options;
    this.trace = request.trace;
    this.timeoutMs = request.timeoutMs;
    this.startedAt = request.startedAt;
    this.dueAt = request.startedAt + request.timeoutMs;
    this.scope = new CancelScope(signal && new CancelScope(signal));
    this.#context = request.keepsContext ? new AsyncResource('pawl:execution') : undefined;
  }

  /** Calls `fn` in the asynchronous context in which the run was asked for. */
  inContext(fn: () => void): void {
    if (this.#context === undefined) fn();
    else this.#context.runInAsyncScope(fn);
  }

  /** Its time is up. */
  expire(): void {
    if (this.scope.aborted) return;
    const { timeoutMs } = this;
    this.#isOverdue = true;
    this.scope.abort(new TimeoutError(`Timed out after ${timeoutMs} ms.`, { timeoutMs, scope: 'call' }));
  }

  /** An attempt failed, and there may be another. */
  pause(error: unknown): void {
    if (this.scope.aborted) return;
    this.lastFailure = { error, stage: this.stage };
    this.stage = 'retry';
  }

  /** Milliseconds that are left of the run's time. */
  remainingMs(now: number): number {
    return Math.max(0, this.dueAt - now);
  }

  succeeded(value: unknown, now: number): Outcome {
    const { runId, task, source, attempts, trace } = this;
    this.#end();
    return {
      status: 'succeeded',
      value,
      cached: source === 'cache',
      shared: source === 'shared',
      runId,
      task,
      attempts,
      durationMs: now - this.startedAt,
      trace,
    };
  }

  failed(error: unknown, now: number): Outcome {
    const cause = causeOf(error, this.#isOverdue ? { isOverdue: true } : { signal: this.scope });
    const { runId, task, lastFailure, attempts, trace } = this;
    const isOfAttempt = lastFailure !== undefined && lastFailure.error === error;
    this.#end(error);
    return {
      status: statusOf(cause),
      cause,
      stage: isOfAttempt ? lastFailure.stage : this.stage,
      error,
      lastError: isOfAttempt ? undefined : lastFailure?.error,
      cached: false,
      shared: false,
      runId,
      task,
      attempts,
      durationMs: now - this.startedAt,
      trace,
    };
  }

  /** Attempts that were cut end with the run. */
  #end(error?: unknown): void {
    this.scope[Symbol.dispose]();
    for (let span = this.lastSpan; span !== undefined; span = span.previous) span.fail(error);
    this.hasEnded = true;
  }
}
