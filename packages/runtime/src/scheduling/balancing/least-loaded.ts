import { createIndexedHeap, type HeapItem } from '../indexed-heap.ts';
import { type BalancerFactory, byHealth, type Candidate, type Selection } from './balancer.ts';

/** An idle time beyond this counts, in milliseconds: a worker that cooled down is used after the warm ones. */
const IDLE_COUNTS_FROM_MS = 300_000;
const MEBIBYTE = 1024 * 1024;

/**
 * How loaded a worker is; the lowest is chosen. Occupation from 0 to 1000, a tenth of a point per MiB of memory, ten
 * per CPU, a thousand for one whose runs all fail, and the idle seconds of one that is idle for more than 5 minutes.
 */
export function loadScore(candidate: Candidate): number {
  const { inFlight, maxInFlight, memoryBytes = 0, cpu = 0, failureRate = 0, idleMs = 0 } = candidate;
  return (
    (inFlight * 1_000) / maxInFlight +
    memoryBytes / MEBIBYTE / 10 +
    cpu * 10 +
    failureRate * 1_000 +
    (idleMs > IDLE_COUNTS_FROM_MS ? idleMs / 1_000 : 0)
  );
}

/** The one with the lowest {@link loadScore}, and of equals the one that was set first. */
export const leastLoaded: BalancerFactory = <C extends Candidate>() => byHealth<C>(createRanking);

interface Ranked<C> extends HeapItem {
  candidate: C;
  score: number;
  readonly sequence: number;
}

function createRanking<C extends Candidate>(): Selection<C> {
  const ranked = new Map<string, Ranked<C>>();
  const heap = createIndexedHeap<Ranked<C>>((a, b) =>
    a.score === b.score ? a.sequence < b.sequence : a.score < b.score,
  );
  let sequence = 0;

  function remove(id: string): void {
    const known = ranked.get(id);
    if (known === undefined) return;
    ranked.delete(id);
    heap.remove(known);
  }

  return {
    set(candidate) {
      const score = loadScore(candidate);
      const known = ranked.get(candidate.id);
      if (known !== undefined) {
        known.candidate = candidate;
        known.score = score;
        heap.reorder(known);
        return;
      }
      sequence += 1;
      const item: Ranked<C> = { candidate, score, sequence, heapIndex: -1 };
      ranked.set(candidate.id, item);
      heap.add(item);
    },
    pause: remove,
    delete: remove,
    pick: () => heap.first?.candidate,
  };
}
