import {
  checkDurationMs,
  checkKnownKeys,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import { type Bulkhead, bulkhead, type BulkheadOptions } from './bulkhead.ts';
import type { CircuitBreakerOptions } from './circuit-breaker/breaker-options.ts';
import { type CircuitBreaker, circuitBreaker } from './circuit-breaker/circuit-breaker.ts';
import { compose, type Policy } from './policy.ts';
import { type RateLimiter, rateLimiter, type RateLimiterOptions } from './rate-limiter.ts';
import { retry, type RetryOptions, type RetryPolicy } from './retry/retry.ts';
import { timeout, type TimeoutPolicy } from './timeout.ts';

export interface StandardPolicyOptions {
  /** For everything together: attempts, waits between them, waits in queues. Milliseconds. @default 30_000 */
  readonly totalTimeoutMs?: number;
  /** For one attempt, its waits in queues not counted. Milliseconds. @default 10_000 */
  readonly attemptTimeoutMs?: number;
  /** @default three attempts, 100 ms doubled, ±20 % */
  readonly retry?: Omit<RetryOptions, 'totalTimeoutMs' | 'attemptTimeoutMs' | 'clock' | 'random' | 'logger'>;
  /** @default opens at 5 failures of a minute */
  readonly breaker?: Omit<CircuitBreakerOptions, 'clock' | 'random' | 'logger'>;
  /** @default none: no limit on the rate of attempts */
  readonly rateLimiter?: Omit<RateLimiterOptions, 'clock' | 'logger'>;
  /** @default none: no limit on attempts at one time */
  readonly bulkhead?: Omit<BulkheadOptions, 'clock' | 'logger'>;
  /** @default systemClock */
  readonly clock?: Clock;
  /** The source of the jitter. @default systemRandom */
  readonly random?: Random;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface StandardPolicy extends Policy {
  readonly retry: RetryPolicy;
  readonly breaker: CircuitBreaker;
  /** If it was asked for. */
  readonly rateLimiter: RateLimiter | undefined;
  /** If it was asked for. */
  readonly bulkhead: Bulkhead | undefined;
  readonly attemptTimeout: TimeoutPolicy;
}

/**
 * The usual policies in the usual order, for calls of one destination. From the outside in:
 *
 * 1. total timeout (the retry's own), so that it bounds every wait further in;
 * 2. retry, around the breaker, so that the breaker counts what really happened and not series of attempts, and a
 *    refusal of the open breaker ends the series at once;
 * 3. circuit breaker, before the limits, so that a refused attempt uses up neither token nor slot, and what the limits
 *    refuse does not count as failed;
 * 4. rate limiter, inside the retry, so that attempts count and not calls;
 * 5. bulkhead, inside the retry, so that a call that waits for its next attempt holds no slot;
 * 6. attempt timeout, innermost, so that waiting for a turn takes nothing of the attempt's time, and an attempt that is
 *    cut counts as failed.
 */
export function standardPolicy(options: StandardPolicyOptions = {}): StandardPolicy {
  const known = ['totalTimeoutMs', 'attemptTimeoutMs', 'retry', 'breaker', 'rateLimiter', 'bulkhead'];
  checkKnownKeys('standardPolicy', options, [...known, 'clock', 'random', 'logger']);
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  const limit = { infinite: true };
  const totalTimeoutMs = checkDurationMs('totalTimeoutMs', options.totalTimeoutMs ?? 30_000, limit);
  const attemptTimeoutMs = checkDurationMs('attemptTimeoutMs', options.attemptTimeoutMs ?? 10_000, limit);
  const parts = {
    retry: retry({ ...options.retry, totalTimeoutMs, clock, random, logger }),
    breaker: circuitBreaker({ ...options.breaker, clock, random, logger }),
    rateLimiter: options.rateLimiter && rateLimiter({ ...options.rateLimiter, clock, logger }),
    bulkhead: options.bulkhead && bulkhead({ ...options.bulkhead, clock, logger }),
    attemptTimeout: timeout(attemptTimeoutMs, { name: 'attempt timeout', clock, logger }),
  };
  const limits = [parts.rateLimiter, parts.bulkhead].filter((policy) => policy !== undefined);
  const policy = compose(parts.retry, parts.breaker, ...limits, parts.attemptTimeout);
  return { ...parts, execute: (fn, executeOptions) => policy.execute(fn, executeOptions) };
}
