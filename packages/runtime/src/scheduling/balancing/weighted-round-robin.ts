import { createIndexedHeap, type HeapItem } from '../indexed-heap.ts';
import { type BalancerFactory, byHealth, type Candidate, type Selection } from './balancer.ts';

/** Where the first turns of workers lie: multiples of it, cut to [0, 1), are spread as evenly as can be (Weyl, 1916). */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/**
 * Each by its weight, and evenly spread: with weights 5, 1 and 1 at most three of the first follow one another. The
 * turns of a worker lie 1/weight apart on a line, each worker's beginning elsewhere, and the nearest turn is next.
 */
export const weightedRoundRobin: BalancerFactory = <C extends Candidate>() => byHealth<C>(createSchedule);

interface Turn<C> extends HeapItem {
  candidate: C;
  /** Where its next turn lies. */
  at: number;
  readonly sequence: number;
}

const weightOf = ({ weight = 1 }: Candidate): number => (weight > 0 ? weight : Number.MIN_VALUE);

function createSchedule<C extends Candidate>(): Selection<C> {
  const turns = new Map<string, Turn<C>>();
  const heap = createIndexedHeap<Turn<C>>((a, b) => (a.at === b.at ? a.sequence < b.sequence : a.at < b.at));
  /** Those without room keep their place on the line, for they are soon back. */
  const away = new Map<string, Turn<C>>();
  let sequence = 0;
  let now = 0;

  function remove(id: string): Turn<C> | undefined {
    const known = turns.get(id);
    turns.delete(id);
    if (known !== undefined) heap.remove(known);
    return known;
  }

  return {
    set(candidate) {
      const known = turns.get(candidate.id);
      if (known !== undefined) {
        const share = weightOf(known.candidate) / weightOf(candidate);
        known.candidate = candidate;
        if (share !== 1) {
          // The rest of the way to its next turn grows or shrinks with the weight.
          known.at = now + (known.at - now) * share;
          heap.reorder(known);
        }
        return;
      }
      const returning = away.get(candidate.id);
      away.delete(candidate.id);
      if (returning === undefined) sequence += 1;
      const turn: Turn<C> = {
        candidate,
        // Turns that went by while it was away are not made up for.
        at:
          returning === undefined
            ? now + ((sequence * GOLDEN_RATIO) % 1) / weightOf(candidate)
            : Math.max(returning.at, now),
        sequence: returning?.sequence ?? sequence,
        heapIndex: -1,
      };
      turns.set(candidate.id, turn);
      heap.add(turn);
    },
    pause(id) {
      const known = remove(id);
      if (known !== undefined) away.set(id, known);
    },
    delete(id) {
      remove(id);
      away.delete(id);
    },
    pick() {
      const next = heap.first;
      if (next === undefined) return undefined;
      now = next.at;
      next.at += 1 / weightOf(next.candidate);
      heap.reorder(next);
      return next.candidate;
    },
  };
}
