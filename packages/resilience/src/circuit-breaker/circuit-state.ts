import type { Emitter } from '@pawl/core';
import type { BreakerEvents, BreakerStateName } from '../events.ts';
import type { ResolvedBreakerOptions } from './breaker-options.ts';
import type { BreakerSnapshot } from './breaker-snapshot.ts';
import type { FailureWindow } from './failure-window.ts';
import { Isolation } from './isolation.ts';
import type { BreakerTotals, CallOutcome, Permit, Refusal } from './permit.ts';
import { RampUp } from './ramp-up.ts';

/**
 * The states of a breaker and their moves, without promises or timers: every move is made by a call, an outcome or a
 * hand.
 *
 * - closed → open: the window's rule holds after a failure, or one failure during the ramp-up
 * - open → half-open: the first call after the open time
 * - half-open → closed: `successThreshold` probes succeeded
 * - half-open → open: more than `maxProbeFailures` probes failed
 * - any → open: `trip`; any → closed: `reset`
 * - isolated lies over the others while anybody holds it
 *
 * Each move begins an era. An outcome counts only in the era its call began in.
 */
export class CircuitState {
  readonly #options: ResolvedBreakerOptions;
  readonly #events: Emitter<BreakerEvents>;
  readonly #window: FailureWindow;
  readonly totals: { -readonly [Key in keyof BreakerTotals]: BreakerTotals[Key] } = {
    successes: 0,
    failures: 0,
    ignored: 0,
    cancelled: 0,
    rejected: 0,
    late: 0,
    expired: 0,
    opened: 0,
  };
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #permit: Permit = { era: 0 };
  #openUntil = 0;
  #lastOpenMs: number | undefined;
  #consecutiveOpens = 0;
  #lastFailure: { readonly cause?: unknown } = {};
  readonly #probes = new Set<Permit>();
  #probeSuccesses = 0;
  #probeFailures = 0;
  readonly #ramp: RampUp;
  readonly #isolation: Isolation;

  constructor(options: ResolvedBreakerOptions, events: Emitter<BreakerEvents>) {
    this.#options = options;
    this.#events = events;
    this.#window = options.createWindow();
    this.#ramp = new RampUp(options.rampUpMs, options.rampUpFrom);
    this.#isolation = new Isolation(() => events.emit('breaker:released', {}));
  }

