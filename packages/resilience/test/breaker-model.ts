/** What a breaker should do, said in the plainest way: lists instead of rings, one object per era instead of numbers. */
export interface ModelOptions {
  readonly rule: 'time-window' | 'count-window' | 'consecutive';
  readonly failureThreshold: number;
  /** Replaces the threshold when it is there. */
  readonly failureRate?: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly windowCalls: number;
  /** The first open time; each further one without a recovery is twice as long, up to eight times. */
  readonly openMs: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly maxProbeFailures: number;
  readonly probeTimeoutMs: number;
  readonly expiredProbe: 'ignored' | 'failure';
  readonly rampUpMs: number;
  readonly rampUpFrom: number;
}

interface ModelCall {
  readonly era: object;
  readonly probe: boolean;
  readonly deadline: number;
}

export class BreakerModel {
  readonly #options: ModelOptions;
  #era = {};
  #state: 'closed' | 'open' | 'half-open' = 'closed';
  #outcomes: { readonly time: number; readonly failed: boolean }[] = [];
  #firstTime = 0;
  #openUntil = 0;
  #opens = 0;
  #probes: ModelCall[] = [];
  #good = 0;
  #bad = 0;
  /** When each isolation ends. */
  #holds: { readonly until: number }[] = [];
  /** When it closed, the shares of the calls asked since then, and how many were let in. */
  #ramp: { readonly from: number; shares: number; admitted: number } | undefined;
  late = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  state(now: number): string {
    return this.#isIsolated(now) ? 'isolated' : this.#state;
  }

  /** How many times it opened since it last recovered. */
  opens(now: number): number {
    return this.#state === 'closed' && !this.#isRamping(now) ? 0 : this.#opens;
  }

  counted(now: number): { readonly calls: number; readonly failures: number } {
    const live = this.#live(now);
    const failures = live.filter(({ failed }) => failed).length;
    return { calls: this.#options.rule === 'consecutive' ? failures : live.length, failures };
  }

  admit(now: number): ModelCall | undefined {
    if (this.#isIsolated(now)) return undefined;
    if (this.#state === 'half-open') this.#expireProbes(now);
    if (this.#state === 'closed') {
      return this.#rampAdmits(now) ? { era: this.#era, probe: false, deadline: Infinity } : undefined;
    }
    if (this.#state === 'open') {
      if (now < this.#openUntil) return undefined;
      this.#become('half-open');
    }
    const { maxProbes, successThreshold, probeTimeoutMs } = this.#options;
    if (this.#probes.length >= maxProbes || this.#probes.length + this.#good >= successThreshold)
      return undefined;
    const probe = { era: this.#era, probe: true, deadline: now + probeTimeoutMs };
    this.#probes.push(probe);
    return probe;
  }

  settle(
    call: ModelCall,
    outcome: 'success' | 'failure' | 'ignored',
    now: number,
  ): 'counted' | 'ignored' | 'late' {
    if (call.era !== this.#era || (call.probe && !this.#probes.includes(call))) {
      this.late += 1;
      return 'late';
    }
    this.#probes = this.#probes.filter((probe) => probe !== call);
    if (outcome === 'ignored') return 'ignored';
    const failed = outcome === 'failure';
    if (call.probe) {
      if (failed) this.#bad += 1;
      else this.#good += 1;
      if (this.#bad > this.#options.maxProbeFailures) this.#open(now);
      else if (this.#good >= this.#options.successThreshold) {
        this.#become('closed');
        this.#ramp = { from: now, shares: 1 - this.#options.rampUpFrom, admitted: 0 };
      }
    } else {
      this.#outcomes = this.#live(now);
      if (this.#outcomes.length === 0) this.#firstTime = now;
      this.#outcomes.push({ time: now, failed });
      const { calls, failures } = this.counted(now);
      const { rule, minCalls, failureThreshold, failureRate } = this.#options;
      const enough = rule === 'consecutive' || calls >= minCalls;
      const tooMany = failureRate === undefined ? failureThreshold : failureRate * calls;
      if (failed && (this.#isRamping(now) || (enough && failures >= tooMany))) this.#open(now);
    }
    return 'counted';
  }

  trip(now: number): void {
    if (this.#state !== 'open') this.#open(now);
  }

  reset(): void {
    this.#become('closed');
    this.#holds = [];
  }

  /** @returns what `release` takes */
  isolate(now: number, forMs: number): object {
    if (!this.#isIsolated(now)) this.#newEra();
    const hold = { until: now + forMs };
    this.#holds.push(hold);
    return hold;
  }

  release(hold: object): void {
    this.#holds = this.#holds.filter((other) => other !== hold);
  }

  #isIsolated(now: number): boolean {
    return this.#holds.some(({ until }) => until > now);
  }

  #isRamping(now: number): boolean {
    return this.#ramp !== undefined && now < this.#ramp.from + this.#options.rampUpMs;
  }

  /** The n-th call is let in when the shares of all calls up to now add up to n. */
  #rampAdmits(now: number): boolean {
    const ramp = this.#ramp;
    if (ramp === undefined || !this.#isRamping(now)) return true;
    const { rampUpFrom, rampUpMs } = this.#options;
    ramp.shares += rampUpFrom + ((1 - rampUpFrom) * (now - ramp.from)) / rampUpMs;
    if (ramp.shares + 1e-9 < ramp.admitted + 1) return false;
    ramp.admitted += 1;
    return true;
  }

  /** A probe whose time was over failed at that moment, if such count as failed. */
  #expireProbes(now: number): void {
    const expired = this.#probes.filter(({ deadline }) => deadline <= now);
    this.#probes = this.#probes.filter(({ deadline }) => deadline > now);
    if (this.#options.expiredProbe === 'ignored') return;
    for (const { deadline } of expired) {
      this.#bad += 1;
      if (this.#bad <= this.#options.maxProbeFailures) continue;
      this.#open(deadline);
      return;
    }
  }

  #live(now: number): { readonly time: number; readonly failed: boolean }[] {
    const { rule, windowCalls, windowMs } = this.#options;
    if (rule === 'count-window') return this.#outcomes.slice(-windowCalls);
    if (rule === 'consecutive') {
      return this.#outcomes.slice(this.#outcomes.findLastIndex(({ failed }) => !failed) + 1);
    }
    const bucketOf = (time: number): number => Math.floor(((time - this.#firstTime) * 60) / windowMs);
    return this.#outcomes.filter(({ time }) => bucketOf(now) - bucketOf(time) < 60);
  }

  #open(now: number): void {
    this.#opens = this.opens(now) + 1;
    this.#become('open');
    this.#openUntil = now + this.#options.openMs * Math.min(8, 2 ** (this.#opens - 1));
  }

  #become(state: 'closed' | 'open' | 'half-open'): void {
    this.#state = state;
    this.#outcomes = [];
    this.#ramp = undefined;
    this.#newEra();
  }

  #newEra(): void {
    this.#era = {};
    this.#probes = [];
    this.#good = 0;
    this.#bad = 0;
  }
}
