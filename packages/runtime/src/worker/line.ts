/** What stands in a line, in one at a time, with its neighbours there. All of it is written by the line alone. */
export interface LineItem<T> {
  isInLine: boolean;
  previous: T | undefined;
  next: T | undefined;
}

/**
 * First in, first out, and out of the middle. All of it is O(1), and what has left is garbage at once: a `Set` that goes
 * on for long leaves its old tables behind, with all that was in them, until the next full garbage collection.
 */
export class Line<T extends LineItem<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  add(item: T): void {
    item.isInLine = true;
    item.previous = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  /** @returns whether it stood here */
  remove(item: T): boolean {
    if (!item.isInLine) return false;
    const { previous, next } = item;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.isInLine = false;
    item.previous = undefined;
    item.next = undefined;
    this.#size -= 1;
    return true;
  }
}
