import { checkDurationMs, checkKnownKeys, checkOneOf, type EventSource, hasCode } from '@pawl/core';
import { CallContext, runAbortable } from '../call-context.ts';
import type { BreakerEvents, BreakerStateName } from '../events.ts';
import type { Policy } from '../policy.ts';
import { isRefusal } from '../refusal.ts';
import type { PolicySnapshot } from '../snapshot.ts';
import { createPolicyEmitter } from '../telemetry.ts';
import { type CircuitBreakerOptions, resolveBreakerOptions } from './breaker-options.ts';
import type { BreakerSnapshot } from './breaker-snapshot.ts';
import { CircuitOpenError } from './circuit-open-error.ts';
import { CircuitState } from './circuit-state.ts';
import type { BreakerTotals, CallOutcome, Permit } from './permit.ts';

/** A breaker's numbers at one moment. */
export interface BreakerStats {
  readonly state: BreakerStateName;
  /** Grows by one with each change of state. An outcome counts only in the era its call began in. */
  readonly era: number;
  /** Calls in the window. */
  readonly calls: number;
  /** Failures in the window. */
  readonly failures: number;
  /** `failures / calls`, 0 without calls. */
  readonly failureRate: number;
  /** How many times it opened since it last recovered. */
  readonly consecutiveOpens: number;
  /** Probes running. */
  readonly probes: number;
  /** The share of calls admitted: 1 when closed, less while it ramps up, 0 otherwise. */
  readonly admitRatio: number;
  /** Milliseconds left of the open time. */
  readonly retryAfterMs: number;
  /** Counts since the breaker was made. */
  readonly totals: BreakerTotals;
}

export interface SettleReport {
  readonly counted: boolean;
  /**
   * `late`: the state had changed, the permit had run out, or there was none as the breaker only observes.
   * `again`: it was settled before.
   */
  readonly reason: 'counted' | 'ignored' | 'late' | 'again';
}

/** One admitted call whose end you report yourself, such as a stream. */
export interface CallTicket {
  /**
   * Says how the call ended. Only the first time counts.
   * @param error what it failed with; becomes the cause of later refusals
   */
  settle(outcome: Exclude<CallOutcome, 'cancelled'>, error?: unknown): SettleReport;
}

/** Ends an isolation: call it, or let `using` do so. Harmless when repeated. */
export type IsolationHandle = (() => void) & Disposable;

export interface CircuitBreaker extends Policy, EventSource<BreakerEvents> {
  /** Reading it changes nothing: an open breaker becomes half-open with the first call after its open time. */
  readonly state: BreakerStateName;
  stats(): BreakerStats;
  /** `stats()` with the name, for a list of them. What another breaker can go on from is `toJSON()`. */
  snapshot(): PolicySnapshot<'circuit-breaker', BreakerStats>;
  /** Opens it as a failure would. Does nothing when it is open. */
  trip(cause?: unknown): void;
  /** Closes it, forgets what it counted, and ends every isolation. */
  reset(): void;
  /**
   * Refuses every call until the returned handle, and that of everybody else who isolates it, is released. It then
   * stands where it stood.
   * @param options `forMs`: ends by itself after that many milliseconds. @default Infinity
   */
  isolate(options?: { readonly forMs?: number }): IsolationHandle;
  /** Admits a call that you make yourself. @throws CircuitOpenError when it refuses */
  admit(): CallTicket;
  /** What another breaker needs to go on from here, as its `restore`. */
  toJSON(): BreakerSnapshot;
}

/** For a call that a breaker which only observes would have refused. */
const UNCOUNTED: Permit = { era: -1 };

/**
 * Stops calling what keeps failing, and tries it again carefully.
 *
 * An outcome counts only while the breaker is in the state in which the call began: a call that began before it opened
 * neither closes nor reopens it later. A call that the caller cancels is ignored, unless a timeout around the
 * breaker cancelled it, which counts as failed. The breaker has no timer.
 * @throws CircuitOpenError (`code: 'CIRCUIT_OPEN'`) from `execute` when it refuses
 */
