import { type BalancerFactory, byHealth, type Candidate, type Selection } from './balancer.ts';

/** Each in turn: the one that was chosen longest ago. One that comes back to have room waits at the end. */
export const roundRobin: BalancerFactory = <C extends Candidate>() => byHealth<C>(createTurns);

/** A Map keeps the order of insertion, so its first entry is the next, and goes to the end: O(1). */
function createTurns<C extends Candidate>(): Selection<C> {
  const turns = new Map<string, C>();
  return {
    set: (candidate) => void turns.set(candidate.id, candidate),
    pause: (id) => void turns.delete(id),
    delete: (id) => void turns.delete(id),
    pick() {
      for (const [id, candidate] of turns) {
        turns.delete(id);
        turns.set(id, candidate);
        return candidate;
      }
      return undefined;
    },
  };
}