  /** Lets a call through, or says why not. @param now the breaker's clock */
  admit(now: number): Permit | Refusal {
    for (;;) {
      if (!this.#isolation.isEmpty) {
        const isolatedUntil = this.#isolation.until(now);
        if (isolatedUntil > now) return this.#refuse('isolated', isolatedUntil - now);
      }
      if (this.#state === 'closed') {
        return this.#ramp.admits(now) ? this.#permit : this.#refuse('closed', this.#ramp.remainingMs(now));
      }
      if (this.#state === 'open') {
        if (now < this.#openUntil) return this.#refuse('open', this.#openUntil - now);
        this.#enter('half-open');
        this.#events.emit('breaker:half-opened', { consecutiveOpens: this.#consecutiveOpens });
      } else {
        const nextExpiry = this.#expireProbes(now);
        // An expired probe may have opened it again, as a listener may have just before.
        if (this.#state === 'half-open') return this.#admitProbe(now, nextExpiry);
      }
    }
  }

  /** Takes the outcome of an admitted call into account. @returns false when it came too late to change anything */
  settle(permit: Permit, outcome: CallOutcome, now: number, error?: unknown): boolean {
    if (permit.era !== this.#permit.era || (permit.deadline !== undefined && !this.#probes.delete(permit))) {
      this.totals.late += 1;
      return false;
    }
    if (outcome === 'success') {
      this.totals.successes += 1;
      if (permit.deadline === undefined) this.#window.add(now, 1, 0);
      else {
        this.#probeSuccesses += 1;
        if (this.#probeSuccesses >= this.#options.successThreshold) this.#close(now);
      }
    } else if (outcome === 'failure') {
      this.totals.failures += 1;
      this.#lastFailure = { cause: error };
      if (permit.deadline !== undefined) this.#probeFailed(now, error);
      else {
        this.#window.add(now, 1, 1);
        if (this.#ramp.ageMs(now) !== undefined || this.#options.tripsAt(this.#window))
          this.#open(now, error);
      }
    } else {
      this.totals[outcome] += 1;
    }
    return true;
  }

  trip(now: number, cause: unknown): void {
    if (this.#state !== 'open') this.#open(now, cause);
  }

  reset(): void {
    const from = this.#state;
    this.#enter('closed');
    this.#ramp.end();
    this.#lastFailure = {};
    this.#events.emit('breaker:closed', { from, reset: true });
    this.#isolation.clear();
  }

  /** @param until on the breaker's clock @returns a function that ends this isolation; harmless when repeated */
  isolate(now: number, until: number): () => void {
    const first = this.#isolation.until(now) <= now;
    const release = this.#isolation.add(until);
    if (first) {
      // What runs now says nothing about the time after.
      this.#newEra();
      this.#events.emit('breaker:isolated', {});
    }
    return release;
  }

  stateAt(now: number): BreakerStateName {
    return !this.#isolation.isEmpty && this.#isolation.until(now) > now ? 'isolated' : this.#state;
  }

  get lastFailure(): { readonly cause?: unknown } {
    return this.#lastFailure;
  }

  /** What the window counts, and where the state machine stands. */
  view(now: number): {
    readonly era: number;
    readonly calls: number;
    readonly failures: number;
    readonly consecutiveOpens: number;
    readonly probes: number;
    readonly admitRatio: number;
    readonly retryAfterMs: number;
  } {
    this.#window.advance(now);
    return {
      era: this.#permit.era,
      calls: this.#window.calls,
      failures: this.#window.failures,
      consecutiveOpens: this.#opensInARow(now),
      probes: this.#probes.size,
      admitRatio: this.#state === 'closed' ? this.#ramp.ratio(now) : 0,
      retryAfterMs: this.#state === 'open' ? Math.max(0, this.#openUntil - now) : 0,
    };
  }

  save(now: number): Omit<BreakerSnapshot, 'version' | 'savedAt'> {
    const rampAgeMs = this.#ramp.ageMs(now);
    return {
      state: this.#state === 'half-open' ? 'open' : this.#state,
      remainingOpenMs: this.#state === 'open' ? Math.max(0, this.#openUntil - now) : 0,
      consecutiveOpens: this.#opensInARow(now),
      ...(rampAgeMs === undefined ? {} : { rampAgeMs }),
      window: this.#window.save(now),
      totals: { ...this.totals },
    };
  }

  /** @param elapsedMs how long ago `saved` was saved */
  restore(saved: Omit<BreakerSnapshot, 'version' | 'savedAt'>, now: number, elapsedMs: number): void {
    this.#state = saved.state;
    this.#openUntil = now + saved.remainingOpenMs - elapsedMs;
    this.#consecutiveOpens = saved.consecutiveOpens;
    if (saved.rampAgeMs !== undefined) this.#ramp.begin(now - elapsedMs - saved.rampAgeMs);
    for (const [ageMs, calls, failures] of saved.window) {
      this.#window.add(now - elapsedMs - ageMs, calls, failures);
    }
    Object.assign(this.totals, saved.totals);
  }

  #refuse(state: BreakerStateName, retryAfterMs: number): Refusal {
    this.totals.rejected += 1;
    const refusal = { state, retryAfterMs: Math.max(0, retryAfterMs) };
    if (this.#events.listenerCount('breaker:rejected') > 0) this.#events.emit('breaker:rejected', refusal);
    return refusal;
  }

  #admitProbe(now: number, nextExpiry: number): Permit | Refusal {
    const { maxProbes, probeTimeoutMs, successThreshold } = this.#options;
    const running = this.#probes.size;
    // Never more than can still be needed.
    if (running >= maxProbes || running + this.#probeSuccesses >= successThreshold) {
      return this.#refuse('half-open', nextExpiry - now);
    }
    const permit = { era: this.#permit.era, deadline: now + probeTimeoutMs };
    this.#probes.add(permit);
    return permit;
  }

  /** Takes the permits back that ran out. @returns when the next one will */
  #expireProbes(now: number): number {
    const countsAsFailed = this.#options.expiredProbe === 'failure';
    let next = Infinity;
    for (const probe of this.#probes) {
      const end = probe.deadline ?? Infinity;
      if (end > now) next = Math.min(next, end);
      else {
        this.#probes.delete(probe);
        this.totals.expired += 1;
        if (countsAsFailed && this.#probeFailed(end, undefined)) return Infinity;
      }
    }
    return next;
  }

  /** @returns whether that opened it again */
  #probeFailed(now: number, error: unknown): boolean {
    this.#probeFailures += 1;
    if (this.#probeFailures <= this.#options.maxProbeFailures) return false;
    this.#open(now, error);
    return true;
  }

  #open(now: number, cause: unknown): void {
    const from = this.#state === 'half-open' ? 'half-open' : 'closed';
    const opensBefore = this.#opensInARow(now);
    const consecutiveOpens = opensBefore + 1;
    const openMs = this.#options.openMsFor(
      consecutiveOpens,
      opensBefore === 0 ? undefined : this.#lastOpenMs,
      cause,
    );
    this.#window.advance(now);
    const { calls, failures } = this.#window;
    this.#enter('open');
    this.#consecutiveOpens = consecutiveOpens;
    this.#lastOpenMs = openMs;
    this.#openUntil = now + openMs;
    this.#ramp.end();
    if (cause !== undefined) this.#lastFailure = { cause };
    this.totals.opened += 1;
    this.#events.emit('breaker:opened', { from, openMs, cause, calls, failures, consecutiveOpens });
  }

  /** How many times it opened since it recovered; while it ramps up it has not. */
  #opensInARow(now: number): number {
    return this.#state === 'closed' && this.#ramp.ageMs(now) === undefined ? 0 : this.#consecutiveOpens;
  }

  #close(now: number): void {
    this.#enter('closed');
    this.#ramp.begin(now);
    this.#events.emit('breaker:closed', { from: 'half-open', reset: false });
  }

  #enter(state: 'closed' | 'open' | 'half-open'): void {
    this.#state = state;
    this.#window.clear();
    this.#newEra();
  }

  #newEra(): void {
    this.#permit = { era: this.#permit.era + 1 };
    this.#probes.clear();
    this.#probeSuccesses = 0;
    this.#probeFailures = 0;
  }
}
