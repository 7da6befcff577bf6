import type { Logger, Timer } from '@pawl/core';
import { BudgetExceededError, checkExact, type InboundContext } from '@pawl/ipc';
import { type ChunkStream, createChunkStream } from './chunk-stream.ts';
import { createRunLogger } from './run-logger.ts';
import type { RunRequest } from './run-request.ts';
import { workerClock } from './worker-clock.ts';

/** What a task gets besides its input. */
export interface TaskContext {
  /**
   * Aborts when the run is cancelled or out of time, or the host is gone. A task that heeds it keeps its worker alive.
   */
  readonly signal: AbortSignal;
  readonly runId: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** When the run's time is up, on the scale of `performance.now()`; `Infinity` without a limit. */
  readonly deadline: number;
  /** A W3C `traceparent`, if the caller gave one. */
  readonly trace: string | undefined;
  /** Tells the caller how far the task is. */
  progress(progress: TaskProgress): void;
  /**
   * Sends a chunk of the run's stream. Resolves when there is room for the next: await it, and a slow reader slows the
   * task instead of filling memory. A caller that takes no stream gets none, at no cost.
   * @throws NotSerializableError, MessageTooLargeError, or the reason of `signal` when that ends the wait
   */
  emit(chunk: unknown): Promise<void>;
  /** Writes to the caller's log. */
  readonly log: Logger;
}

export interface TaskProgress {
  /** From 0 to 1. */
  readonly value?: number;
  readonly step?: number;
  readonly total?: number;
  readonly message?: string;
  readonly data?: unknown;
}

/**
 * How long after the deadline the signal aborts by itself, in milliseconds: a host that keeps time cancels at the
 * deadline, and a task that ends well when it is cancelled must not be taken for one that was in time.
 */
const HOST_FIRST_MS = 100;

/** Most tasks use little of their context: each part is made when it is asked for. */
export class RunContext implements TaskContext {
  readonly runId: string;
  readonly attempt: number;
  readonly deadline: number;
  readonly trace: string | undefined;
  readonly #request: RunRequest;
  readonly #inbound: InboundContext;
  readonly #flush: () => void;
  #signal: AbortSignal | undefined;
  #outOfTime: Timer | undefined;
  #chunks: ChunkStream | undefined;
  #log: Logger | undefined;

  /**
   * @param arrivedAt when the request came
   * @param flush sends at once: a task that says something and then blocks its thread was meant to be heard
   */
  constructor(request: RunRequest, inbound: InboundContext, arrivedAt: number, flush: () => void) {
    this.runId = request.runId;
    this.attempt = request.attempt;
    this.deadline = arrivedAt + request.budgetMs;
    this.trace = request.trace;
    this.#request = request;
    this.#inbound = inbound;
    this.#flush = flush;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const { signal } = this.#inbound;
      if (this.deadline === Infinity) this.#signal = signal;
      else {
        const late = new AbortController();
        const remainingMs = this.deadline - workerClock.now() + HOST_FIRST_MS;
        const abort = (): void => {
          this.#inbound.markOverBudget();
          late.abort(new BudgetExceededError(this.#request.budgetMs));
        };
        this.#outOfTime = workerClock.setTimer(remainingMs, abort, { keepAlive: false });
        this.#signal = AbortSignal.any([signal, late.signal]);
      }
    }
    return this.#signal;
  }

  get log(): Logger {
    this.#log ??= createRunLogger((level, message, fields) => {
      // The message is worth having without fields that JSON can't carry.
      const entry = isSendable(fields) ? { level, message, fields } : { level, message };
      this.#tell('log', entry).catch(() => undefined);
    });
    return this.#log;
  }

  // Made when asked for, so that they can be taken out of the context.

  get progress(): TaskContext['progress'] {
    return (progress) => void this.#tell('progress', { ...progress }).catch(() => undefined);
  }

  get emit(): TaskContext['emit'] {
    return (chunk) => this.chunks.emit(chunk);
  }

  /** @throws BudgetExceededError once the run's time is up */
  checkTime(now: number): void {
    if (now >= this.deadline) throw new BudgetExceededError(this.#request.budgetMs);
  }

  /** For the host's credit. */
  get chunks(): ChunkStream {
    this.#chunks ??= createChunkStream(this.#request.credit, async (seq, data) => {
      checkExact('chunk', data);
      await this.#tell('chunk', { seq, data });
    });
    return this.#chunks;
  }

  /** After this the context does nothing any more. With a reason, an `emit` that waits rejects with it. */
  end(reason?: Error): void {
    this.#outOfTime?.cancel();
    this.#chunks?.end(reason);
  }

  #tell(method: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    const sent = this.#inbound.notify(method, fields);
    this.#flush();
    return sent;
  }
}

function isSendable(fields: unknown): boolean {
  try {
    return JSON.stringify(fields) !== undefined;
  } catch {
    return false;
  }
}
