import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  systemClock,
} from '@pawl/core';
import { createIndexedHeap } from './indexed-heap.ts';
import { checkPriority, DEFAULT_PRIORITY } from './priority.ts';
import { createLane, type Lane, type LaneEntry } from './queue-lane.ts';

export interface RunQueueOptions {
  /** Items that may wait; `Infinity` is no limit. @default 10000 */
  readonly maxSize?: number;
  /**
   * Waiting this long, in milliseconds, weighs as much as one more in priority, so that the lowest is served also under
   * constant load. `Infinity`: a higher priority always comes first. @default Infinity
   */
  readonly ageingMs?: number;
  /** Where the waiting time comes from. @default systemClock */
  readonly clock?: Clock;
}

/** An item that waits, to take it out again. */
export interface QueueEntry<T> {
  readonly item: T;
  readonly priority: number;
  /** Whose turn it is when it is served: see `add`. */
  readonly key: string | undefined;
}

/**
 * Orders what waits: higher priority first; within one, the keys take turns, and within a key first come is first
 * served. O(1) for each of a few priorities, O(log n) for n different ones; how many wait does not matter.
 */
export interface RunQueue<T> {
  readonly size: number;
  readonly isFull: boolean;
  /** The entry that `take` would give. */
  readonly first: QueueEntry<T> | undefined;
  /**
   * @param key items of one key share their turns: whoever adds a thousand does not hold up who adds one. All without
   * a key are one.
   * @returns the entry, or undefined when the queue is full
   */
  add(item: T, priority?: number, key?: string): QueueEntry<T> | undefined;
  /** A place in the order of arrival, for an entry that may never have to be made. */
  takeTurn(): number;
  /**
   * An entry as `add` would make it, which does not wait: to be restored, should it have to.
   * @param turn from `takeTurn`. @default a new one
   * @param at when it came, on the queue's clock, in milliseconds. @default now
   */
  stamp(item: T, priority?: number, key?: string, turn?: number, at?: number): QueueEntry<T>;
  /** Puts back what was taken, before all that was added after it; also into another queue, and over the bound. */
  restore(entry: QueueEntry<T>): void;
  /** Takes the next item out. */
  take(): T | undefined;
  /** Takes out the one of the lowest priority that has waited longest. */
  takeOldest(): T | undefined;
  /** Takes this item out, wherever it stands. @returns whether it was still waiting */
  remove(entry: QueueEntry<T>): boolean;
  /** Takes all out, in order. */
  clear(): readonly T[];
}

/** Lanes that are kept while they are empty. */
const KEPT_LANES = 8;

/** Whether `a` is served first, of two that wait in queues that were filled with entries of one of them. */
export function comesBefore<T>(a: QueueEntry<T>, b: QueueEntry<T>): boolean {
  const [one, other] = [a as LaneEntry<T>, b as LaneEntry<T>];
  return one.rank === other.rank ? one.sequence < other.sequence : one.rank < other.rank;
}

/** @throws TypeError, RangeError for wrong options */
export function createRunQueue<T>(options: RunQueueOptions = {}): RunQueue<T> {
  checkKnownKeys('createRunQueue', options, ['maxSize', 'ageingMs', 'clock']);
  const maxSize = checkInteger('maxSize', options.maxSize ?? 10_000, { min: 0, infinite: true });
  const ageingMs = checkDurationMs('ageingMs', options.ageingMs ?? Infinity, { min: 1, infinite: true });
  const clock = options.clock ?? systemClock;
  const lanes = new Map<number, Lane<T>>();
  const order = createIndexedHeap<Lane<T>>((a, b) => {
    const [first, second] = [a.first, b.first];
    return first !== undefined && (second === undefined || comesBefore(first, second));
  });
  let sequence = 0;
  let size = 0;

  /**
   * The waiting time of all grows alike, so who comes first never changes while they wait: `priority + waited / ageing`
   * orders as `-(submitted / ageing - priority)` does.
   */
  const rankOf = (priority: number, at: number): number =>
    (ageingMs === Infinity ? 0 : at / ageingMs) - priority;

  function laneOf(priority: number): Lane<T> {
    const known = lanes.get(priority);
    if (known !== undefined) return known;
    const lane = createLane<T>(priority);
    lanes.set(priority, lane);
    return lane;
  }

  /** A lane has a new first, or its first one at all, or none any more. */
  function settle(lane: Lane<T>): void {
    if (lane.first === undefined) {
      order.remove(lane);
      // A queue that is empty again and again would make its lane anew for each item.
      if (lanes.size > KEPT_LANES) lanes.delete(lane.priority);
    } else if (lane.heapIndex === -1) order.add(lane);
    else order.reorder(lane);
  }

  function takeOut(entry: LaneEntry<T>): T {
    const lane = laneOf(entry.priority);
    lane.remove(entry);
    size -= 1;
    settle(lane);
    return entry.item;
  }

  function lowest(): Lane<T> | undefined {
    let low: Lane<T> | undefined;
    for (const lane of lanes.values()) {
      if (lane.first !== undefined && (low === undefined || lane.priority < low.priority)) low = lane;
    }
    return low;
  }

  function takeTurn(): number {
    sequence += 1;
    return sequence;
  }

  function stamp(item: T, priority: number, key: string | undefined, turn: number, at: number): LaneEntry<T> {
    return {
      item,
      priority,
      key,
      sequence: turn,
      rank: rankOf(priority, at),
      flow: undefined,
      previous: undefined,
      next: undefined,
    };
  }

  return {
    get size() {
      return size;
    },
    get isFull() {
      return size >= maxSize;
    },
    get first() {
      return order.first?.first;
    },
    add(item, priority = DEFAULT_PRIORITY, key) {
      checkPriority(priority);
      if (key !== undefined) checkString('key', key);
      if (size >= maxSize) return undefined;
      size += 1;
      const lane = laneOf(priority);
      const entry = stamp(item, priority, key, takeTurn(), clock.now());
      lane.append(entry);
      if (lane.heapIndex === -1) order.add(lane);
      return entry;
    },
    takeTurn,
    stamp: (item, priority = DEFAULT_PRIORITY, key, turn = takeTurn(), at = clock.now()) =>
      stamp(item, checkPriority(priority), key, turn, at),
    restore(entry) {
      const lane = laneOf(entry.priority);
      lane.putBack(entry as LaneEntry<T>);
      size += 1;
      settle(lane);
    },
    take() {
      const entry = order.first?.first;
      return entry === undefined ? undefined : takeOut(entry);
    },
    takeOldest() {
      const entry = lowest()?.oldest;
      return entry === undefined ? undefined : takeOut(entry);
    },
    remove(entry) {
      const known = entry as LaneEntry<T>;
      if (lanes.get(known.priority)?.holds(known) !== true) return false;
      takeOut(known);
      return true;
    },
    clear() {
      const items: T[] = [];
      for (let entry = order.first?.first; entry !== undefined; entry = order.first?.first) {
        items.push(takeOut(entry));
      }
      return items;
    },
  };
}
