import { PawlError, type Random, type Service } from '@pawl/core';
import type { ProcessPool } from '../process/process-pool.ts';
import type { BalancedRun, Balancer, BalancerFactory, Candidate } from '../scheduling/balancing/balancer.ts';

/**
 * What an executor needs of a pool: that it runs. What else it offers is made use of: its events tell when a worker
 * begins, `workers` when it is done with a run that was given up, and the executor starts and stops it.
 */
export interface ExecutorPool extends Pick<ProcessPool, 'run'>, Partial<Omit<ProcessPool, 'run'>> {}

/** Whether it can be started and stopped. */
export function isService(pool: ExecutorPool): pool is ExecutorPool & Service {
  return typeof pool.start === 'function' && typeof pool.stop === 'function';
}

/** One pool, and how many attempts it has of this executor. */
export interface PoolRoute extends Candidate {
  readonly pool: ExecutorPool;
  /** Whether a choice hangs on `inFlight`; it is not kept of a pool that is never one of several. */
  isCounted: boolean;
  inFlight: number;
}

/** Chooses among the pools of a task. */
type Choice = (run: BalancedRun) => PoolRoute | undefined;

/** Finds the pool for a task. */
export interface PoolRoutes {
  /** Takes a place there; `leave` gives it back, if it is counted. @throws PawlError `NO_SUCH_TASK` */
  enter(task: string, key: string | undefined): PoolRoute;
  leave(route: PoolRoute): void;
  /** Each pool once. */
  readonly pools: readonly ExecutorPool[];
}

/** A pool has a queue: it always takes one more. */
const ALWAYS_ROOM = Number.MAX_SAFE_INTEGER;
const ALL_OTHERS = '*';

/** @param pools by task; several for one task are equal */
export function createPoolRoutes(
  pools: Readonly<Record<string, ExecutorPool | readonly ExecutorPool[]>>,
  options: { readonly balancer: BalancerFactory; readonly random: Random },
): PoolRoutes {
  // A pool that serves several tasks has one load.
  const routes = new Map<ExecutorPool, PoolRoute>();
  const balancersOf = new Map<PoolRoute, Balancer<PoolRoute>[]>();
  const byTask = new Map(
    Object.entries(pools).map(([task, given]): [string, Choice] => {
      const equal = [given].flat().map((pool) => {
        const route = routes.get(pool) ?? routeOf(pool, routes.size + 1);
        routes.set(pool, route);
        return route;
      });
      const [only] = equal;
      if (equal.length === 1) return [task, () => only];
      const balancer = options.balancer<PoolRoute>(options);
      for (const route of equal) {
        route.isCounted = true;
        balancersOf.set(route, [...(balancersOf.get(route) ?? []), balancer]);
        balancer.set(route);
      }
      return [task, (run) => balancer.pick(run)];
    }),
  );

  function count(route: PoolRoute, change: 1 | -1): void {
    route.inFlight += change;
    for (const balancer of balancersOf.get(route) ?? []) balancer.set(route);
  }

  return {
    enter(task, key) {
      const route = (byTask.get(task) ?? byTask.get(ALL_OTHERS))?.({ task, key });
      if (route === undefined) {
        throw new PawlError(
          `No pool runs "${task}". There are pools for: ${[...byTask.keys()].join(', ')}.`,
          {
            code: 'NO_SUCH_TASK',
          },
        );
      }
      if (route.isCounted) count(route, 1);
      return route;
    },
    leave: (route) => count(route, -1),
    pools: [...routes.keys()],
  };
}

function routeOf(pool: ExecutorPool, number: number): PoolRoute {
  return {
    id: `pool-${number}`,
    pool,
    isCounted: false,
    inFlight: 0,
    maxInFlight: ALWAYS_ROOM,
    health: 'healthy',
  };
}
