import {
  checkAtMost,
  checkDurationMs,
  checkKnownKeys,
  checkNumber,
  expectedMessage,
  type Random,
} from '@pawl/core';

/** What a backoff may use besides the number of the attempt. */
export interface BackoffState {
  /** The wait before this one as it really was, in milliseconds; undefined at the first. */
  readonly previousDelayMs: number | undefined;
  readonly random: Random;
}

/**
 * The wait after a failed attempt, in milliseconds, from the attempt's number (1 is the first call). Retry takes
 * NaN and negative numbers as 0, and everything above 2^31 − 1 as that, the longest delay a timer takes.
 */
export interface Backoff {
  (attempt: number, state?: BackoffState): number;
  /** Whether the delays are random already, so that no jitter is added by default. */
  readonly jittered?: boolean;
}

/** The longest delay of `setTimeout`, about 24.8 days; no wait between attempts is longer. */
export const LONGEST_DELAY_MS = 2_147_483_647;

/** Any number as a delay: finite, not negative, at most {@link LONGEST_DELAY_MS}. */
export function asDelayMs(value: number): number {
  return value > 0 ? Math.min(value, LONGEST_DELAY_MS) : 0;
}

const DEFAULT_INITIAL_MS = 100;
const DEFAULT_MAX_MS = 30_000;

export interface GrowingBackoffOptions {
  /** The first wait, in milliseconds. Raise it when the other side needs time to recover. @default 100 */
  readonly initialMs?: number;
  /** The longest wait, before jitter, in milliseconds. @default 30_000 */
  readonly maxMs?: number;
}

export interface ExponentialBackoffOptions extends GrowingBackoffOptions {
  /** What each wait is multiplied by to get the next, ≥ 1. @default 2 */
  readonly multiplier?: number;
}

export interface LinearBackoffOptions extends GrowingBackoffOptions {
  /** What each wait adds to the one before, in milliseconds. @default initialMs */
  readonly stepMs?: number;
}

function resolveGrowth(
  what: string,
  options: GrowingBackoffOptions,
  ...more: readonly string[]
): Required<GrowingBackoffOptions> {
  checkKnownKeys(what, options, ['initialMs', 'maxMs', ...more]);
  const maxMs = checkDurationMs('maxMs', options.maxMs ?? DEFAULT_MAX_MS, { infinite: true });
  const initialMs = checkDurationMs('initialMs', options.initialMs ?? Math.min(DEFAULT_INITIAL_MS, maxMs));
  checkAtMost('initialMs', initialMs, 'maxMs', maxMs);
  return { initialMs, maxMs };
}

/** The same wait each time. @param delayMs milliseconds ≥ 0 */
export function fixedBackoff(delayMs: number): Backoff {
  checkDurationMs('delayMs', delayMs);
  return () => asDelayMs(delayMs);
}

/** `min(maxMs, initialMs + stepMs × (attempt − 1))` */
export function linearBackoff(options: LinearBackoffOptions = {}): Backoff {
  const { initialMs, maxMs } = resolveGrowth('linearBackoff', options, 'stepMs');
  const stepMs = checkDurationMs('stepMs', options.stepMs ?? initialMs);
  return (attempt) => asDelayMs(Math.min(maxMs, initialMs + stepMs * (attempt - 1)));
}

/** `min(maxMs, initialMs × multiplier^(attempt − 1))`: 100, 200, 400 … 30,000 ms by default. */
export function exponentialBackoff(options: ExponentialBackoffOptions = {}): Backoff {
  const { initialMs, maxMs } = resolveGrowth('exponentialBackoff', options, 'multiplier');
  const multiplier = checkNumber('multiplier', options.multiplier ?? 2, { min: 1 });
  return (attempt) => asDelayMs(Math.min(maxMs, initialMs * multiplier ** (attempt - 1)));
}

/** `min(maxMs, initialMs × fibonacci(attempt))`: 100, 100, 200, 300, 500 ms … by default. */
export function fibonacciBackoff(options: GrowingBackoffOptions = {}): Backoff {
  const { initialMs, maxMs } = resolveGrowth('fibonacciBackoff', options);
  return (attempt) => {
    let [delayMs, nextMs] = [initialMs, initialMs];
    // Ends at the cap after some dozens of steps, however large the attempt.
    for (
      let index = 1;
      index < attempt && delayMs < Math.min(maxMs, LONGEST_DELAY_MS) && nextMs > 0;
      index += 1
    ) {
      [delayMs, nextMs] = [nextMs, delayMs + nextMs];
    }
    return asDelayMs(Math.min(maxMs, delayMs));
  };
}

/** The waits as listed, in milliseconds; the last one repeats. @throws TypeError when the list is empty */
export function listBackoff(delaysMs: readonly number[]): Backoff {
  if (!Array.isArray(delaysMs) || delaysMs.length === 0) {
    throw new TypeError(expectedMessage('delaysMs', 'an array of at least one delay', delaysMs));
  }
  const delays = delaysMs.map((delayMs, index) => checkDurationMs(`delaysMs[${index}]`, delayMs));
  return (attempt) => asDelayMs(delays[Math.min(attempt, delays.length) - 1] ?? 0);
}

export interface DecorrelatedJitterOptions extends GrowingBackoffOptions {
  /** How far above the previous wait the next may lie, ≥ 1. @default 3 */
  readonly multiplier?: number;
}

/**
 * A random wait between `initialMs` and `multiplier` times the wait before, at most `maxMs`; the first is
 * `initialMs`. Spreads the calls of many clients best, as one wait says nothing about another client's.
 * Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function decorrelatedJitter(options: DecorrelatedJitterOptions = {}): Backoff {
  const { initialMs, maxMs } = resolveGrowth('decorrelatedJitter', options, 'multiplier');
  const multiplier = checkNumber('multiplier', options.multiplier ?? 3, { min: 1 });
  const backoff = (_attempt: number, state?: BackoffState): number => {
    if (state?.previousDelayMs === undefined) return asDelayMs(initialMs);
    const highest = Math.min(
      maxMs,
      Math.max(initialMs, state.previousDelayMs * multiplier),
      LONGEST_DELAY_MS,
    );
    return asDelayMs(initialMs + (highest - initialMs) * state.random());
  };
  return Object.assign(backoff, { jittered: true });
}
