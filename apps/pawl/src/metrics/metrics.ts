import { isFinal, type RunTracker } from '@pawl/tasks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Workers } from '../workers/workers.ts';

/** What Prometheus reads. */
export interface Metrics {
  /** Text in the format of `contentType`. */
  read(): Promise<string>;
  readonly contentType: string;
  /** A request was answered. @param route its pattern, such as `/v1/runs/:id`; undefined for an address that none has */
  observeRequest(request: {
    readonly method: string;
    readonly route: string | undefined;
    readonly status: number;
    readonly durationMs: number;
  }): void;
}

export interface MetricsOptions {
  readonly version: string;
  readonly tracker: Pick<RunTracker, 'on' | 'counts'>;
  readonly workers: Pick<Workers, 'pools'>;
  /** How many event streams are open. */
  readonly streams: { readonly size: number };
}

/** From a few milliseconds to half a day, in seconds. */
const RUN_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 43_200];
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const POOL_FIGURES = [
  ['workers', 'Workers of a pool.'],
  ['busy', 'Workers that run a program.'],
  ['waiting', 'Programs that no worker runs yet.'],
  ['crashes', 'Workers that ended without being asked to, since the pool began.'],
] as const;

type Collect = (
  set: (value: number, labels?: Readonly<Record<string, string>>) => void,
) => void | Promise<void>;

/** In a registry of its own. Counters begin at 0 with the service; what is stored is told by gauges. */
export function createMetrics({ version, tracker, workers, streams }: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  // Ten times a second it is looked at how late the event loop is: more often would keep an idle machine awake.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  /** A gauge that is read when somebody asks. */
  function gauge(name: string, help: string, labels: readonly string[], collect: Collect): void {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: labels,
        registers: [],
        collect() {
          return collect((value, values = {}) => this.set(values, value));
        },
      }),
    );
  }

  gauge('pawl_info', 'The version of the service; always 1.', ['version'], (set) => set(1, { version }));
  gauge('pawl_runs', 'Runs in the store by their state.', ['state'], async (set) => {
    const { submitted: _all, removed: _gone, ...states } = await tracker.counts();
    for (const [state, count] of Object.entries(states)) set(count, { state });
  });
  gauge('pawl_event_streams', 'Streams of events that are open.', [], (set) => set(streams.size));
  for (const [figure, help] of POOL_FIGURES) {
    gauge(`pawl_pool_${figure}`, help, ['pool'], (set) => {
      for (const pool of workers.pools()) set(pool[figure], { pool: pool.name });
    });
  }

  const submitted = new Counter({
    name: 'pawl_runs_submitted_total',
    help: 'Runs that were submitted.',
    labelNames: ['task'],
    registers,
  });
  const ended = new Counter({
    name: 'pawl_runs_ended_total',
    help: 'Runs that ended, by how.',
    labelNames: ['task', 'state'],
    registers,
  });
  const attempts = new Counter({
    name: 'pawl_attempts_ended_total',
    help: 'Attempts of runs that ended, by how.',
    labelNames: ['task', 'outcome'],
    registers,
  });
  const waitSeconds = new Histogram({
    name: 'pawl_run_wait_seconds',
    help: 'From when a run might start until it did.',
    labelNames: ['task'],
    buckets: RUN_BUCKETS,
    registers,
  });
  const runSeconds = new Histogram({
    name: 'pawl_run_duration_seconds',
    help: 'From the start of the first attempt of a run to its end.',
    labelNames: ['task', 'state'],
    buckets: RUN_BUCKETS,
    registers,
  });
  tracker.on('run:submitted', ({ run }) => submitted.inc({ task: run.task }));
  tracker.on(
    'run:ended',
    ({ run: { task, state, startedAt, endedAt, createdAt, availableAt, attempts: tries } }) => {
      if (!isFinal(state)) return;
      ended.inc({ task, state });
      if (startedAt === undefined || endedAt === undefined) return;
      runSeconds.observe({ task, state }, Math.max(0, endedAt - startedAt) / 1_000);
      // With more than one attempt, `availableAt` is that of the last.
      const dueAt = tries.length > 1 ? createdAt : availableAt;
      waitSeconds.observe({ task }, Math.max(0, startedAt - dueAt) / 1_000);
    },
  );
  tracker.on('attempt:succeeded', ({ task }) => attempts.inc({ task, outcome: 'succeeded' }));
  tracker.on('attempt:failed', ({ task, outcome }) => attempts.inc({ task, outcome }));
  tracker.on('attempt:lost', ({ task }) => attempts.inc({ task, outcome: 'lost' }));

  const requestSeconds = new Histogram({
    name: 'pawl_http_request_duration_seconds',
    help: 'From a request to the end of its answer; streams count when they end.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  });

  return {
    read: () => registry.metrics(),
    contentType: registry.contentType,
    observeRequest({ method, route = 'none', status, durationMs }) {
      requestSeconds.observe({ method, route, status }, durationMs / 1_000);
    },
  };
}
