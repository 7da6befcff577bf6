import type { Http } from './http.ts';

export interface PoolView {
  readonly name: string;
  readonly workers: number;
  readonly busy: number;
  readonly idle: number;
  readonly starting: number;
  readonly waiting: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  readonly crashes: number;
}

/** A worker of a pool, or the process of a run. */
export interface WorkerView {
  readonly id: string;
  readonly kind: 'pool' | 'run';
  readonly pool: string | null;
  readonly pid: number | null;
  readonly state: string;
  readonly runId: string | null;
  readonly startedAt: string | null;
  /** Those it is done with. */
  readonly runs: number;
  /** In its process group. */
  readonly processes: number | null;
  readonly rssBytes: number | null;
  /** CPU time used so far. */
  readonly cpuMs: number | null;
  readonly heartbeatAt: string | null;
  /** What was wrong at the last heartbeat. */
  readonly findings: readonly string[];
}

export interface PoolsApi {
  list(signal?: AbortSignal): Promise<readonly PoolView[]>;
  workers(signal?: AbortSignal): Promise<readonly WorkerView[]>;
  scale(name: string, size: number): Promise<unknown>;
  /** Replaces all workers of a pool. */
  recycle(name: string): Promise<unknown>;
  recycleWorker(id: string): Promise<unknown>;
  /** It finishes its run, takes no other, and ends. */
  drainWorker(id: string): Promise<unknown>;
}

const pathOf = (name: string): string => `/v1/pools/${encodeURIComponent(name)}`;
const pathOfWorker = (id: string): string => `/v1/workers/${encodeURIComponent(id)}`;

export function createPoolsApi(http: Http): PoolsApi {
  return {
    async list(signal) {
      return (await http.json<{ pools: readonly PoolView[] }>('GET', '/v1/pools', { signal })).pools;
    },
    async workers(signal) {
      return (await http.json<{ workers: readonly WorkerView[] }>('GET', '/v1/workers', { signal })).workers;
    },
    scale: async (name, size) => http.json('POST', `${pathOf(name)}/scale`, { body: { size } }),
    recycle: async (name) => http.json('POST', `${pathOf(name)}/recycle`, { body: {} }),
    recycleWorker: async (id) => http.json('POST', `${pathOfWorker(id)}/recycle`, { body: {} }),
    drainWorker: async (id) => http.json('POST', `${pathOfWorker(id)}/drain`, { body: {} }),
  };
}
