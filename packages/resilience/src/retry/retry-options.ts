import {
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import type { RetryEvents } from '../events.ts';
import { type Backoff, exponentialBackoff } from './backoff.ts';
import { checkBudget, type RetryBudget } from './budget.ts';
import { type Jitter, type JitterOption, resolveJitter } from './jitter.ts';
import { isRetryable } from './retryable.ts';

/** Where a call stands when a retry asks whether and when to go on. */
export interface RetryInfo {
  /** The number of the attempt that failed, from 1. */
  readonly attempt: number;
  /** Milliseconds since the call began. */
  readonly elapsedMs: number;
}

export interface RetryOptions {
  /** How many times the work is called at most, the first time included; `1` never retries. @default 3 */
  readonly maxAttempts?: number;
  /** The waits between attempts. @default exponentialBackoff() */
  readonly backoff?: Backoff;
  /** Spreads the waits. @default true, which is ±20 %; false for a backoff that is random itself */
  readonly jitter?: JitterOption;
  /**
   * Whether to try again after an error. Replaces the default altogether; if it throws, the call rejects with that.
   * @default isRetryable
   */
  readonly shouldRetry?: (error: unknown, info: RetryInfo) => boolean | PromiseLike<boolean>;
  /**
   * Whether to try again although the work returned `result`. After the last attempt the result is returned; one
   * that is given up for another attempt is disposed of. @default never
   */
  readonly shouldRetryResult?: (result: unknown, info: RetryInfo) => boolean | PromiseLike<boolean>;
  /**
   * The wait the error itself asks for, in milliseconds, taken as it is, without jitter, and never shortened.
   * Anything but a number ≥ 0 leaves the wait to `retryAfterMs` of the error, then to the backoff.
   * The backoff begins anew after such a wait. @default none
   */
  readonly delayFor?: (error: unknown, info: RetryInfo) => number | undefined;
  /** A wait asked for by the error that is longer than this is not worth it: the retry gives up. @default Infinity */
  readonly maxRetryAfterMs?: number;
  /** How long one attempt may take before its signal aborts and it counts as failed. @default Infinity */
  readonly attemptTimeoutMs?: number;
  /**
   * How long all attempts and waits may take together. Cuts the running attempt, and no attempt begins that would
   * begin later. @default Infinity
   */
  readonly totalTimeoutMs?: number;
  /** Limits the retries of everything that shares it. @default none */
  readonly budget?: RetryBudget;
  /**
   * Whether to try again what a retry further in has tried several times already. Off, because nested retries
   * multiply. @default false
   */
  readonly retryNested?: boolean;
  /** Whether a wait keeps the process running. @default true */
  readonly keepAlive?: boolean;
  /** Told before each wait. What it throws is logged. */
  readonly onRetry?: (event: RetryEvents['retry:scheduled']) => unknown;
  /** Told when no attempt follows a failed one. What it throws is logged. */
  readonly onGiveUp?: (event: RetryEvents['retry:gave-up']) => unknown;
  /** Names it in telemetry. @default 'retry' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** The source of the jitter; a seeded one makes the waits reproducible. @default systemRandom */
  readonly random?: Random;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

type Resolved<Key extends keyof RetryOptions> = { readonly [K in Key]-?: NonNullable<RetryOptions[K]> };

export interface ResolvedRetryOptions extends Resolved<
  | 'maxAttempts'
  | 'backoff'
  | 'shouldRetry'
  | 'maxRetryAfterMs'
  | 'attemptTimeoutMs'
  | 'totalTimeoutMs'
  | 'retryNested'
  | 'keepAlive'
  | 'name'
  | 'clock'
  | 'random'
  | 'logger'
> {
  readonly jitter: Jitter | undefined;
  readonly shouldRetryResult: RetryOptions['shouldRetryResult'];
  readonly delayFor: RetryOptions['delayFor'];
  readonly budget: RetryBudget | undefined;
  readonly onRetry: RetryOptions['onRetry'];
  readonly onGiveUp: RetryOptions['onGiveUp'];
}

const KEYS: readonly (keyof RetryOptions)[] = [
  'maxAttempts',
  'backoff',
  'jitter',
  'shouldRetry',
  'shouldRetryResult',
  'delayFor',
  'maxRetryAfterMs',
  'attemptTimeoutMs',
  'totalTimeoutMs',
  'budget',
  'retryNested',
  'keepAlive',
  'onRetry',
  'onGiveUp',
  'name',
  'clock',
  'random',
  'logger',
];

/** @throws TypeError, RangeError naming the option that is wrong or unknown */
export function resolveRetryOptions(options: RetryOptions): ResolvedRetryOptions {
  checkKnownKeys('retry', options, KEYS);
  for (const key of ['shouldRetryResult', 'delayFor', 'onRetry', 'onGiveUp'] as const) {
    if (options[key] !== undefined) checkFunction(key, options[key]);
  }
  if (options.budget !== undefined) checkBudget(options.budget);
  const backoff = checkFunction('backoff', options.backoff ?? exponentialBackoff());
  return {
    maxAttempts: checkInteger('maxAttempts', options.maxAttempts ?? 3, { min: 1, infinite: true }),
    backoff,
    jitter: resolveJitter(options.jitter ?? backoff.jittered !== true),
    shouldRetry: checkFunction('shouldRetry', options.shouldRetry ?? isRetryable),
    shouldRetryResult: options.shouldRetryResult,
    delayFor: options.delayFor,
    maxRetryAfterMs: checkLimit('maxRetryAfterMs', options.maxRetryAfterMs),
    attemptTimeoutMs: checkLimit('attemptTimeoutMs', options.attemptTimeoutMs),
    totalTimeoutMs: checkLimit('totalTimeoutMs', options.totalTimeoutMs),
    budget: options.budget,
    retryNested: checkBoolean('retryNested', options.retryNested ?? false),
    keepAlive: checkBoolean('keepAlive', options.keepAlive ?? true),
    onRetry: options.onRetry,
    onGiveUp: options.onGiveUp,
    name: checkString('name', options.name ?? 'retry'),
    clock: options.clock ?? systemClock,
    random: checkFunction('random', options.random ?? systemRandom),
    logger: options.logger ?? silentLogger,
  };
}

function checkLimit(name: string, value: number | undefined): number {
  return checkDurationMs(name, value ?? Infinity, { infinite: true });
}