export function circuitBreaker(options: CircuitBreakerOptions = {}): CircuitBreaker {
  const resolved = resolveBreakerOptions(options);
  const { clock, name, slowCallMs, isFailure, isFailureResult, observeOnly, restore } = resolved;
  const events = createPolicyEmitter<BreakerEvents>(name, resolved.logger);
  const state = new CircuitState(resolved, events);
  if (restore !== undefined) {
    state.restore(restore, clock.now(), Math.max(0, clock.wallTime() - restore.savedAt));
  }

  const admit = (): Permit => {
    const admitted = state.admit(clock.now());
    if ('era' in admitted) return admitted;
    if (observeOnly && admitted.state !== 'isolated') return UNCOUNTED;
    throw new CircuitOpenError({ breaker: name, ...admitted, ...state.lastFailure });
  };
  const settle = (permit: Permit, outcome: CallOutcome, error?: unknown): boolean =>
    permit !== UNCOUNTED && state.settle(permit, outcome, clock.now(), error);

  const stats = (): BreakerStats => {
    const now = clock.now();
    const view = state.view(now);
    const failureRate = view.calls === 0 ? 0 : view.failures / view.calls;
    return { state: state.stateAt(now), ...view, failureRate, totals: { ...state.totals } };
  };

  /** Runs `judge`, which may be the user's and throw: then the call counts as failed. */
  const settleAs = (permit: Permit, judge: () => CallOutcome, error?: unknown): void => {
    let outcome: CallOutcome = 'failure';
    try {
      outcome = judge();
    } finally {
      settle(permit, outcome, error);
    }
  };

  return {
    on: (event, listener) => events.on(event, listener),
    onAny: (listener) => events.onAny(listener),
    get state() {
      return state.stateAt(clock.now());
    },
    execute: async (fn, executeOptions) => {
      const context = CallContext.from(executeOptions);
      context.throwIfAborted();
      const permit = admit();
      const startedAt = slowCallMs === Infinity ? 0 : clock.now();
      let result;
      try {
        result = await runAbortable(fn, context);
      } catch (error) {
        settleAs(permit, () => outcomeOf(error, context, isFailure), error);
        throw error;
      }
      if (slowCallMs === Infinity && isFailureResult === undefined) settle(permit, 'success');
      else {
        const slow = slowCallMs !== Infinity && clock.now() - startedAt > slowCallMs;
        settleAs(permit, () => (slow || isFailureResult?.(result) === true ? 'failure' : 'success'));
      }
      return result;
    },
    admit() {
      const permit = admit();
      let settled = false;
      return {
        settle(outcome, error) {
          checkOneOf('outcome', outcome, ['success', 'failure', 'ignored']);
          if (settled) return { counted: false, reason: 'again' };
          settled = true;
          if (!settle(permit, outcome, error)) return { counted: false, reason: 'late' };
          return outcome === 'ignored'
            ? { counted: false, reason: 'ignored' }
            : { counted: true, reason: 'counted' };
        },
      };
    },
    stats,
    snapshot: () => ({ kind: 'circuit-breaker', name, ...stats() }),
    trip: (cause) => state.trip(clock.now(), cause),
    reset: () => state.reset(),
    isolate(isolateOptions = {}) {
      checkKnownKeys('isolate', isolateOptions, ['forMs']);
      const forMs = checkDurationMs('forMs', isolateOptions.forMs ?? Infinity, { infinite: true });
      const release = state.isolate(clock.now(), clock.now() + forMs);
      return Object.assign(() => release(), { [Symbol.dispose]: release });
    },
    toJSON: () => ({ version: 1, savedAt: clock.wallTime(), ...state.save(clock.now()) }),
  };
}

function outcomeOf(
  error: unknown,
  context: CallContext,
  isFailure: (error: unknown) => boolean,
): CallOutcome {
  const { scope } = context;
  if (scope?.aborted === true && !isTimeout(scope.reason)) return 'cancelled';
  if (isRefusal(error)) return 'ignored';
  return isFailure(error) ? 'failure' : 'ignored';
}

/** Ours, or the one of `AbortSignal.timeout`. */
function isTimeout(reason: unknown): boolean {
  return hasCode(reason, 'TIMEOUT') || (reason instanceof Error && reason.name === 'TimeoutError');
}
