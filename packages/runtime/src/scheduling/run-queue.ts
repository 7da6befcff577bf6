import { checkInteger, checkKnownKeys } from '@pawl/core';
import { checkPriority, DEFAULT_PRIORITY } from './priority.ts';

export interface RunQueueOptions {
  /** Items that may wait; `Infinity` is no limit. @default 10000 */
  readonly maxSize?: number;
}

/** An item that waits, to take it out again. */
export interface QueueEntry<T> {
  readonly item: T;
  readonly priority: number;
}

/** Orders what waits: higher priority first, first come first served within one. Every operation is O(log n). */
export interface RunQueue<T> {
  readonly size: number;
  readonly isFull: boolean;
  /** @returns the entry, or undefined when the queue is full */
  add(item: T, priority?: number): QueueEntry<T> | undefined;
  /** Takes the next item out. */
  take(): T | undefined;
  /** Takes this item out, wherever it stands. @returns whether it was still waiting */
  remove(entry: QueueEntry<T>): boolean;
  /** Takes all out, in order. */
  clear(): readonly T[];
}

interface HeapEntry<T> extends QueueEntry<T> {
  readonly sequence: number;
  /** Where it stands in the heap; -1 once it is out. */
  index: number;
}

/** A binary heap whose entries know their place, so that one can be taken from the middle. */
export function createRunQueue<T>(options: RunQueueOptions = {}): RunQueue<T> {
  checkKnownKeys('createRunQueue', options, ['maxSize']);
  const maxSize = checkInteger('maxSize', options.maxSize ?? 10_000, { min: 0, infinite: true });
  const heap: HeapEntry<T>[] = [];
  let sequence = 0;

  const before = (a: HeapEntry<T>, b: HeapEntry<T>): boolean =>
    a.priority === b.priority ? a.sequence < b.sequence : a.priority > b.priority;

  function place(entry: HeapEntry<T>, index: number): void {
    heap[index] = entry;
    entry.index = index;
  }

  function rise(entry: HeapEntry<T>): void {
    for (let index = entry.index; index > 0;) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(entry, parent)) return;
      place(parent, index);
      place(entry, parentIndex);
      index = parentIndex;
    }
  }

  function sink(entry: HeapEntry<T>): void {
    for (let index = entry.index; ;) {
      const left = heap[index * 2 + 1];
      const right = heap[index * 2 + 2];
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left;
      if (child === undefined || !before(child, entry)) return;
      const childIndex = child.index;
      place(child, index);
      place(entry, childIndex);
      index = childIndex;
    }
  }

  function takeOut(entry: HeapEntry<T>): void {
    const { index } = entry;
    const last = heap.pop();
    entry.index = -1;
    if (last === undefined || last === entry) return;
    place(last, index);
    rise(last);
    sink(last);
  }

  return {
    get size() {
      return heap.length;
    },
    get isFull() {
      return heap.length >= maxSize;
    },
    add(item, priority = DEFAULT_PRIORITY) {
      checkPriority(priority);
      if (heap.length >= maxSize) return undefined;
      sequence += 1;
      const entry: HeapEntry<T> = { item, priority, sequence, index: heap.length };
      heap.push(entry);
      rise(entry);
      return entry;
    },
    take() {
      const [first] = heap;
      if (first === undefined) return undefined;
      takeOut(first);
      return first.item;
    },
    remove(entry) {
      const known = entry as HeapEntry<T>;
      if (known.index < 0 || heap[known.index] !== known) return false;
      takeOut(known);
      return true;
    },
    clear() {
      const items: T[] = [];
      for (let first = heap[0]; first !== undefined; first = heap[0]) {
        takeOut(first);
        items.push(first.item);
      }
      return items;
    },
  };
}
