/** Forgives what adding up fractions of a call loses. */
const WHOLE_CALL = 1 - 1e-9;

/** Lets a growing share of the calls through after a breaker closed, from `startRatio` evenly up to all. */
export class RampUp {
  readonly #durationMs: number;
  readonly #startRatio: number;
  #beganAt: number | undefined;
  /** The fractions of calls not admitted yet. Adding them up makes the share exact, where chance would not. */
  #credit = 0;

  constructor(durationMs: number, startRatio: number) {
    this.#durationMs = durationMs;
    this.#startRatio = startRatio;
  }

  begin(now: number): void {
    this.#beganAt = this.#durationMs > 0 ? now : undefined;
    // The first call is admitted.
    this.#credit = 1 - this.#startRatio;
  }

  end(): void {
    this.#beganAt = undefined;
  }

  /** How long it has run, or undefined when it does not. */
  ageMs(now: number): number | undefined {
    if (this.#beganAt === undefined || now >= this.#beganAt + this.#durationMs) return undefined;
    return now - this.#beganAt;
  }

  /** The share of calls to admit, from 0 to 1. */
  ratio(now: number): number {
    const ageMs = this.ageMs(now);
    if (ageMs === undefined) return 1;
    return this.#startRatio + ((1 - this.#startRatio) * ageMs) / this.#durationMs;
  }

  remainingMs(now: number): number {
    return this.#durationMs - (this.ageMs(now) ?? this.#durationMs);
  }

  /** Whether this call is one of the share. */
  admits(now: number): boolean {
    if (this.#beganAt === undefined) return true;
    this.#credit += this.ratio(now);
    if (this.#credit < WHOLE_CALL) return false;
    this.#credit -= 1;
    return true;
  }
}
