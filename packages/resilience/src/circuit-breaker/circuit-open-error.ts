import { PawlError } from '@pawl/core';
import type { BreakerStateName } from '../events.ts';

/** A breaker refused the call; the work was not called. `cause` is the failure that opened it, if one did. */
export class CircuitOpenError extends PawlError {
  declare readonly code: 'CIRCUIT_OPEN';
  /** So that a retry around the breaker passes the refusal on instead of waiting. */
  readonly retryable = false;
  readonly breaker: string;
  /** `closed` when a ramp-up admits only a part of the calls. */
  readonly state: BreakerStateName;
  /**
   * When the breaker will admit a call again at the latest, as far as it can tell, in milliseconds; `Infinity` while
   * somebody isolates it without an end.
   */
  readonly retryAfterMs: number;

  constructor(details: {
    readonly breaker: string;
    readonly state: BreakerStateName;
    readonly retryAfterMs: number;
    readonly cause?: unknown;
  }) {
    super(
      `${details.breaker} is ${DESCRIPTIONS[details.state]}; a call is admitted ${when(details.retryAfterMs)}.`,
      { code: 'CIRCUIT_OPEN', ...('cause' in details ? { cause: details.cause } : {}) },
    );
    this.breaker = details.breaker;
    this.state = details.state;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const DESCRIPTIONS: Record<BreakerStateName, string> = {
  closed: 'ramping up',
  open: 'open',
  'half-open': 'half-open and its probes are out',
  isolated: 'isolated',
};

function when(retryAfterMs: number): string {
  return retryAfterMs === Infinity ? 'when it is released' : `in ${Math.ceil(retryAfterMs)} ms`;
}
