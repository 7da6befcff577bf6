import type { BreakerStateName } from '../events.ts';

/** The right to make one call. One object serves all calls of a closed era; each probe has its own. */
export interface Permit {
  readonly era: number;
  /** When a probe loses its permit, on the breaker's clock; undefined for an ordinary call. */
  readonly deadline?: number;
}

/** What a call said about the other side. */
export type CallOutcome = 'success' | 'failure' | 'ignored' | 'cancelled';

export interface Refusal {
  readonly state: BreakerStateName;
  readonly retryAfterMs: number;
}

/** How many calls ended in which way since the breaker was made. */
export interface BreakerTotals {
  readonly successes: number;
  readonly failures: number;
  /** Outcomes that say nothing about the other side. */
  readonly ignored: number;
  /** Calls that the caller cancelled. */
  readonly cancelled: number;
  /** Calls that were refused. */
  readonly rejected: number;
  /** Outcomes that came after the state had changed, and so changed nothing. */
  readonly late: number;
  /** Probes that lost their permit because they did not end. */
  readonly expired: number;
  /** Times it opened. */
  readonly opened: number;
}
