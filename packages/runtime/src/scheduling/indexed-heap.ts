/** What a heap holds: it keeps its own place there, so that it can be taken out of the middle. */
export interface HeapItem {
  /** Where it stands; -1 while it is in no heap. Written by the heap alone. */
  heapIndex: number;
}

/** A binary heap. Every operation is O(log n); an item may be in one heap at a time. */
export interface IndexedHeap<T extends HeapItem> {
  readonly size: number;
  /** The one that comes before all others. */
  readonly first: T | undefined;
  add(item: T): void;
  /** Takes it out, wherever it stands; one that is not in is passed over. */
  remove(item: T): void;
  /** Puts it where it belongs, after what it is ordered by has changed. */
  reorder(item: T): void;
}

export function createIndexedHeap<T extends HeapItem>(before: (a: T, b: T) => boolean): IndexedHeap<T> {
  const heap: T[] = [];

  function place(item: T, index: number): void {
    heap[index] = item;
    item.heapIndex = index;
  }

  function rise(item: T): void {
    for (let index = item.heapIndex; index > 0;) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || !before(item, parent)) return;
      place(parent, index);
      place(item, parentIndex);
      index = parentIndex;
    }
  }

  function sink(item: T): void {
    for (let index = item.heapIndex; ;) {
      const left = heap[index * 2 + 1];
      const right = heap[index * 2 + 2];
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left;
      if (child === undefined || !before(child, item)) return;
      const childIndex = child.heapIndex;
      place(child, index);
      place(item, childIndex);
      index = childIndex;
    }
  }

  function reorder(item: T): void {
    rise(item);
    sink(item);
  }

  return {
    get size() {
      return heap.length;
    },
    get first() {
      return heap[0];
    },
    add(item) {
      item.heapIndex = heap.length;
      heap.push(item);
      rise(item);
    },
    remove(item) {
      const index = item.heapIndex;
      if (index < 0 || heap[index] !== item) return;
      const last = heap.pop();
      item.heapIndex = -1;
      if (last === undefined || last === item) return;
      place(last, index);
      reorder(last);
    },
    reorder,
  };
}
