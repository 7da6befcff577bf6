import { AsyncResource } from 'node:async_hooks';
import { type LinkedAbort, linkAbort } from '@pawl/core';
import type { PolicyContext } from '@pawl/resilience';
import type { ExecutionOptions } from './execution-options.ts';
import { causeOf, type ExecutionStage, type Outcome, statusOf } from './outcome.ts';

/** One attempt under way. Ends once, whoever is first to say so. */
export interface AttemptSpan {
  succeed(): void;
  fail(error: unknown): void;
}

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
  /** Whether it can be cut from outside. */
  readonly isCancellable: boolean;
  /** Whether events of it that come from elsewhere are told in the caller's asynchronous context. */
  readonly keepsContext: boolean;
}

/** A run on its way, and how far it is. */
export class Execution {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: ExecutionOptions;
  readonly trace: string | undefined;
  readonly timeoutMs: number;
  readonly startedAt: number;
  /** Follows the caller's signal. Absent for a run that nobody can name: a signal costs more than all else here. */
  readonly link: LinkedAbort | undefined;
  stage: ExecutionStage = 'queue';
  attempts = 0;
  hasEnded = false;
  /** Where the value came from. */
  source: 'run' | 'cache' | 'shared' = 'run';
  /** The context that the deadline made. */
  deadline: PolicyContext | undefined = undefined;
  /** The attempts that hold what was admitted, each until its worker is done with it. */
  held: Promise<unknown>[] | undefined = undefined;
  /** How the last attempt failed, and where. */
  lastFailure: { readonly error: unknown; readonly stage: ExecutionStage } | undefined = undefined;
  readonly spans: Set<AttemptSpan> = new Set();
  readonly #context: AsyncResource | undefined;

  constructor(request: ExecutionRequest) {
    this.runId = request.runId;
    this.task = request.task;
    this.input = request.input;
    this.options = request.options;
    this.trace = request.trace;
    this.timeoutMs = request.timeoutMs;
    this.startedAt = request.startedAt;
    this.link = request.isCancellable ? linkAbort(request.options.signal) : undefined;
    this.#context = request.keepsContext ? new AsyncResource('pawl:execution') : undefined;
  }

  /** Calls `fn` in the asynchronous context in which the run was asked for. */
  inContext(fn: () => void): void {
    if (this.#context === undefined) fn();
    else this.#context.runInAsyncScope(fn);
  }

  /** Whether it was cancelled, or its time is up. */
  get isCut(): boolean {
    return this.link?.signal.aborted === true || this.#isOverdue;
  }

  get #isOverdue(): boolean {
    return this.timeoutMs !== Infinity && this.deadline?.signal.aborted === true;
  }

  /** An attempt failed, and there may be another. */
  pause(error: unknown): void {
    if (this.isCut) return;
    this.lastFailure = { error, stage: this.stage };
    this.stage = 'retry';
  }

  /** Milliseconds that are left of the run's time. */
  remainingMs(now: number): number {
    return Math.max(0, this.startedAt + this.timeoutMs - now);
  }

  succeeded(value: unknown, now: number): Outcome {
    const { source } = this;
    this.#end();
    return {
      status: 'succeeded',
      value,
      cached: source === 'cache',
      shared: source === 'shared',
      ...this.#facts(now),
    };
  }

  failed(error: unknown, now: number): Outcome {
    const signal = this.link?.signal ?? this.options.signal;
    const cause = causeOf(error, { signal, isOverdue: this.#isOverdue });
    const { lastFailure } = this;
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
      ...this.#facts(now),
    };
  }

  /** Attempts that were cut end with the run. */
  #end(error?: unknown): void {
    this.link?.[Symbol.dispose]();
    for (const span of this.spans) span.fail(error);
    this.hasEnded = true;
  }

  #facts(now: number): Pick<Outcome, 'runId' | 'task' | 'attempts' | 'durationMs' | 'trace'> {
    const { runId, task, attempts, trace } = this;
    return { runId, task, attempts, durationMs: now - this.startedAt, trace };
  }
}
