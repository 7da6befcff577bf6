import type { BalancerFactory } from './balancer.ts';
import { leastLoaded } from './least-loaded.ts';
import { powerOfTwo } from './power-of-two.ts';
import { roundRobin } from './round-robin.ts';
import { sticky } from './sticky.ts';
import { weightedRoundRobin } from './weighted-round-robin.ts';

/** The strategies by which a pool chooses the worker of a run. */
export const balancers: {
  readonly roundRobin: BalancerFactory;
  readonly leastLoaded: BalancerFactory;
  readonly weightedRoundRobin: BalancerFactory;
  readonly powerOfTwo: BalancerFactory;
  readonly sticky: typeof sticky;
} = { roundRobin, leastLoaded, weightedRoundRobin, powerOfTwo, sticky };
