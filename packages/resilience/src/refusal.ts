import { hasCode } from '@pawl/core';
import { RateLimitedError } from './rate-limited-error.ts';

/** Whether an error is the refusal of a policy further in: nobody was called, so it says nothing about the other side. */
export function isRefusal(error: unknown): boolean {
  // The code of a rate limit alone is not enough: services answer with the same word.
  return (
    hasCode(error, 'CIRCUIT_OPEN', 'BULKHEAD_FULL', 'BULKHEAD_WAIT_TIMEOUT') ||
    error instanceof RateLimitedError
  );
}
