/** Counts calls and failures, each outcome for as long as it matters. */
export interface FailureWindow {
  /** Calls counted now; up to date after `add` and `advance`. */
  readonly calls: number;
  /** How many of them failed. */
  readonly failures: number;
  /** Counts outcomes at `time`, which never goes back. */
  add(time: number, calls: number, failures: number): void;
  /** Forgets what is too old at `time`. */
  advance(time: number): void;
  clear(): void;
  /** What it counts, oldest first, to be added to another window. */
  save(time: number): readonly SavedOutcomes[];
}

/** How long ago in milliseconds, how many calls, how many failures. */
export type SavedOutcomes = readonly [ageMs: number, calls: number, failures: number];

/** Failures since the last success. */
export class FailureStreak implements FailureWindow {
  failures = 0;

  get calls(): number {
    return this.failures;
  }

  add(_time: number, calls: number, failures: number): void {
    this.failures = failures < calls ? 0 : this.failures + failures;
  }

  advance(): void {}

  clear(): void {
    this.failures = 0;
  }

  save(): readonly SavedOutcomes[] {
    return this.failures === 0 ? [] : [[0, this.failures, this.failures]];
  }
}

/** The last `size` outcomes. */
export class CountWindow implements FailureWindow {
  readonly #size: number;
  /** 1 for a failure; a ring whose oldest entry is at `#next` once it is full. Made at the first outcome. */
  #outcomes: Uint8Array | undefined;
  #next = 0;
  calls = 0;
  failures = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(_time: number, calls: number, failures: number): void {
    for (let index = 0; index < calls; index += 1) this.#push(index < failures ? 1 : 0);
  }

  #push(outcome: 0 | 1): void {
    this.#outcomes ??= new Uint8Array(this.#size);
    if (this.calls === this.#size) this.failures -= this.#outcomes[this.#next] ?? 0;
    else this.calls += 1;
    this.failures += outcome;
    this.#outcomes[this.#next] = outcome;
    this.#next = (this.#next + 1) % this.#size;
  }

  advance(): void {}

  clear(): void {
    this.#next = 0;
    this.calls = 0;
    this.failures = 0;
  }

  save(): readonly SavedOutcomes[] {
    const oldest = this.#next - this.calls + this.#size;
    return Array.from({ length: this.calls }, (_, index) => [
      0,
      1,
      this.#outcomes?.[(oldest + index) % this.#size] ?? 0,
    ]);
  }
}

/** How finely time is cut: an outcome is forgotten at most a 60th of the window early, never late. */
const BUCKETS = 60;

/**
 * The outcomes of the last `windowMs`, in {@link BUCKETS} buckets. The first bucket begins with the first outcome
 * after an empty window, so a burst counts for exactly `windowMs`.
 */
export class TimeWindow implements FailureWindow {
  readonly #windowMs: number;
  /** Per bucket the calls and the failures; the bucket number modulo BUCKETS is the place. */
  #counts: Uint32Array | undefined;
  #origin = 0;
  #newest = 0;
  calls = 0;
  failures = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(time: number, calls: number, failures: number): void {
    this.advance(time);
    if (this.#isEmpty) {
      this.#origin = time;
      this.#newest = 0;
    }
    this.#counts ??= new Uint32Array(BUCKETS * 2);
    const at = (this.#newest % BUCKETS) * 2;
    this.#counts[at] = (this.#counts[at] ?? 0) + calls;
    this.#counts[at + 1] = (this.#counts[at + 1] ?? 0) + failures;
    this.calls += calls;
    this.failures += failures;
  }

  advance(time: number): void {
    const counts = this.#counts;
    if (counts === undefined || this.#isEmpty) return;
    const bucket = Math.floor(((time - this.#origin) * BUCKETS) / this.#windowMs);
    if (bucket - this.#newest >= BUCKETS) {
      this.clear();
      return;
    }
    while (this.#newest < bucket) {
      this.#newest += 1;
      const at = (this.#newest % BUCKETS) * 2;
      this.calls -= counts[at] ?? 0;
      this.failures -= counts[at + 1] ?? 0;
      counts.fill(0, at, at + 2);
    }
  }

  get #isEmpty(): boolean {
    return this.calls === 0 && this.failures === 0;
  }

  clear(): void {
    this.#counts?.fill(0);
    this.calls = 0;
    this.failures = 0;
  }

  save(time: number): readonly SavedOutcomes[] {
    this.advance(time);
    const saved: SavedOutcomes[] = [];
    if (this.calls === 0) return saved;
    for (let bucket = Math.max(0, this.#newest - BUCKETS + 1); bucket <= this.#newest; bucket += 1) {
      const at = (bucket % BUCKETS) * 2;
      const calls = this.#counts?.[at] ?? 0;
      if (calls === 0) continue;
      const beganAt = this.#origin + (bucket * this.#windowMs) / BUCKETS;
      saved.push([Math.max(0, time - beganAt), calls, this.#counts?.[at + 1] ?? 0]);
    }
    return saved;
  }
}
