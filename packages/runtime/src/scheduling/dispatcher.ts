import type { Random } from '@pawl/core';
import type { HealthClass } from '../process/health.ts';
import type { BalancedRun, Balancer, BalancerFactory, Candidate } from './balancing/balancer.ts';

/** A worker as the dispatcher sees it. The last two fields are written by the dispatcher alone. */
export interface Place {
  readonly id: string;
  /** How many runs it executes at once. */
  readonly runsAtOnce: number;
  /** Resident memory, in bytes, if that is known. */
  readonly rssBytes: number | undefined;
  readonly healthClass: HealthClass;
  /** Of its last runs the share that failed, from 0 to 1. */
  readonly failureRate: number;
  /** How many runs it has: those that it executes and those that wait in it. */
  readonly load: number;
  /** The level it stands on; -1 while it has no room. */
  level: number;
  indexInLevel: number;
}

/**
 * Matches runs to workers: whoever has room stands on the level of its load, and the lowest level is served first. Of the
 * same load the degraded stand one level above the others.
 */
export interface Dispatcher<P extends Place> {
  /** Call it whenever the load of a place has changed, or whether it has room. O(1). */
  update(place: P, hasRoom: boolean): void;
  /**
   * The place for a run: of those with the least load the one that was used last, so that the others can time out; a
   * degraded one only when no other has as little. O(1).
   */
  next(run: BalancedRun): P | undefined;
}

export function createDispatcher<P extends Place>(): Dispatcher<P> {
  const levels: P[][] = [];
  /** No level below it has anyone. */
  let lowest = 0;

  function leave(place: P): void {
    const level = levels[place.level];
    const last = level?.pop();
    if (level !== undefined && last !== undefined && last !== place) {
      level[place.indexInLevel] = last;
      last.indexInLevel = place.indexInLevel;
    }
    place.level = -1;
  }

  function enter(place: P): void {
    const number = levelOf(place);
    while (levels.length <= number) levels.push([]);
    const level = levels[number];
    if (level === undefined) return;
    place.level = number;
    place.indexInLevel = level.length;
    level.push(place);
    if (number < lowest) lowest = number;
  }

  return {
    update(place, hasRoom) {
      if (hasRoom && place.level === levelOf(place)) return;
      if (place.level !== -1) leave(place);
      if (hasRoom) enter(place);
    },
    next() {
      while (lowest < levels.length && levels[lowest]?.length === 0) lowest += 1;
      return levels[lowest]?.at(-1);
    },
  };
}

function levelOf({ load, healthClass }: Place): number {
  return load * 2 + (healthClass === 'degraded' ? 1 : 0);
}

/** A place as balancers see it. */
interface PlaceCandidate<P extends Place> extends Candidate {
  readonly place: P;
}

/** Matches by a balancer of the user's choice; one that would only queue the run is asked when no other has room. */
export function createBalancedDispatcher<P extends Place>(
  create: BalancerFactory,
  random: Random,
): Dispatcher<P> {
  const free: Balancer<PlaceCandidate<P>> = create({ random });
  const queueing: Balancer<PlaceCandidate<P>> = create({ random });
  return {
    update(place, hasRoom) {
      const { id, load, runsAtOnce, rssBytes, healthClass, failureRate } = place;
      place.level = hasRoom ? load : -1;
      const balancer = load < runsAtOnce ? free : queueing;
      (balancer === free ? queueing : free).delete(id);
      if (!hasRoom) return balancer.delete(id);
      const memory = rssBytes === undefined ? {} : { memoryBytes: rssBytes };
      const maxInFlight = balancer === free ? runsAtOnce : load + 1;
      return balancer.set({
        id,
        inFlight: load,
        maxInFlight,
        health: healthClass,
        failureRate,
        ...memory,
        place,
      });
    },
    next: (run) => (free.pick(run) ?? queueing.pick(run))?.place,
  };
}
