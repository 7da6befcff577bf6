import type { Clock, Timer } from '@pawl/core';
import { createIndexedHeap, type HeapItem } from './indexed-heap.ts';

/** Something that falls due. */
export interface Deadline extends HeapItem {
  /** On the clock's monotonic scale, in milliseconds. */
  dueAt: number;
}

/** Many deadlines on one timer, which is pending only while there are any, and not set anew for each. */
export interface Deadlines<T extends Deadline> {
  readonly size: number;
  add(item: T): void;
  /** Forgets it; one that is not in is passed over. */
  remove(item: T): void;
  /** Lets go of the timer; what is in never falls due. */
  stop(): void;
}

export interface DeadlinesOptions<T> {
  readonly clock: Clock;
  /** Whether what is not due yet keeps the process running. */
  readonly keepAlive: boolean;
  readonly onDue: (item: T) => void;
}

export function createDeadlines<T extends Deadline>(options: DeadlinesOptions<T>): Deadlines<T> {
  const { clock, keepAlive } = options;
  const heap = createIndexedHeap<T>((a, b) => a.dueAt < b.dueAt);
  let timer: Timer | undefined;
  let armedFor = Infinity;

  function arm(): void {
    timer?.cancel();
    armedFor = heap.first?.dueAt ?? Infinity;
    timer = clock.setTimer(armedFor - clock.now(), expire, { keepAlive });
  }

  function expire(): void {
    const now = clock.now();
    for (let due = heap.first; due !== undefined && due.dueAt <= now; due = heap.first) {
      heap.remove(due);
      options.onDue(due);
    }
    arm();
  }

  return {
    get size() {
      return heap.size;
    },
    add(item) {
      if (item.dueAt === Infinity) return;
      heap.add(item);
      if (item.dueAt < armedFor) arm();
    },
    remove(item) {
      heap.remove(item);
      // With some left it is cheaper to let the timer find the next when it fires.
      if (heap.size > 0 || armedFor === Infinity) return;
      if (keepAlive) arm();
    },
    stop() {
      timer?.cancel();
      armedFor = -Infinity;
    },
  };
}
