import type { Clock } from '@pawl/core';
import type { Execution } from './execution.ts';
import type { ExecutorEmitter } from './executor-events.ts';

/** One attempt, as events tell of it. Ends once, whoever is first to say so. */
export class AttemptSpan {
  /** The attempt before it. */
  readonly previous: AttemptSpan | undefined;
  readonly #execution: Execution;
  readonly #attempt: number;
  readonly #emitter: ExecutorEmitter;
  readonly #clock: Clock;
  readonly #startedAt: number;
  #hasEnded = false;

  constructor(
    execution: Execution,
    attempt: number,
    { emitter, clock }: { readonly emitter: ExecutorEmitter; readonly clock: Clock },
  ) {
    this.#execution = execution;
    this.#attempt = attempt;
    this.#emitter = emitter;
    this.#clock = clock;
    this.#startedAt = clock.now();
    execution.attempts += 1;
    this.previous = execution.lastSpan;
    execution.lastSpan = this;
    const { runId, task } = execution;
    emitter.emit('attempt:started', { runId, task, attempt });
  }

  succeed(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { runId, task } = this.#execution;
    const durationMs = this.#clock.now() - this.#startedAt;
    this.#emitter.emit('attempt:succeeded', { runId, task, attempt: this.#attempt, durationMs });
  }

  fail(error: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const { runId, task } = this.#execution;
    const durationMs = this.#clock.now() - this.#startedAt;
    this.#emitter.emit('attempt:failed', { runId, task, attempt: this.#attempt, durationMs, error });
  }
}
