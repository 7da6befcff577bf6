/** Who holds a breaker isolated, and until when. */
export class Isolation {
  /** Each hold by its end on the breaker's clock. */
  readonly #holds = new Map<object, number>();
  readonly #onRelease: () => void;

  /** @param onRelease told when the last hold has ended */
  constructor(onRelease: () => void) {
    this.#onRelease = onRelease;
  }

  get isEmpty(): boolean {
    return this.#holds.size === 0;
  }

  /** @returns a function that ends this hold; harmless when repeated */
  add(until: number): () => void {
    const key = {};
    this.#holds.set(key, until);
    return () => this.#remove(key);
  }

  /** When the last hold ends, or −Infinity when there is none. Drops those that ended. */
  until(now: number): number {
    let latest = -Infinity;
    for (const [key, until] of this.#holds) {
      if (until > now) latest = Math.max(latest, until);
      else this.#remove(key);
    }
    return latest;
  }

  clear(): void {
    for (const key of this.#holds.keys()) this.#remove(key);
  }

  #remove(key: object): void {
    if (this.#holds.delete(key) && this.#holds.size === 0) this.#onRelease();
  }
}
