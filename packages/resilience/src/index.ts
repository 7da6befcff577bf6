// Policies
export { compose, type ExecuteOptions, type Policy, type PolicyContext, type Work } from './policy.ts';
export { CancelScope, type CancelListener } from './cancel-scope.ts';
export { contextWithin, scopeOf } from './call-context.ts';
export { timeout, TimeoutError, type TimeoutOptions, type TimeoutPolicy } from './timeout.ts';
export type { TimeoutScope } from './timeout.ts';
export { fallback, type FallbackOptions, type FallbackPolicy } from './fallback.ts';
export { bulkhead, BulkheadFullError, BulkheadWaitTimeoutError } from './bulkhead.ts';
export type { Bulkhead, BulkheadOptions, BulkheadStats } from './bulkhead.ts';
export { hedge, type HedgeOptions, type HedgePolicy, type HedgeStats } from './hedge.ts';
export { rateLimiter, type RateLimiter, type RateLimiterOptions } from './rate-limiter.ts';
export type { RateLimiterStats, WeightOptions } from './rate-limiter.ts';
export { RateLimitedError } from './rate-limited-error.ts';
export { standardPolicy, type StandardPolicy, type StandardPolicyOptions } from './standard-policy.ts';

// Retry
export { retry, type RetryInfo, type RetryOptions, type RetryPolicy } from './retry/retry.ts';
export { decorrelatedJitter, exponentialBackoff, fibonacciBackoff } from './retry/backoff.ts';
export { fixedBackoff, linearBackoff, listBackoff } from './retry/backoff.ts';
export type { Backoff, BackoffState } from './retry/backoff.ts';
export { equalJitter, fullJitter, proportionalJitter, resolveJitter } from './retry/jitter.ts';
export type { Jitter, JitterOption } from './retry/jitter.ts';
export { retryBudget, type RetryBudget, type RetryBudgetOptions } from './retry/budget.ts';
export type { RetryBudgetStats } from './retry/budget.ts';
export { retryPresets } from './retry/presets.ts';
export { parseRetryAfter, retryAfterHeader, type RetryAfterOptions } from './retry/retry-after.ts';
export { isRetryable, type RetryableContract, StopRetryError } from './retry/retryable.ts';

// Circuit breaker
export { circuitBreaker } from './circuit-breaker/circuit-breaker.ts';
export type { BreakerStats, CallTicket, CircuitBreaker } from './circuit-breaker/circuit-breaker.ts';
export type { IsolationHandle, SettleReport } from './circuit-breaker/circuit-breaker.ts';
export type { CircuitBreakerOptions } from './circuit-breaker/breaker-options.ts';
export type { BreakerSnapshot } from './circuit-breaker/breaker-snapshot.ts';
export { CircuitOpenError } from './circuit-breaker/circuit-open-error.ts';
export type { BreakerTotals, CallOutcome } from './circuit-breaker/permit.ts';

// Shutdown
export { createShutdown } from './shutdown/coordinator.ts';
export { ShutdownError, type ShutdownCoordinator } from './shutdown/shutdown-options.ts';
export type { ShutdownOptions, ShutdownState, ShutdownStats } from './shutdown/shutdown-options.ts';
export type { HookContext, RegisterOptions, ShutdownHook } from './shutdown/hook-registry.ts';
export type { HookReport, PlannedHook, ShutdownPlan, ShutdownReport } from './shutdown/shutdown-report.ts';
export { installSignalHandlers, type ProcessLike, type SignalHandlerOptions } from './shutdown/signals.ts';
export { notifySystemd, type SystemdNotifier, type SystemdOptions } from './shutdown/systemd.ts';
export { drainHttpServer, type HttpDrainOptions, type HttpDrainReport } from './shutdown/http-drain.ts';

// Events and numbers
export type { BreakerEvents, BreakerStateName, GiveUpReason, RetryEvents } from './events.ts';
export type { BulkheadEvents, FallbackEvents, HedgeEvents, RateLimiterEvents } from './events.ts';
export type { TimeoutEvents } from './events.ts';
export type { HookOutcome, ResilienceEvents, ShutdownEvents, ShutdownUrgency } from './events.ts';
export { type ChannelMessage, type ChannelName, resilienceChannels } from './telemetry.ts';
export type { PolicySnapshot } from './snapshot.ts';
