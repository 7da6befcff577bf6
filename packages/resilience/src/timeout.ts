import {
  checkBoolean,
  checkDurationMs,
  checkKnownKeys,
  checkString,
  type Clock,
  type EventSource,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import { CancelScope } from './cancel-scope.ts';
import type { TimeoutEvents } from './events.ts';
import type { Policy } from './policy.ts';
import { createPolicyEmitter } from './telemetry.ts';

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
  /** Names it in telemetry. @default 'timeout' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface TimeoutPolicy extends Policy, EventSource<TimeoutEvents> {}

/**
 * Limits how long the work may take. When `timeoutMs` have passed the signal aborts and the call rejects at once,
 * also when the work does not listen; what the work does later is ignored, a late result is disposed of.
 * @param timeoutMs milliseconds ≥ 0; `Infinity` is no limit
 * @throws TimeoutError (`code: 'TIMEOUT'`) from `execute`; the caller's own abort is thrown as it is
 */
export function timeout(timeoutMs: number, options: TimeoutOptions = {}): TimeoutPolicy {
  checkDurationMs('timeoutMs', timeoutMs, { infinite: true });
  checkKnownKeys('timeout', options, ['cooperative', 'name', 'clock', 'logger']);
  const name = checkString('name', options.name ?? 'timeout');
  const events = createPolicyEmitter<TimeoutEvents>(name, options.logger ?? silentLogger);
  const limit: TimeLimit = {
    timeoutMs,
    clock: options.clock ?? systemClock,
    cooperative: checkBoolean('cooperative', options.cooperative ?? false),
    makeError: () => new TimeoutError(`Timed out after ${timeoutMs} ms.`, { timeoutMs, scope: 'call' }),
    onElapsed: () => events.emit('timeout:elapsed', { timeoutMs }),
  };
  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    execute: async (fn, executeOptions) => {
      const context = CallContext.from(executeOptions);
      return timeoutMs === Infinity ? runAbortable(fn, context) : runTimed(fn, context, limit);
    },
  };
}

export interface TimeLimit {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly cooperative?: boolean;
  readonly makeError: () => TimeoutError;
  readonly onElapsed?: () => void;
}

/** Runs `fn` under a limit, in a scope of its own. */
export async function runTimed<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
  limit: TimeLimit,
): Promise<T> {
  context.throwIfAborted();
  const scope = new CancelScope(context.scope);
  const timer = limit.clock.setTimer(limit.timeoutMs, () => {
    scope.abort(limit.makeError());
    limit.onElapsed?.();
  });
  const inner = context.withScope(scope);
  try {
    return await (limit.cooperative === true ? runToItsEnd(fn, inner, scope) : runAbortable(fn, inner));
  } finally {
    timer.cancel();
    scope[Symbol.dispose]();
  }
}

/** Waits for `fn` whatever its signal says, but answers a failure after the abort with the abort's reason. */
async function runToItsEnd<T>(
  fn: (context: CallContext) => T | PromiseLike<T>,
  context: CallContext,
  scope: CancelScope,
): Promise<T> {
  try {
    return await fn(context);
  } catch (error) {
    throw scope.aborted ? asThrown(scope.reason) : error;
  }
}
