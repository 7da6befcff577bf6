import { type Clock, untilAborted } from '@pawl/core';
import { type AttemptContext, attemptOptions } from './context.ts';
import type { AttemptSpan, Execution } from './execution.ts';
import type { ExecutorEmitter } from './executor-events.ts';
import type { RunAttempt } from './executor-options.ts';
import type { ExecutorPool, PoolRoutes } from './pool-routes.ts';
import { whenWorkerIsDone } from './worker-occupation.ts';

/** Where an attempt stands in the series of its run, and what cuts it. */
export interface AttemptPlace {
  readonly attempt: number;
  /** Absent for a run that can't be cut. */
  readonly signal?: AbortSignal | undefined;
}

/** Executes one attempt of a run. */
export type Attempt = (execution: Execution, place: AttemptPlace) => Promise<unknown>;

/** Executes one attempt in a pool; the default calls its `run`. */
export type RunInPool = (
  pool: ExecutorPool,
  execution: Execution,
  options: ReturnType<typeof attemptOptions>,
) => Promise<unknown>;

export interface AttemptOptions {
  readonly emitter: ExecutorEmitter;
  readonly clock: Clock;
  readonly run: RunAttempt | undefined;
  readonly routes: PoolRoutes;
}

/** The innermost stage: an attempt with its span of events, in the pool for its task or by `run`. */
export function createAttempt(
  { emitter, clock, run, routes }: AttemptOptions,
  runInPool: RunInPool = (pool, { task, input }, options) => pool.run(task, input, options),
): Attempt {
  function openSpan(execution: Execution, attempt: number): AttemptSpan {
    const { runId, task } = execution;
    const startedAt = clock.now();
    const span: AttemptSpan = {
      succeed() {
        if (!execution.spans.delete(span)) return;
        emitter.emit('attempt:succeeded', { runId, task, attempt, durationMs: clock.now() - startedAt });
      },
      fail(error) {
        if (!execution.spans.delete(span)) return;
        emitter.emit('attempt:failed', { runId, task, attempt, durationMs: clock.now() - startedAt, error });
      },
    };
    execution.spans.add(span);
    execution.attempts += 1;
    emitter.emit('attempt:started', { runId, task, attempt });
    return span;
  }

  /** What is left of the run's time bounds the attempt, if it is known what would bound it otherwise. */
  function timeoutOf(execution: Execution, ownLimitMs: number | undefined): number | undefined {
    const limitMs = execution.options.attemptTimeoutMs ?? ownLimitMs;
    return limitMs === undefined ? undefined : Math.min(limitMs, execution.remainingMs(clock.now()));
  }

  function begin(execution: Execution, { attempt, signal }: AttemptPlace): Promise<unknown> {
    const { task, input } = execution;
    if (run !== undefined) {
      execution.stage = 'worker';
      const timeoutMs = timeoutOf(execution, execution.timeoutMs === Infinity ? undefined : Infinity);
      const context = attemptOptions(execution, { attempt, signal, timeoutMs }) as AttemptContext;
      const work = (async () => run(task, input, context))();
      execution.held?.push(work);
      return work;
    }
    const route = routes.enter(task, execution.options.key);
    const { pool } = route;
    // One that tells nothing of its workers is taken to have one at once.
    execution.stage = pool.on === undefined ? 'worker' : 'queue';
    const timeoutMs = timeoutOf(execution, pool.runTimeoutMs);
    const leave = (): void => routes.leave(route);
    let work: Promise<unknown>;
    try {
      work = runInPool(pool, execution, attemptOptions(execution, { attempt, signal, timeoutMs }));
    } catch (error) {
      leave();
      throw error;
    }
    work.then(leave, leave);
    execution.held?.push(whenWorkerIsDone(work, pool, execution.runId));
    return work;
  }

  return async (execution, place) => {
    const { signal } = place;
    signal?.throwIfAborted();
    const span = openSpan(execution, place.attempt);
    try {
      const work = begin(execution, place);
      const value = await (signal === undefined ? work : untilAborted(work, signal));
      span.succeed();
      return value;
    } catch (error) {
      span.fail(error);
      throw error;
    }
  };
}
