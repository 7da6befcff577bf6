import type { Clock } from '@pawl/core';
import type { RunnerPool } from '@pawl/python';
import type { WorkerStatus } from '@pawl/runtime';
import type { Run, RunTracker } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { DrainView, PoolView, WorkerView } from '../api/worker-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { type ProcessUsage, readProcessUsage } from './process-usage.ts';

/** The pools of the service and all processes that work for it. */
export interface Workers {
  pools(): readonly PoolView[];
  /** Workers of pools, and the processes of running runs. */
  workers(): Promise<readonly WorkerView[]>;
  /** Resolves when the workers are there. @throws HttpError 404, 503 */
  scale(pool: string, size: number): Promise<PoolView>;
  /** Replaces all workers of a pool; none loses its run. @returns how many @throws HttpError 404, 503 */
  recyclePool(pool: string): number;
  /** @throws HttpError 404, 409 for the process of a run */
  recycleWorker(id: string): Promise<number>;
  /** Takes a worker out of service: it finishes what it runs, and ends. Answers at once. @throws as `recycleWorker` */
  drainWorker(id: string): Promise<DrainView>;
}

export interface WorkersOptions {
  /** The workers that programs run in; `pool` is undefined until they are started. */
  readonly runner: { readonly pool: RunnerPool | undefined };
  readonly tracker: Pick<RunTracker, 'get' | 'list'>;
  readonly clock: Clock;
}

interface PooledWorker extends WorkerStatus {
  readonly pool: RunnerPool;
}

/** The only pool there is. */
const PYTHON = 'python';
/** Of a worker's id, before the pool's own name for it. */
const PREFIX = `${PYTHON}.`;
/** As many runs as can be going on. */
const MOST_RUNNING = 1_000;

export function createWorkers({ runner, tracker, clock }: WorkersOptions): Workers {
  function find(name: string): RunnerPool {
    if (name !== PYTHON)
      throw new HttpError(404, 'POOL_NOT_FOUND', `There is no pool \`${name}\`. Known: ${PYTHON}.`);
    if (runner.pool !== undefined) return runner.pool;
    throw new HttpError(
      503,
      'POOL_NOT_STARTED',
      'The Python workers are not started: no sandbox works here.',
    );
  }

  async function findPooled(id: string): Promise<PooledWorker> {
    const { pool } = runner;
    const found = pool?.workers().find(({ workerId }) => PREFIX + workerId === id);
    if (pool !== undefined && found !== undefined) return { pool, ...found };
    if ((await tracker.get(id))?.state === 'running') {
      throw new HttpError(
        409,
        'WORKER_NOT_POOLED',
        `${id} is the process of a run: cancel the run to end it.`,
      );
    }
    throw new HttpError(404, 'WORKER_NOT_FOUND', `There is no worker \`${id}\`; it may have ended.`);
  }

  return {
    pools: () => (runner.pool === undefined ? [] : [poolView(runner.pool)]),
    async workers() {
      const pooled = runner.pool?.workers() ?? [];
      const { runs } = await tracker.list({ state: 'running', limit: MOST_RUNNING });
      const processes = runs.flatMap((run) => {
        const started = run.attempts.at(-1)?.process;
        return started === undefined ? [] : [{ run, pid: started.pid }];
      });
      const pids = [...pooled.map(({ pid }) => pid), ...processes.map(({ pid }) => pid)];
      const usage = await readProcessUsage(pids.filter((pid) => pid !== undefined));
      const now = clock.wallTime();
      return [
        ...pooled.map((worker) =>
          pooledView(worker, worker.pid === undefined ? undefined : usage.get(worker.pid), now),
        ),
        ...processes.map(({ run, pid }) => processView(run, pid, usage.get(pid))),
      ];
    },
    async scale(name, size) {
      const pool = find(name);
      await pool.scaleTo(size);
      return poolView(pool);
    },
    recyclePool: (name) => find(name).recycle(),
    async recycleWorker(id) {
      const { pool, workerId } = await findPooled(id);
      return pool.recycle(workerId);
    },
    async drainWorker(id) {
      const { pool, workerId, runId = null } = await findPooled(id);
      // One that has just ended by itself is as gone.
      pool.drain(workerId).catch(() => undefined);
      return { runId };
    },
  };
}

function poolView(pool: RunnerPool): PoolView {
  const stats = pool.stats();
  return {
    name: PYTHON,
    workers: stats.size,
    busy: stats.workers.busy,
    idle: stats.workers.ready,
    starting: stats.workers.starting,
    waiting: stats.queued,
    min: pool.minWorkers,
    max: pool.maxWorkers,
    runs: stats.succeeded + stats.failed + stats.timedOut + stats.cancelled + stats.lost,
    crashes: stats.crashed,
  };
}

function pooledView(worker: WorkerStatus, usage: ProcessUsage | undefined, now: number): WorkerView {
  return {
    id: PREFIX + worker.workerId,
    kind: 'pool',
    pool: PYTHON,
    pid: worker.pid ?? null,
    state: worker.state,
    runId: worker.runId ?? null,
    startedAt: toIso(now - worker.ageMs),
    runs: worker.runsDone,
    processes: usage?.processes ?? null,
    rssBytes: usage?.rssBytes ?? worker.rssBytes ?? null,
    cpuMs: usage?.cpuMs ?? null,
    heartbeatAt: toIso(now - worker.silentMs),
    health: worker.health,
    findings: worker.findings.map(({ reason }) => reason),
  };
}

function processView(run: Run, pid: number, usage: ProcessUsage | undefined): WorkerView {
  return {
    id: run.id,
    kind: 'run',
    pool: null,
    pid,
    state: 'busy',
    runId: run.id,
    startedAt: toIso(run.attempts.at(-1)?.startedAt),
    runs: 0,
    processes: usage?.processes ?? null,
    rssBytes: usage?.rssBytes ?? null,
    cpuMs: usage?.cpuMs ?? null,
    heartbeatAt: toIso(run.heartbeatAt),
    health: null,
    findings: [],
  };
}
