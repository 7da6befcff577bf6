import { checkDurationMs, checkInteger } from '@pawl/core';
import { exponentialBackoff, linearBackoff } from './backoff.ts';
import type { RetryOptions } from './retry.ts';

/**
 * Options for common cases: `retry(retryPresets.conservative)`, or spread with changes,
 * `retry({ ...retryPresets.aggressive, maxAttempts: 4 })`.
 */
export const retryPresets: {
  /** For an expensive or overloaded other side: 5 attempts, 500 ms growing by 1.5 up to 60 s, ±20 %. */
  readonly conservative: RetryOptions;
  /** For short hiccups nearby: 10 attempts, 50 ms growing by 1.2 up to 5 s, ±20 %. */
  readonly aggressive: RetryOptions;
  /** `maxAttempts` attempts, `delayMs` longer each time, without jitter. */
  readonly linear: (maxAttempts: number, delayMs: number) => RetryOptions;
} = Object.freeze({
  conservative: Object.freeze({
    maxAttempts: 5,
    backoff: exponentialBackoff({ initialMs: 500, maxMs: 60_000, multiplier: 1.5 }),
  }),
  aggressive: Object.freeze({
    maxAttempts: 10,
    backoff: exponentialBackoff({ initialMs: 50, maxMs: 5_000, multiplier: 1.2 }),
  }),
  linear: (maxAttempts: number, delayMs: number): RetryOptions => {
    checkInteger('maxAttempts', maxAttempts, { min: 1 });
    checkDurationMs('delayMs', delayMs);
    const backoff = linearBackoff({ initialMs: delayMs, maxMs: delayMs * maxAttempts });
    return { maxAttempts, backoff, jitter: false };
  },
});
