import type { PoolEmitter } from './pool-emitter.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { WorkerProcess, WorkerProcessOptions } from './worker-process.ts';
import type { Slot } from './worker-slot.ts';

/** What a pool makes its workers of: `createWorkerProcess`, or a simulation of it. */
export type CreateWorker = (options: Omit<WorkerProcessOptions, 'manager'>) => WorkerProcess;

export interface WorkerLaunchOptions {
  readonly pool: ResolvedPoolOptions;
  readonly createWorker: CreateWorker;
  readonly emitter: PoolEmitter;
}

/**
 * Makes the workers of a pool, not started yet, and hands what they print to whoever asked for it.
 * @returns a function that takes the worker's id, and where its slot is found once that is there
 */
export function createWorkerLaunch(
  options: WorkerLaunchOptions,
): (id: string, slot: () => Slot) => WorkerProcess {
  const { pool, emitter } = options;
  return (id, slot) => {
    const runOf = (): { readonly runId?: string } => {
      const runId = slot().onlyRun?.runId;
      return runId === undefined ? {} : { runId };
    };
    return options.createWorker({
      ...pool,
      id,
      runsAtOnce: pool.runsPerWorker,
      onOutput: (stream, chunk) => {
        try {
          for (const run of slot().executing) run.options.onOutput?.(stream, chunk);
        } catch (error) {
          pool.logger.error({ err: error, workerId: id }, 'The output callback of a run failed.');
        }
      },
      onLine: (stream, line) => emitter.emit('worker:output', { workerId: id, stream, line, ...runOf() }),
      linesWanted: () => emitter.hears['worker:output'],
      onStrayOutput: (preview, sizeBytes) =>
        emitter.emit('worker:stray-output', { workerId: id, preview, sizeBytes, ...runOf() }),
    });
  };
}
