import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkString,
  type Clock,
  expectedMessage,
  systemClock,
} from '@pawl/core';
import { TimeWindow } from '../circuit-breaker/failure-window.ts';
import type { PolicySnapshot } from '../snapshot.ts';

export interface RetryBudgetOptions {
  /** Retries allowed per call, ≥ 0: 0.2 adds at most a fifth to the load. @default 0.2 */
  readonly ratio?: number;
  /** Retries allowed in a window however few calls there were, so that quiet callers may retry. @default 3 */
  readonly minRetries?: number;
  /** How long a call and a retry count, in milliseconds. @default 10_000 */
  readonly windowMs?: number;
  /** Names it in its snapshot. @default 'retry budget' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
}

export interface RetryBudgetStats {
  /** Calls in the window. */
  readonly calls: number;
  /** Retries in the window. */
  readonly retries: number;
  /** Retries refused since the budget was made. */
  readonly refused: number;
}

/** Limits the retries and hedges of everything that shares it. */
export interface RetryBudget {
  /** Notes a call, its retries not counted. */
  recordCall(): void;
  /** Takes one retry, or hedge, out of the budget. @returns whether there was one left */
  tryRetry(): boolean;
  stats(): RetryBudgetStats;
  /** `stats()` with the name, for a list of them. */
  snapshot(): PolicySnapshot<'retry-budget', RetryBudgetStats>;
}

/**
 * A budget to be shared by the retries of one destination, so that an outage is not answered by a storm: within
 * `windowMs` at most `minRetries + ratio × calls` retries begin, over all callers together. The form is that of
 * Finagle's `RetryBudget`.
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  checkKnownKeys('retryBudget', options, ['ratio', 'minRetries', 'windowMs', 'name', 'clock']);
  const ratio = checkNumber('ratio', options.ratio ?? 0.2, { min: 0 });
  const minRetries = checkInteger('minRetries', options.minRetries ?? 3, { min: 0 });
  const clock = options.clock ?? systemClock;
  // Retries stand where a breaker counts failures.
  const window = new TimeWindow(checkDurationMs('windowMs', options.windowMs ?? 10_000, { min: 1 }));
  const name = checkString('name', options.name ?? 'retry budget');
  let refused = 0;
  const stats = (): RetryBudgetStats => {
    window.advance(clock.now());
    return { calls: window.calls, retries: window.failures, refused };
  };
  return {
    recordCall: () => window.add(clock.now(), 1, 0),
    tryRetry() {
      const now = clock.now();
      window.advance(now);
      if (window.failures + 1 > minRetries + ratio * window.calls) {
        refused += 1;
        return false;
      }
      window.add(now, 0, 1);
      return true;
    },
    stats,
    snapshot: () => ({ kind: 'retry-budget', name, ...stats() }),
  };
}

/** @throws TypeError when it is none */
export function checkBudget(budget: unknown): void {
  const { recordCall, tryRetry } = (budget ?? {}) as Partial<RetryBudget>;
  if (typeof recordCall !== 'function' || typeof tryRetry !== 'function')
    throw new TypeError(expectedMessage('budget', 'a retry budget', budget));
}
