import { PawlError } from '@pawl/core';

/** A rate limiter refused the call; the work was not called. A retry around it waits for `retryAfterMs`. */
export class RateLimitedError extends PawlError {
  declare readonly code: 'RATE_LIMITED';
  /** When the same call would be let through if no other came before it, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number) {
    super(`${name} is used up; this call could be made in ${Math.ceil(retryAfterMs)} ms.`, {
      code: 'RATE_LIMITED',
    });
    this.retryAfterMs = retryAfterMs;
  }
}
