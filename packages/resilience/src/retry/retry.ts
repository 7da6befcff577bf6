import { type Emitter, type EventSource, sleep, untilAborted } from '@pawl/core';
import { asThrown, CallContext, runAbortable } from '../call-context.ts';
import { discard } from '../discard.ts';
import type { GiveUpReason, RetryEvents } from '../events.ts';
import type { Policy, Work } from '../policy.ts';
import { createPolicyEmitter } from '../telemetry.ts';
import { runTimed, type TimeLimit, TimeoutError } from '../timeout.ts';
import { attemptLoop } from './attempt-loop.ts';
import { asDelayMs } from './backoff.ts';
import { gaveUpSince, latestGiveUp, noteGiveUp } from './nested-retry.ts';
import { type ResolvedRetryOptions, resolveRetryOptions, type RetryOptions } from './retry-options.ts';
import { retryAfterOf, StopRetryError, validDelay } from './retryable.ts';

export type { RetryInfo, RetryOptions } from './retry-options.ts';

export interface RetryPolicy extends Policy, EventSource<RetryEvents> {}

/**
 * Calls the work again when it fails. When it gives up, the call rejects with the last error itself. The caller's
 * abort ends attempts and waits within a tick, with the caller's own reason.
 * @throws TimeoutError (`code: 'TIMEOUT'`) from `execute`, of scope `total` when `totalTimeoutMs` cut an attempt, of
 * scope `attempt` when the last attempt was cut
 */
export function retry(options: RetryOptions = {}): RetryPolicy {
  const resolved = resolveRetryOptions(options);
  const events = createPolicyEmitter<RetryEvents>(resolved.name, resolved.logger);
  if (resolved.onRetry !== undefined) events.on('retry:scheduled', resolved.onRetry);
  if (resolved.onGiveUp !== undefined) events.on('retry:gave-up', resolved.onGiveUp);
  return {
    on: (name, listener) => events.on(name, listener),
    onAny: (listener) => events.onAny(listener),
    execute: async (fn, executeOptions) => {
      let context = CallContext.from(executeOptions);
      context.throwIfAborted();
      context = context.countedIn(resolved.budget);
      const run = new RetryRun(fn, resolved, events);
      if (resolved.totalTimeoutMs === Infinity) return run.run(context);
      return runTimed((inner) => run.run(inner), context, {
        timeoutMs: resolved.totalTimeoutMs,
        clock: resolved.clock,
        makeError: () => run.outOfTime(),
      });
    },
  };
}

/** Takes a result that `shouldRetryResult` refused through the loop as if it had been thrown. */
class RefusedResult {
  readonly result: unknown;

  constructor(result: unknown) {
    this.result = result;
  }
}

/** One call of the policy: its attempts and the waits between them. */
class RetryRun<T> {
  readonly #fn: Work<T>;
  readonly #options: ResolvedRetryOptions;
  readonly #events: Emitter<RetryEvents>;
  readonly #startedAt: number;
  #context!: CallContext;
  /** Counts the waits that the backoff chose since the other side last chose one. */
  #step = 0;
  #previousDelayMs: number | undefined;
  #giveUpsBefore = 0;
  #lastFailure: { readonly cause?: unknown } = {};

  constructor(fn: Work<T>, options: ResolvedRetryOptions, events: Emitter<RetryEvents>) {
    this.#fn = fn;
    this.#options = options;
    this.#events = events;
    this.#startedAt = options.clock.now();
  }

  async run(context: CallContext): Promise<T> {
    this.#context = context;
    try {
      return await attemptLoop(
        (attempt) => this.#attempt(attempt),
        (thrown, attempt) => this.#again(thrown, attempt),
      );
    } catch (error) {
      if (error instanceof RefusedResult) return error.result as T;
      throw error instanceof StopRetryError ? error.cause : error;
    }
  }

  outOfTime(): TimeoutError {
    const { totalTimeoutMs: timeoutMs } = this.#options;
    return new TimeoutError(`All attempts together timed out after ${timeoutMs} ms.`, {
      timeoutMs,
      scope: 'total',
      ...this.#lastFailure,
    });
  }

