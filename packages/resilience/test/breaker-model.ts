/** What a breaker should do, said in the plainest way: lists instead of rings, one object per era instead of numbers. */
export interface ModelOptions {
  readonly rule: 'time-window' | 'count-window' | 'consecutive';
  readonly failureThreshold: number;
  readonly minCalls: number;
  readonly windowMs: number;
  readonly windowCalls: number;
  readonly openMs: number;
  readonly successThreshold: number;
  readonly maxProbes: number;
  readonly maxProbeFailures: number;
  readonly probeTimeoutMs: number;
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
  #probes: ModelCall[] = [];
  #good = 0;
  #bad = 0;
  #holds = 0;
  late = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  get state(): string {
    return this.#holds > 0 ? 'isolated' : this.#state;
  }

  counted(now: number): { readonly calls: number; readonly failures: number } {
    const live = this.#live(now);
    const failures = live.filter(({ failed }) => failed).length;
    return { calls: this.#options.rule === 'consecutive' ? failures : live.length, failures };
  }

  admit(now: number): ModelCall | undefined {
    if (this.#holds > 0) return undefined;
    if (this.#state === 'closed') return { era: this.#era, probe: false, deadline: Infinity };
    if (this.#state === 'open') {
      if (now < this.#openUntil) return undefined;
      this.#become('half-open');
    }
    this.#probes = this.#probes.filter(({ deadline }) => deadline > now);
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
      else if (this.#good >= this.#options.successThreshold) this.#become('closed');
    } else {
      this.#outcomes = this.#live(now);
      if (this.#outcomes.length === 0) this.#firstTime = now;
      this.#outcomes.push({ time: now, failed });
      const { calls, failures } = this.counted(now);
      const { rule, minCalls, failureThreshold } = this.#options;
      const enough = rule === 'consecutive' || calls >= minCalls;
      if (failed && enough && failures >= failureThreshold) this.#open(now);
    }
    return 'counted';
  }

  trip(now: number): void {
    if (this.#state !== 'open') this.#open(now);
  }

  reset(): void {
    this.#become('closed');
    this.#holds = 0;
  }

  isolate(): void {
    if (this.#holds === 0) this.#newEra();
    this.#holds += 1;
  }

  release(): void {
    this.#holds = Math.max(0, this.#holds - 1);
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
    this.#become('open');
    this.#openUntil = now + this.#options.openMs;
  }

  #become(state: 'closed' | 'open' | 'half-open'): void {
    this.#state = state;
    this.#outcomes = [];
    this.#newEra();
  }

  #newEra(): void {
    this.#era = {};
    this.#probes = [];
    this.#good = 0;
    this.#bad = 0;
  }
}
