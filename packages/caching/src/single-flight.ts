import { createDeferred, type Deferred, onAbort } from '@pawl/core';

/**
 * One load and those who wait for it.
 *
 * `running → settled` when it succeeds or fails; `running → abandoned` when the last waiter leaves, which aborts its
 * signal. Beside that it is attached, or cut off for good: a flight that is cut off still serves those who wait, and
 * nobody else can join it, and what it brings is not stored.
 */
export class Flight<V> {
  readonly key: string;
  readonly startedAt: number;
  readonly #deferred: Deferred<V> = createDeferred<V>();
  /** Made when the loader asks for its signal, which most never do. */
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  readonly #onAbandoned: (reason: unknown) => void;
  /** Those who wait, plus one if the load goes on without anybody. */
  #holders = 0;
  #held = false;
  #settled = false;

  constructor(key: string, startedAt: number, onAbandoned: (reason: unknown) => void) {
    this.key = key;
    this.startedAt = startedAt;
    this.#onAbandoned = onAbandoned;
    // A refresh that fails has nobody to hear of it.
    this.#deferred.promise.catch(() => undefined);
  }

  /** The loader's signal. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Waits for the outcome. @throws the signal's reason, at once when it aborts */
  join(signal: AbortSignal | undefined): Promise<V> {
    this.#holders += 1;
    if (signal === undefined) return this.#deferred.promise;
    return new Promise<V>((resolve, reject) => {
      const stop = onAbort(signal, (reason) => {
        reject(reason);
        this.#leave(reason);
      });
      this.#deferred.promise.then(
        (value) => {
          stop();
          resolve(value);
        },
        (error: unknown) => {
          stop();
          reject(error);
        },
      );
    });
  }

  /** Lets the load go on to its end even if nobody waits. */
  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#holders += 1;
  }

  /** @returns false when it was over already */
  resolve(value: V): boolean {
    if (!this.#settle()) return false;
    this.#deferred.resolve(value);
    return true;
  }

  /** @returns false when it was over already */
  reject(error: unknown): boolean {
    if (!this.#settle()) return false;
    this.#deferred.reject(error);
    return true;
  }

  /** Tells the loader to end. */
  abort(reason: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    return true;
  }

  #leave(reason: unknown): void {
    this.#holders -= 1;
    if (this.#holders > 0 || !this.reject(reason)) return;
    this.#onAbandoned(reason);
    this.abort(reason);
  }
}

/** The flights that can be joined: at most one per key. */
export class Flights<F extends { readonly key: string }> {
  readonly #byKey = new Map<string, F>();

  get(key: string): F | undefined {
    return this.#byKey.get(key);
  }

  /** Puts the flight in the key's place; one that was there is cut off. */
  add(flight: F): void {
    this.#byKey.set(flight.key, flight);
  }

  isAttached(flight: F): boolean {
    return this.#byKey.get(flight.key) === flight;
  }

  /** Takes a flight out that is over. */
  remove(flight: F): void {
    if (this.isAttached(flight)) this.#byKey.delete(flight.key);
  }

  /** Cuts off the flight of that key. @returns whether there was one */
  cutOff(key: string): boolean {
    return this.#byKey.delete(key);
  }

  /** Cuts off the flights that match. @returns how many */
  cutOffWhere(matches: (flight: F) => boolean): number {
    const matching = [...this.#byKey.values()].filter(matches);
    for (const flight of matching) this.#byKey.delete(flight.key);
    return matching.length;
  }
}
