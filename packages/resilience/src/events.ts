/** The state of a breaker. `isolated` lies over the others while somebody holds it so. */
export type BreakerStateName = 'closed' | 'open' | 'half-open' | 'isolated';

/** Why a retry ended without a success. */
export type GiveUpReason =
  /** `maxAttempts` were made. */
  | 'max-attempts'
  /** `shouldRetry` said no, or the work threw a `StopRetryError`. */
  | 'not-retryable'
  /** A retry further in had tried several times already. */
  | 'nested'
  /** The next attempt would have begun after `totalTimeoutMs`. */
  | 'total-timeout'
  /** The other side asked for a longer wait than `maxRetryAfterMs`. */
  | 'retry-after'
  /** The shared budget was used up. */
  | 'budget';

/** What a retry tells. */
export interface RetryEvents {
  /** An attempt failed, and another one will begin in `delayMs`. */
  'retry:scheduled': {
    /** The number of the attempt that failed, from 1. */
    readonly attempt: number;
    /** The wait before the next attempt, in milliseconds. */
    readonly delayMs: number;
    /** What the attempt threw; undefined when its result was refused. */
    readonly error: unknown;
    /** The result that `shouldRetryResult` refused, if that is why. */
    readonly result?: unknown;
    /** Milliseconds since the call began. */
    readonly elapsedMs: number;
  };
  /** No attempt will follow. Not told when the caller cancelled. */
  'retry:gave-up': {
    /** How many attempts were made. */
    readonly attempt: number;
    readonly reason: GiveUpReason;
    readonly error: unknown;
    readonly result?: unknown;
    /** Milliseconds since the call began. */
    readonly elapsedMs: number;
  };
}

/** What a circuit breaker tells. The state is the new one already when a listener runs. */
export interface BreakerEvents {
  /** It refuses calls from now on. */
  'breaker:opened': {
    readonly from: 'closed' | 'half-open';
    /** For how long, in milliseconds. */
    readonly openMs: number;
    /** The failure that did it, or what `trip` was given. */
    readonly cause: unknown;
    /** Calls in the window when it opened. */
    readonly calls: number;
    /** Failures among them. */
    readonly failures: number;
    /** How many times it opened since it last recovered, this time included. */
    readonly consecutiveOpens: number;
  };
  /** The open time is over and the first probe is about to run. */
  'breaker:half-opened': { readonly consecutiveOpens: number };
  /** It admits calls again: the probes succeeded, or it was reset. */
  'breaker:closed': { readonly from: 'open' | 'half-open' | 'closed'; readonly reset: boolean };
  /** Somebody holds it isolated. */
  'breaker:isolated': Record<string, never>;
  /** Nobody isolates it any more. */
  'breaker:released': Record<string, never>;
  /** A call was refused. */
  'breaker:rejected': { readonly state: BreakerStateName; readonly retryAfterMs: number };
}

/** What a timeout tells. */
export interface TimeoutEvents {
  /** The time was over; the signal of the work is aborted. */
  'timeout:elapsed': { readonly timeoutMs: number };
}

/** What a bulkhead tells. */
export interface BulkheadEvents {
  /** A call waits for its turn. */
  'bulkhead:queued': { readonly running: number; readonly queued: number };
  /** A call was refused, at once or after its wait. */
  'bulkhead:rejected': {
    readonly reason: 'full' | 'wait-timeout';
    readonly running: number;
    readonly queued: number;
  };
}

/** What a rate limiter tells. */
export interface RateLimiterEvents {
  /** A call waits for its tokens, for `waitMs` at most. */
  'rate-limiter:queued': { readonly weight: number; readonly waitMs: number };
  /** A call was refused. */
  'rate-limiter:rejected': { readonly weight: number; readonly retryAfterMs: number };
}

/** What a hedge tells. */
export interface HedgeEvents {
  /** One more call was made while the others run, or because the latest failed. */
  'hedge:started': {
    /** From 1; the original call is 0. */
    readonly hedge: number;
    readonly because: 'delay' | 'failure';
    /** Milliseconds since the original call. */
    readonly elapsedMs: number;
  };
  /** The shared budget had no hedge left; the calls under way go on. */
  'hedge:refused': { readonly hedge: number };
  /** A hedge answered first. Not told when the original did. */
  'hedge:won': { readonly hedge: number; readonly elapsedMs: number };
}

/** What a fallback tells. */
export interface FallbackEvents {
  /** It answers in place of work that failed. */
  'fallback:used': { readonly error: unknown };
}

/** How pressing a shutdown is. */
export type ShutdownUrgency = 'graceful' | 'urgent' | 'forced';

/** How a hook ended. */
export type HookOutcome =
  | 'succeeded'
  | 'failed'
  /** Its own `timeoutMs` passed. */
  | 'timed-out'
  /** It still ran when the whole shutdown was over. */
  | 'abandoned';

/** What a shutdown tells. */
export interface ShutdownEvents {
  'shutdown:began': { readonly reason: unknown };
  /** Time ran out, or somebody forced it. */
  'shutdown:escalated': { readonly urgency: 'urgent' | 'forced' };
  'hook:started': { readonly name: string; readonly phase: string };
  'hook:ended': {
    readonly name: string;
    readonly phase: string;
    readonly outcome: HookOutcome;
    /** Milliseconds. */
    readonly durationMs: number;
    /** What it failed with. */
    readonly error?: unknown;
  };
  'shutdown:ended': {
    /** Whether every hook succeeded and no tracked work was left. */
    readonly clean: boolean;
    /** Milliseconds. */
    readonly durationMs: number;
  };
}

/** Every event of this package. Each is published on the `diagnostics_channel` named `pawl:` and its name. */
export interface ResilienceEvents
  extends
    RetryEvents,
    BreakerEvents,
    TimeoutEvents,
    BulkheadEvents,
    RateLimiterEvents,
    HedgeEvents,
    FallbackEvents,
    ShutdownEvents {}
