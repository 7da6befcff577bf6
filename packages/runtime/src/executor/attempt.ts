import type { Clock } from '@pawl/core';
import { type CancelScope, scopeOf } from '@pawl/resilience';
import type { RunOptions } from '../process/run-options.ts';
import { AttemptSpan } from './attempt-span.ts';
import { attemptOptions } from './context.ts';
import type { Execution } from './execution.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import type { RunAttempt } from './executor-options.ts';
import type { ExecutorPool, PoolRoute, PoolRoutes } from './pool-routes.ts';
import type { Step } from './stage.ts';

/** Executes one attempt in a pool; the default calls its `run`. */
export type RunInPool = (pool: ExecutorPool, execution: Execution, options: RunOptions) => Promise<unknown>;

export interface AttemptOptions {
  readonly emitter: ExecutorEmitter;
  readonly clock: Clock;
  readonly run: RunAttempt | undefined;
  readonly routes: PoolRoutes;
}

/** The innermost step: an attempt with its span of events, in the pool for its task or by `run`. */
export function createAttempt(
  { emitter, clock, run, routes }: AttemptOptions,
  runInPool: RunInPool = (pool, { task, input }, options) => pool.run(task, input, options),
): Step {
  /** What is left of the run's time bounds the attempt, if it is known what would bound it otherwise. */
  function timeoutOf(execution: Execution, ownLimitMs: number | undefined): number | undefined {
    const limitMs = execution.options.attemptTimeoutMs ?? ownLimitMs;
    if (limitMs === undefined || execution.timeoutMs === Infinity) return limitMs;
    return Math.min(limitMs, execution.remainingMs(clock.now()));
  }

  /** Counts work in a route until it has ended. */
  function inRoute(route: PoolRoute, start: () => Promise<unknown>): Promise<unknown> {
    if (!route.isCounted) return start();
    const leave = (): void => routes.leave(route);
    try {
      const work = start();
      work.then(leave, leave);
      return work;
    } catch (error) {
      leave();
      throw error;
    }
  }

  function begin(execution: Execution, attempt: number, scope: CancelScope): Promise<unknown> {
    const { task, input, runId, occupation } = execution;
    if (run !== undefined) {
      execution.stage = 'worker';
      const timeoutMs = timeoutOf(execution, execution.timeoutMs === Infinity ? undefined : Infinity);
      const options = attemptOptions(execution, { attempt, scope, timeoutMs });
      const work = (async () => run(task, input, options))();
      occupation?.enter(work, runId);
      return scope.guard(work);
    }
    const route = routes.enter(task, execution.options.key);
    const { pool } = route;
    // One that tells nothing of its workers is taken to have one at once.
    execution.stage = pool.on === undefined ? 'worker' : 'queue';
    const options = attemptOptions(execution, {
      attempt,
      scope,
      timeoutMs: timeoutOf(execution, pool.runTimeoutMs),
    });
    const work = inRoute(route, () => runInPool(pool, execution, options));
    occupation?.enter(work, runId, pool);
    return options.isHeededBy(work) ? work : scope.guard(work);
  }

  return (execution, context) => {
    const { attempt } = context;
    const scope = scopeOf(context) ?? execution.scope;
    if (scope.aborted) return Promise.reject(scope.reason);
    const span = new AttemptSpan(execution, attempt, { emitter, clock });
    const fail = (error: unknown): never => {
      span.fail(error);
      throw error;
    };
    try {
      return begin(execution, attempt, scope).then((value) => {
        span.succeed();
        return value;
      }, fail);
    } catch (error) {
      span.fail(error);
      return Promise.reject(error);
    }
  };
}
