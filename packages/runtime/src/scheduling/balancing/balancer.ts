import type { Random } from '@pawl/core';
import type { HealthClass } from '../../process/health.ts';

/** What a balancer may know of a worker. A pool tells of every change with `set`. */
export interface Candidate {
  readonly id: string;
  /** Runs it has now, and how many it takes. */
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** Unhealthy ones get nothing. Of the others the degraded get work only while no better one has room. */
  readonly health: HealthClass;
  /** For the weighted balancer: its share of the runs, > 0. @default 1 */
  readonly weight?: number;
  readonly memoryBytes?: number;
  /** CPUs it keeps busy: 1 is one whole. */
  readonly cpu?: number;
  /** Share of its runs that fail, from 0 to 1. */
  readonly failureRate?: number;
  /** Since it had its last run. */
  readonly idleMs?: number;
}

/** What is to be run, as far as a balancer cares. */
export interface BalancedRun {
  readonly task: string;
  readonly key?: string | undefined;
}

/** Chooses the worker of the next run, out of those it was told of. Nothing it does takes longer than O(log n). */
export interface Balancer<C extends Candidate = Candidate> {
  /** Adds a worker, or takes note that its load or health has changed. */
  set(candidate: C): void;
  delete(id: string): void;
  /** The worker for a run, or undefined when none has room. Counts nothing: tell of the new load with `set`. */
  pick(run?: BalancedRun): C | undefined;
}

/** Makes the balancer of one pool. */
export type BalancerFactory = <C extends Candidate>(context: { readonly random: Random }) => Balancer<C>;

/** Whether it may get another run. */
export function hasRoom(candidate: Candidate): boolean {
  return candidate.health !== 'unhealthy' && candidate.inFlight < candidate.maxInFlight;
}

/** One strategy over workers of the same rank. */
export interface Selection<C extends Candidate> {
  /** Adds one with room, or takes note of its change. */
  set(candidate: C): void;
  /** It has no room for now. */
  pause(id: string): void;
  delete(id: string): void;
  pick(): C | undefined;
}

/**
 * A balancer that never sees who has no room, and asks the degraded only when nobody else has any.
 * @param create one selection for the fit, one for the degraded
 */
export function byHealth<C extends Candidate>(create: () => Selection<C>): Balancer<C> {
  const fit = create();
  const degraded = create();
  return {
    set(candidate) {
      const isDegraded = candidate.health === 'degraded';
      const [own, other] = isDegraded ? [degraded, fit] : [fit, degraded];
      other.delete(candidate.id);
      if (hasRoom(candidate)) own.set(candidate);
      else own.pause(candidate.id);
    },
    delete(id) {
      fit.delete(id);
      degraded.delete(id);
    },
    pick: () => fit.pick() ?? degraded.pick(),
  };
}
