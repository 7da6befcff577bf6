import type { Random } from '@pawl/core';
import { type BalancerFactory, byHealth, type Candidate, type Selection } from './balancer.ts';
import { loadScore } from './least-loaded.ts';

/**
 * The less loaded of two that are chosen at random: nearly as even as the least loaded of all, without every pool of a
 * machine choosing the same one. Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996.
 */
export const powerOfTwo: BalancerFactory = <C extends Candidate>({ random }: { readonly random: Random }) =>
  byHealth<C>(() => createUrn(random));

/** An array without order, so that one can be drawn, added and taken out in O(1). */
function createUrn<C extends Candidate>(random: Random): Selection<C> {
  const candidates: C[] = [];
  const places = new Map<string, number>();
  const draw = (below: number): number => Math.floor(random() * below);

  function remove(id: string): void {
    const place = places.get(id);
    const last = candidates.at(-1);
    if (place === undefined || last === undefined) return;
    candidates[place] = last;
    places.set(last.id, place);
    candidates.pop();
    places.delete(id);
  }

  return {
    set(candidate) {
      const place = places.get(candidate.id) ?? candidates.length;
      candidates[place] = candidate;
      places.set(candidate.id, place);
    },
    pause: remove,
    delete: remove,
    pick() {
      if (candidates.length < 2) return candidates[0];
      const first = draw(candidates.length);
      // One of the others, each with the same chance.
      const other = (first + 1 + draw(candidates.length - 1)) % candidates.length;
      const [one, two] = [candidates[first], candidates[other]];
      if (one === undefined || two === undefined) return one ?? two;
      return loadScore(two) < loadScore(one) ? two : one;
    },
  };
}
