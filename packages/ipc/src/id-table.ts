const FIRST_CAPACITY = 64;

/**
 * A map from request ids to what is open under them. Ids count up and most requests end soon, so nearly all find a
 * place by their last bits: at a million a second a `Map`, which is laid out anew again and again for keys that come
 * and go, takes longer than all the rest of a request.
 */
export class IdTable<T> {
  /** Of `capacity` places, a power of two, an id's is `id & (capacity - 1)`. */
  #ids: number[] = Array.from({ length: FIRST_CAPACITY }, () => 0);
  #values: (T | undefined)[] = Array.from({ length: FIRST_CAPACITY }, () => undefined);
  /** Those whose place was taken. */
  readonly #others = new Map<number, T>();
  #placed = 0;

  get size(): number {
    return this.#placed + this.#others.size;
  }

  get(id: number): T | undefined {
    const place = id & (this.#ids.length - 1);
    if (this.#ids[place] === id) return this.#values[place];
    return this.#others.size === 0 ? undefined : this.#others.get(id);
  }

  has(id: number): boolean {
    return this.#ids[id & (this.#ids.length - 1)] === id || this.#others.has(id);
  }

  /** @param id a positive integer that is not in the table */
  add(id: number, value: T): void {
    // The far side's ids may fall on each other's places as they like: only many at a time make the table grow.
    if (this.#placed * 2 > this.#ids.length) this.#grow();
    const place = id & (this.#ids.length - 1);
    if (this.#ids[place] !== 0) this.#others.set(id, value);
    else {
      this.#ids[place] = id;
      this.#values[place] = value;
      this.#placed += 1;
    }
  }

  /** @returns whether it was there */
  delete(id: number): boolean {
    const place = id & (this.#ids.length - 1);
    if (this.#ids[place] !== id) return this.#others.size > 0 && this.#others.delete(id);
    this.#ids[place] = 0;
    this.#values[place] = undefined;
    this.#placed -= 1;
    return true;
  }

  /** Empties the table. @returns what was in it, in no order */
  take(): readonly T[] {
    const taken = [
      ...this.#values.filter((_, place) => this.#ids[place] !== 0),
      ...this.#others.values(),
    ] as T[];
    this.#ids.fill(0);
    this.#values.fill(undefined);
    this.#others.clear();
    this.#placed = 0;
    return taken;
  }

  #grow(): void {
    const [ids, values] = [this.#ids, this.#values];
    const others = [...this.#others];
    this.#ids = Array.from({ length: ids.length * 2 }, () => 0);
    this.#values = Array.from({ length: ids.length * 2 }, () => undefined);
    this.#others.clear();
    this.#placed = 0;
    for (const [place, id] of ids.entries()) if (id !== 0) this.add(id, values[place] as T);
    for (const [id, value] of others) this.add(id, value);
  }
}
