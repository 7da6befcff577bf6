import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkString,
  type Clock,
  type EventSource,
  type Logger,
  silentLogger,
  systemClock,
  type Timer,
} from '@pawl/core';
import { asThrown, CallContext, runAbortable } from './call-context.ts';
import type { CancelScope } from './cancel-scope.ts';
import type { RateLimiterEvents } from './events.ts';
import type { ExecuteOptions, Policy, Work } from './policy.ts';
import { RateLimitedError } from './rate-limited-error.ts';
import type { PolicySnapshot } from './snapshot.ts';
import { createPolicyEmitter } from './telemetry.ts';
import { TokenBucket } from './token-bucket.ts';

export interface RateLimiterOptions {
  /** Tokens that come back per `intervalMs`, > 0; a call takes one, or its `weight`. @default 10 */
  readonly tokens?: number;
  /** Milliseconds > 0. @default 1_000 */
  readonly intervalMs?: number;
  /** The most tokens that gather while nobody calls: how many calls may come at once. @default tokens */
  readonly burst?: number;
  /** Calls that wait for tokens, in order; more are refused. `0` refuses at once, `Infinity` never. @default 0 */
  readonly maxQueue?: number;
  /** A call that would wait longer than this is refused at once, in milliseconds. @default Infinity */
  readonly maxWaitMs?: number;
  /** Names it in errors and telemetry. @default 'The rate limiter' */
  readonly name?: string;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface RateLimiterStats {
  /** Tokens there are now; fractions count. */
  readonly tokens: number;
  readonly queued: number;
  /** Calls let through since it was made. */
  readonly admitted: number;
  /** Calls refused since it was made. */
  readonly rejected: number;
}

export interface WeightOptions {
  /** How many tokens the call takes, > 0 and at most `burst`. @default 1 */
  readonly weight?: number;
}

export interface RateLimiter extends Policy, EventSource<RateLimiterEvents> {
  execute<T>(fn: Work<T>, options?: ExecuteOptions & WeightOptions): Promise<T>;
  /**
   * Takes tokens for work you do yourself, waiting as a call would.
   * @throws RateLimitedError, and the signal's reason
   */
  acquire(options?: ExecuteOptions & WeightOptions): Promise<void>;
  /** Takes tokens if they are there and nobody waits for them. @returns whether it did */
  tryAcquire(options?: WeightOptions): boolean;
  stats(): RateLimiterStats;
  /** `stats()` with the name, for a list of them. */
  snapshot(): PolicySnapshot<'rate-limiter', RateLimiterStats>;
}

/** A call that waits for its tokens. */
interface Waiter {
  readonly weight: number;
  readonly begin: () => void;
}

/**
 * Limits how many calls begin in a time: a token bucket. `tokens` come back per `intervalMs`, evenly, up to `burst`.
 * Without enough of them a call is refused, or waits in order up to `maxQueue`; a caller that aborts leaves the queue
 * at once and takes nothing. It has no timer unless somebody waits.
 * @throws RateLimitedError (`code: 'RATE_LIMITED'`) from `execute`; RangeError for a weight above `burst`
 */
export function rateLimiter(options: RateLimiterOptions = {}): RateLimiter {
  const known = ['tokens', 'intervalMs', 'burst', 'maxQueue', 'maxWaitMs', 'name', 'clock', 'logger'];
  checkKnownKeys('rateLimiter', options, known);
  const tokens = checkPositive('tokens', options.tokens ?? 10);
  const intervalMs = checkPositive('intervalMs', options.intervalMs ?? 1_000);
  const burst = checkPositive('burst', options.burst ?? tokens);
  const maxQueue = checkInteger('maxQueue', options.maxQueue ?? 0, { min: 0, infinite: true });
  const maxWaitMs = checkDurationMs('maxWaitMs', options.maxWaitMs ?? Infinity, { infinite: true });
  const name = checkString('name', options.name ?? 'The rate limiter');
  const clock = options.clock ?? systemClock;
  const events = createPolicyEmitter<RateLimiterEvents>(name, options.logger ?? silentLogger);
  const bucket = new TokenBucket(tokens / intervalMs, burst, clock.now());
  /** In order of arrival; a set, so that leaving from the middle costs nothing. */
  const queue = new Set<Waiter>();
  let queuedWeight = 0;
  let timer: Timer | undefined;
  let admitted = 0;
  let rejected = 0;

  const weightOf = ({ weight = 1 }: WeightOptions): number =>
    checkPositive('weight', checkNumber('weight', weight, { max: burst }));

  const take = (weight: number): boolean => {
    if (queue.size > 0 || !bucket.take(weight, clock.now())) return false;
    admitted += 1;
    return true;
  };

  /** Lets those in whose tokens are there, and sets a timer for the next. */
  const serve = (): void => {
    timer?.cancel();
    timer = undefined;
    for (const waiter of queue) {
      const waitMs = bucket.waitMs(waiter.weight, clock.now());
      if (waitMs > 0) {
        timer = clock.setTimer(waitMs, serve);
        return;
      }
      bucket.take(waiter.weight, clock.now());
      admitted += 1;
      waiter.begin();
    }
  };

  const waitForTurn = (weight: number, scope: CancelScope | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.delete(waiter);
        queuedWeight -= weight;
        scope?.unlisten(onAbort);
      };
      const begin = (): void => {
        leave();
        resolve();
      };
      const onAbort = (reason: unknown): void => {
        const [first] = queue;
        leave();
        reject(asThrown(reason));
        if (first === waiter) serve();
      };
      const waiter: Waiter = { weight, begin };
      queue.add(waiter);
      queuedWeight += weight;
      scope?.listen(onAbort);
      if (queue.size === 1) serve();
    });

  const queueUp = (weight: number, scope: CancelScope | undefined): Promise<void> => {
    const waitMs = bucket.waitMs(queuedWeight + weight, clock.now());
    if (queue.size >= maxQueue || waitMs > maxWaitMs) {
      rejected += 1;
      events.emit('rate-limiter:rejected', { weight, retryAfterMs: waitMs });
      throw new RateLimitedError(name, waitMs);
    }
    events.emit('rate-limiter:queued', { weight, waitMs });
    return waitForTurn(weight, scope);
  };

  const stats = (): RateLimiterStats => ({
    tokens: bucket.available(clock.now()),
    queued: queue.size,
    admitted,
    rejected,
  });

  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    execute: async (fn, executeOptions = {}) => {
      const context = CallContext.from(executeOptions);
      const weight = weightOf(executeOptions);
      context.throwIfAborted();
      if (!take(weight)) await queueUp(weight, context.scope);
      return runAbortable(fn, context);
    },
    acquire: async (acquireOptions = {}) => {
      const context = CallContext.from(acquireOptions);
      const weight = weightOf(acquireOptions);
      context.throwIfAborted();
      if (!take(weight)) await queueUp(weight, context.scope);
    },
    tryAcquire: (acquireOptions = {}) => take(weightOf(acquireOptions)),
    stats,
    snapshot: () => ({ kind: 'rate-limiter', name, ...stats() }),
  };
}

function checkPositive(name: string, value: number): number {
  checkNumber(name, value, { min: 0 });
  if (value === 0) throw new RangeError(`Expected \`${name}\` to be a number above 0, got \`0\` (number).`);
  return value;
}
