/** Forgives what adding up fractions of a token loses. */
const WHOLE = 1e-9;

/** Tokens that come back at an even rate, up to a most. It starts full and keeps no timer. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #most: number;
  #tokens: number;
  #filledAt: number;

  constructor(perMs: number, most: number, now: number) {
    this.#perMs = perMs;
    this.#most = most;
    this.#tokens = most;
    this.#filledAt = now;
  }

  available(now: number): number {
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
    return this.#tokens;
  }

  /** @returns whether there were enough; otherwise none is taken */
  take(weight: number, now: number): boolean {
    if (this.waitMs(weight, now) > 0) return false;
    this.#tokens -= weight;
    return true;
  }

  /** How long until `weight` tokens have come together, in milliseconds; it may be more than the bucket holds. */
  waitMs(weight: number, now: number): number {
    const missing = weight - this.available(now);
    return missing <= WHOLE * weight ? 0 : missing / this.#perMs;
  }
}
