import {
  checkBoolean,
  checkDurationMs,
  checkKnownKeys,
  type Clock,
  linkAbort,
  PawlError,
  systemClock,
} from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import type { Policy } from './policy.ts';

/** What ran out of time: a call under `timeout`, one attempt of a retry, or all its attempts together. */
export type TimeoutScope = 'call' | 'attempt' | 'total';

export interface TimeoutDetails {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly scope: TimeoutScope;
  /** What the last attempt failed with, when a retry ran out of time. */
  readonly cause?: unknown;
}

/** Something took longer than it was allowed to. It is also the abort reason that the work sees. */
export class TimeoutError extends PawlError {
  declare readonly code: 'TIMEOUT';
  /** What was allowed, in milliseconds. */
  readonly timeoutMs: number;
  readonly scope: TimeoutScope;

  constructor(message: string, details: TimeoutDetails) {
    super(message, { code: 'TIMEOUT', ...('cause' in details ? { cause: details.cause } : {}) });
    this.timeoutMs = details.timeoutMs;
    this.scope = details.scope;
  }
}

export interface TimeoutOptions {
  /**
   * Whether to wait for the work to end after its signal aborted. Turn it on when two of them must never overlap and
   * the work heeds its signal; a result that still comes then counts. @default false
   */
  readonly cooperative?: boolean;
  /** @default systemClock */
  readonly clock?: Clock;
}

/**
 * Limits how long the work may take. When `timeoutMs` have passed the signal aborts and the call rejects at once,
 * also when the work does not listen; what the work does later is ignored, a late result is disposed of.
 * @param timeoutMs milliseconds ≥ 0; `Infinity` is no limit
 * @throws TimeoutError (`code: 'TIMEOUT'`) from `execute`; the caller's own abort is thrown as it is
 */
export function timeout(timeoutMs: number, options: TimeoutOptions = {}): Policy {
  checkDurationMs('timeoutMs', timeoutMs, { infinite: true });
  checkKnownKeys('timeout', options, ['cooperative', 'clock']);
  const limit: TimeLimit = {
    timeoutMs,
    clock: options.clock ?? systemClock,
    cooperative: checkBoolean('cooperative', options.cooperative ?? false),
    makeError: () => new TimeoutError(`Timed out after ${timeoutMs} ms.`, { timeoutMs, scope: 'call' }),
  };
  return { execute: async (fn, executeOptions) => runTimed(fn, CallContext.from(executeOptions), limit) };
}

export interface TimeLimit {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly cooperative?: boolean;
  readonly makeError: () => TimeoutError;
}

/** Runs `fn` under a limit, on a signal derived from the context's. `Infinity` derives none. */
export async function runTimed<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
  limit: TimeLimit,
): Promise<T> {
  if (limit.timeoutMs === Infinity) return runAbortable(fn, context);
  if (context.source?.aborted === true) throw asThrown(context.source.reason);
  const link = linkAbort(context.source);
  const timer = limit.clock.setTimer(limit.timeoutMs, () => link.abort(limit.makeError()));
  const inner = context.withSignal(link.signal);
  try {
    return await (limit.cooperative === true ? runToItsEnd(fn, inner) : runAbortable(fn, inner));
  } finally {
    timer.cancel();
    link[Symbol.dispose]();
  }
}

/** Waits for `fn` whatever its signal says, but answers a failure after the abort with the abort's reason. */
async function runToItsEnd<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
): Promise<T> {
  try {
    return await fn(context);
  } catch (error) {
    throw context.signal.aborted ? asThrown(context.signal.reason) : error;
  }
}
