import type { EventSource, Service } from '@pawl/core';
import type { PoolEvents } from '../events.ts';
import { createPoolOf } from './pool-assembly.ts';
import { type PoolOptions, resolvePoolOptions } from './pool-options.ts';
import type { PoolStats, WorkerStatus } from './pool-stats.ts';
import { createProcessManager } from './process-manager.ts';
import type { MapOptions } from './run-map.ts';
import type { RunStream, StreamOptions } from './run-stream.ts';
import type { AnyTasks, ChunkOf, InputOf, ResultOf, RunArguments, TaskName } from './typed-tasks.ts';
import { createWorkerProcess } from './worker-process.ts';

/** Runs tasks in worker processes. Every run settles, whatever becomes of its worker. */
export interface ProcessPool<Tasks = AnyTasks> extends Service, EventSource<PoolEvents> {
  /**
   * Runs a task in a worker; waits in the queue when none is free. Starts the pool if need be.
   * @throws what the task threw (as RemoteError), WorkerCrashedError, RunTimeoutError, WorkerStartError, CrashLoopError,
   * QueueFullError, PoisonRunError, PoolStoppedError, or the reason of `options.signal`
   */
  run<Name extends TaskName<Tasks>>(
    task: Name,
    ...rest: RunArguments<Tasks, Name>
  ): Promise<ResultOf<Tasks, Name>>;
  /**
   * Runs a task that sends chunks, and gives them as they come. The task waits for a reader that is slower than it.
   * Leaving the loop cancels the run; what ends the run ends the loop.
   */
  stream<Name extends TaskName<Tasks>>(
    task: Name,
    ...rest: RunArguments<Tasks, Name, StreamOptions>
  ): RunStream<ChunkOf<Tasks, Name>, ResultOf<Tasks, Name>>;
  /**
   * Runs a task for each input, some of them at once, and gives the results. The first failure ends it; it, or leaving
   * the loop, cancels the runs under way.
   */
  map<Name extends TaskName<Tasks>>(
    task: Name,
    inputs: Iterable<InputOf<Tasks, Name>> | AsyncIterable<InputOf<Tasks, Name>>,
    options?: MapOptions,
  ): AsyncIterable<ResultOf<Tasks, Name>>;
  /** Fixes the number of workers. Resolves when new ones are ready; surplus busy ones finish their run first. */
  scaleTo(workers: number): Promise<void>;
  /**
   * Replaces a worker, or all of them: each ends once another is ready in its place and it is done with its runs. One
   * that starts, or is being replaced already, is left alone.
   * @returns how many will be replaced
   */
  recycle(workerId?: string): number;
  /**
   * Takes a worker out of service: it begins nothing more, finishes the runs it executes, and ends. It counts no more
   * from now on; another is started only if there are too few then, by `minWorkers` or by the runs that wait.
   * Resolves when its process is gone. Twice is once.
   * @throws WorkerNotFoundError when the pool has none of that id, or no more
   */
  drain(workerId: string): Promise<void>;
  /** How many workers there are at least and at most, as set or as last scaled to. */
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** How long a run may take unless it says so, in milliseconds. */
  readonly runTimeoutMs: number;
  /** Workers that start, are ready, or busy. */
  readonly size: number;
  /** Whether as many runs wait as may: a good producer pauses until `queue:drain`. */
  readonly needsDrain: boolean;
  stats(): PoolStats;
  workers(): readonly WorkerStatus[];
}

/**
 * Makes a pool of worker processes. With the type of the worker's module, its runs are typed:
 * `createPool<typeof import('./tasks.ts')>({ worker: new URL('./tasks.ts', import.meta.url) })`.
 * @throws TypeError, RangeError for wrong options
 */
export function createPool<Tasks = AnyTasks>(options: PoolOptions): ProcessPool<Tasks> {
  const pool = resolvePoolOptions(options);
  const manager = createProcessManager({ clock: pool.clock });
  return createPoolOf<Tasks>(pool, {
    createWorker: (worker) => createWorkerProcess({ ...worker, manager }),
    stop: async () => void (await manager.stop({ graceMs: 0 })),
  });
}
