import { hasCode } from '@pawl/core';

/** How a run ended. `lost`: its worker died with it. */
export type OutcomeStatus = 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | 'lost';

interface OutcomeFacts {
  readonly runId: string;
  readonly task: string;
  /** How many times it was tried; 0 when the result came from the cache or the run ended before its first try. */
  readonly attempts: number;
  /** From the call to the outcome, in milliseconds: waiting, all attempts and the pauses between them. */
  readonly durationMs: number;
}

export interface Succeeded extends OutcomeFacts {
  readonly status: 'succeeded';
  readonly value: unknown;
  /** Whether the value was there already and no worker ran. */
  readonly cached: boolean;
}

export interface Unsuccessful extends OutcomeFacts {
  readonly status: Exclude<OutcomeStatus, 'succeeded'>;
  /** What ended the last attempt. */
  readonly error: unknown;
  readonly cached: false;
}

/** How a run ended and what came of it. */
export type Outcome = Succeeded | Unsuccessful;

/**
 * Says what kind of end an error is. The only place where errors become outcomes.
 * @param signal the caller's own: once it aborted, whatever came of it is a cancellation
 */
export function classifyError(error: unknown, signal: AbortSignal | undefined): Unsuccessful['status'] {
  if (signal?.aborted === true) return 'cancelled';
  if (hasCode(error, 'RUN_TIMEOUT', 'TIMEOUT', 'BUDGET_EXCEEDED')) return 'timed-out';
  if (hasCode(error, 'WORKER_CRASHED')) return 'lost';
  // A pool that stops ends its runs for no fault of theirs; CANCELLED is our own `cancel`.
  return hasCode(error, 'CANCELLED', 'POOL_STOPPED') ? 'cancelled' : 'failed';
}
