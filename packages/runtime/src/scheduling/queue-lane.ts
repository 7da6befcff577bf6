import type { HeapItem } from './indexed-heap.ts';
import type { QueueEntry } from './run-queue.ts';

/** An entry with its place: the neighbours of its own key, in order of arrival. */
export interface LaneEntry<T> extends QueueEntry<T> {
  readonly sequence: number;
  /** Lower comes first. */
  readonly rank: number;
  /** Where it waits; undefined while it does not. */
  flow: Flow<T> | undefined;
  previous: LaneEntry<T> | undefined;
  next: LaneEntry<T> | undefined;
}

/** What waits of one key, and its neighbours in the round of keys. */
interface Flow<T> {
  readonly lane: Lane<T>;
  readonly key: string | undefined;
  head: LaneEntry<T> | undefined;
  tail: LaneEntry<T> | undefined;
  previous: Flow<T> | undefined;
  next: Flow<T> | undefined;
}

/** What waits of one priority: a round of keys, each first come first served. All of it is O(1). */
export interface Lane<T> extends HeapItem {
  readonly priority: number;
  /** Whose turn it is. */
  readonly first: LaneEntry<T> | undefined;
  /** The one that came before all others. O(keys). */
  readonly oldest: LaneEntry<T> | undefined;
  append(entry: LaneEntry<T>): void;
  /** Before all of its key that came later; its key has the next turn. O(1) plus those that came earlier. */
  putBack(entry: LaneEntry<T>): void;
  /** Takes it out; when it was the first, the next key has its turn. */
  remove(entry: LaneEntry<T>): void;
  holds(entry: LaneEntry<T>): boolean;
}

export function createLane<T>(priority: number): Lane<T> {
  const flows = new Map<string, Flow<T>>();
  /** Of all without a key: most runs have none, so it is kept while it is empty. */
  let keyless: Flow<T> | undefined;
  let first: Flow<T> | undefined;
  let last: Flow<T> | undefined;

  function unlink(flow: Flow<T>): void {
    if (flow.previous === undefined) first = flow.next;
    else flow.previous.next = flow.next;
    if (flow.next === undefined) last = flow.previous;
    else flow.next.previous = flow.previous;
    flow.previous = undefined;
    flow.next = undefined;
  }

  function linkLast(flow: Flow<T>): void {
    flow.previous = last;
    if (last === undefined) first = flow;
    else last.next = flow;
    last = flow;
  }

  function linkFirst(flow: Flow<T>): void {
    flow.next = first;
    if (first === undefined) last = flow;
    else first.previous = flow;
    first = flow;
  }

  function createFlow(key: string | undefined): Flow<T> {
    return { lane, key, head: undefined, tail: undefined, previous: undefined, next: undefined };
  }

  /** In its place in the round: a flow that was empty has the last turn. */
  function flowOf(key: string | undefined): Flow<T> {
    let flow = key === undefined ? keyless : flows.get(key);
    if (flow === undefined) {
      flow = createFlow(key);
      if (key === undefined) keyless = flow;
      else flows.set(key, flow);
    }
    if (flow.head === undefined) linkLast(flow);
    return flow;
  }

  /** @param before the entry it goes before; undefined puts it last */
  function insert(flow: Flow<T>, entry: LaneEntry<T>, before: LaneEntry<T> | undefined): void {
    const previous = before === undefined ? flow.tail : before.previous;
    entry.flow = flow;
    entry.previous = previous;
    entry.next = before;
    if (previous === undefined) flow.head = entry;
    else previous.next = entry;
    if (before === undefined) flow.tail = entry;
    else before.previous = entry;
  }

  const lane: Lane<T> = {
    heapIndex: -1,
    priority,
    get first() {
      return first?.head;
    },
    get oldest() {
      let oldest: LaneEntry<T> | undefined;
      for (let flow = first; flow !== undefined; flow = flow.next) {
        const { head } = flow;
        if (head !== undefined && (oldest === undefined || head.sequence < oldest.sequence)) oldest = head;
      }
      return oldest;
    },
    append(entry) {
      insert(flowOf(entry.key), entry, undefined);
    },
    putBack(entry) {
      const flow = flowOf(entry.key);
      let before = flow.head;
      while (before !== undefined && before.sequence < entry.sequence) before = before.next;
      insert(flow, entry, before);
      unlink(flow);
      linkFirst(flow);
    },
    remove(entry) {
      const { flow } = entry;
      if (flow === undefined) return;
      const hadTheTurn = flow === first && flow.head === entry;
      if (entry.previous === undefined) flow.head = entry.next;
      else entry.previous.next = entry.next;
      if (entry.next === undefined) flow.tail = entry.previous;
      else entry.next.previous = entry.previous;
      entry.flow = undefined;
      entry.previous = undefined;
      entry.next = undefined;
      if (flow.head === undefined) {
        unlink(flow);
        if (flow.key !== undefined) flows.delete(flow.key);
      } else if (hadTheTurn && flow !== last) {
        unlink(flow);
        linkLast(flow);
      }
    },
    holds: (entry) => entry.flow?.lane === lane,
  };
  return lane;
}