  async #attempt(attempt: number): Promise<T> {
    const { attemptTimeoutMs, maxAttempts, shouldRetryResult } = this.#options;
    this.#giveUpsBefore = latestGiveUp();
    const context = this.#context.withAttempt(attempt);
    const result = await (attemptTimeoutMs === Infinity
      ? runAbortable(this.#fn, context)
      : runTimed(this.#fn, context, this.#attemptLimit(attempt)));
    if (shouldRetryResult === undefined || attempt >= maxAttempts) return result;
    if (!(await this.#refuses(shouldRetryResult, result, attempt))) return result;
    throw asThrown(new RefusedResult(result));
  }

  #attemptLimit(attempt: number): TimeLimit {
    const { attemptTimeoutMs: timeoutMs, clock } = this.#options;
    const message = `Attempt ${attempt} timed out after ${timeoutMs} ms.`;
    return { timeoutMs, clock, makeError: () => new TimeoutError(message, { timeoutMs, scope: 'attempt' }) };
  }

  async #refuses(
    shouldRetryResult: NonNullable<RetryOptions['shouldRetryResult']>,
    result: T,
    attempt: number,
  ): Promise<boolean> {
    try {
      return await this.#ask(shouldRetryResult(result, this.#info(attempt)));
    } catch (error) {
      // A predicate that throws is a bug, not a failed attempt.
      throw new StopRetryError(error);
    }
  }

  /** Decides about the next attempt and waits for its time. */
  async #again(thrown: unknown, attempt: number): Promise<boolean> {
    const { clock, keepAlive } = this.#options;
    this.#context.throwIfAborted();
    const refused = thrown instanceof RefusedResult;
    const decision = await this.#decide(thrown, attempt);
    if (!refused) this.#lastFailure = { cause: thrown };
    const event = {
      attempt,
      error: refused ? undefined : thrown instanceof StopRetryError ? thrown.cause : thrown,
      ...(refused ? { result: thrown.result } : {}),
      elapsedMs: clock.now() - this.#startedAt,
    };
    if (typeof decision === 'string') {
      if (attempt > 1 && decision !== 'not-retryable') noteGiveUp(event.error);
      this.#events.emit('retry:gave-up', { ...event, reason: decision });
      return false;
    }
    this.#previousDelayMs = decision;
    const dueAt = clock.now() + decision;
    this.#events.emit('retry:scheduled', { ...event, delayMs: decision });
    if (refused) discard(thrown.result);
    // A timer may fire a little early by this clock; a server that asked for a wait notices.
    let remainingMs = decision;
    do {
      await sleep(clock, remainingMs, { signal: this.#context.waitSignal, keepAlive });
      remainingMs = dueAt - clock.now();
    } while (remainingMs > 0);
    return true;
  }

  /** The wait before the next attempt, or why there is none. */
  async #decide(thrown: unknown, attempt: number): Promise<number | GiveUpReason> {
    const { budget, clock, maxAttempts, maxRetryAfterMs, retryNested, shouldRetry, totalTimeoutMs } =
      this.#options;
    if (thrown instanceof StopRetryError) return 'not-retryable';
    if (attempt >= maxAttempts) return 'max-attempts';
    const refused = thrown instanceof RefusedResult;
    if (!refused) {
      if (!retryNested && gaveUpSince(thrown, this.#giveUpsBefore)) return 'nested';
      if (!(await this.#ask(shouldRetry(thrown, this.#info(attempt))))) return 'not-retryable';
    }
    const asked = refused ? undefined : this.#askedDelay(thrown, attempt);
    if (asked !== undefined && asked > maxRetryAfterMs) return 'retry-after';
    const delayMs = asked === undefined ? this.#ownDelay() : asDelayMs(asked);
    if (asked !== undefined) this.#step = 0;
    if (clock.now() - this.#startedAt + delayMs >= totalTimeoutMs) return 'total-timeout';
    return budget === undefined || budget.tryRetry() ? delayMs : 'budget';
  }

  /** The wait that the failure asks for. */
  #askedDelay(error: unknown, attempt: number): number | undefined {
    return validDelay(this.#options.delayFor?.(error, this.#info(attempt))) ?? retryAfterOf(error);
  }

  #ownDelay(): number {
    const { backoff, jitter, random } = this.#options;
    this.#step += 1;
    const delayMs = asDelayMs(backoff(this.#step, { previousDelayMs: this.#previousDelayMs, random }));
    return jitter === undefined ? delayMs : asDelayMs(jitter(delayMs, random));
  }

  /** The answer of a predicate, or the caller's abort if that comes first. */
  async #ask(answer: boolean | PromiseLike<boolean>): Promise<boolean> {
    return typeof answer === 'boolean' ? answer : untilAborted(answer, this.#context.waitSignal);
  }

  #info(attempt: number): { readonly attempt: number; readonly elapsedMs: number } {
    return { attempt, elapsedMs: this.#options.clock.now() - this.#startedAt };
  }
}
