import { type Clock, type Logger, PawlError, type StopOptions, type StopReport } from '@pawl/core';
import {
  createMaintenance,
  createPeriodicTasks,
  type EndedRuns,
  maintenanceJobs,
  type OutputLogs,
} from '@pawl/tasks';
import type { ServiceStore } from '../service-store.ts';

/** The jobs that keep a service tidy. */
const JOBS = {
  'old-runs': 'Removes runs that ended longer ago than they are kept, with their logs.',
  'output-logs': 'Removes the logs of runs that are no more.',
  'system-health': 'Looks at memory, disk and processors.',
  'temp-files':
    'Removes files older than a day from `pawl` in the folder of temporary files, where scripts may put them.',
  statistics: 'Writes memory, disk, processors and the number of runs to the log.',
  'store-check': 'Reads the whole store and compares what must agree. The service stands still meanwhile.',
} as const;
type JobName = keyof typeof JOBS;

const HOUR_MS = 3_600_000;
const INTERVALS_MS: Readonly<Record<JobName, number>> = {
  ...maintenanceJobs,
  'output-logs': HOUR_MS,
  'store-check': 24 * HOUR_MS,
};

/** How often a job ran, and what came of it last. Instants are milliseconds since the epoch. */
export interface JobState {
  readonly job: JobName;
  readonly description: string;
  readonly everyMs: number;
  readonly running: boolean;
  readonly successes: number;
  readonly errors: number;
  readonly lastRunAt: number | undefined;
  readonly lastDurationMs: number | undefined;
  /** Any JSON. */
  readonly lastResult: unknown;
  readonly lastError: string | undefined;
  readonly nextRunAt: number | undefined;
}

/** Runs the jobs by themselves, and when somebody asks. */
export interface MaintenanceJobs {
  /** Each runs from now on at the next multiple of its interval. */
  start(): Promise<void>;
  stop(options?: StopOptions): Promise<StopReport>;
  /** In the order of their names. */
  list(): readonly JobState[];
  /** Runs a job now, or waits for it if it runs. @throws PawlError `JOB_NOT_FOUND`; what the job throws */
  run(job: string): Promise<JobState>;
}

export interface MaintenanceJobsOptions {
  readonly store: Pick<ServiceStore, 'integrity'> & { readonly runs: EndedRuns };
  readonly logs: Pick<OutputLogs, 'sweep'>;
  /** How long runs are kept that have ended, in milliseconds. */
  readonly retentionMs: number;
  /** Added to the statistics that are logged. */
  readonly statistics: () => object;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createMaintenanceJobs(options: MaintenanceJobsOptions): MaintenanceJobs {
  const { store, logs, clock, logger } = options;
  const maintenance = createMaintenance({
    runs: store.runs,
    maxRunAgeMs: options.retentionMs,
    statistics: options.statistics,
    logger,
    clock,
  });
  const work: Readonly<Record<JobName, () => Promise<unknown>>> = {
    'old-runs': async () => ({ removed: await maintenance.run('old-runs') }),
    'temp-files': async () => ({ removed: await maintenance.run('temp-files') }),
    'system-health': () => maintenance.run('system-health'),
    statistics: () => maintenance.run('statistics'),
    'output-logs': async () => ({ removed: (await logs.sweep()).length }),
    async 'store-check'() {
      const report = await store.integrity();
      if (!report.ok) logger.error({ ...report }, `The store is damaged: ${report.problems.join(' ')}`);
      return report;
    },
  };
  const jobs = (Object.keys(JOBS) as JobName[]).toSorted().map((name) => new Job(name, work[name], clock));
  const periodic = createPeriodicTasks({ clock, logger });
  for (const job of jobs) {
    // On a grid, so that nothing runs while the service starts.
    const timing = { everyMs: INTERVALS_MS[job.name], pace: 'fixed-rate', misfire: 'skip' } as const;
    periodic.register(job.name, timing, () => job.run());
  }

  const stateOf = (job: Job): JobState => {
    const nextRunAt = periodic.statistics().find(({ name }) => name === job.name)?.nextRunAt;
    return { ...job.facts, nextRunAt };
  };

  return {
    start: () => periodic.startAll(),
    stop: (stopOptions) => periodic.stopAll(stopOptions),
    list: () => jobs.map(stateOf),
    async run(name) {
      const job = jobs.find((each) => each.name === name);
      if (job === undefined) {
        const known = jobs.map((each) => each.name).join(', ');
        throw new PawlError(`There is no maintenance job ${JSON.stringify(name)}. Known: ${known}.`, {
          code: 'JOB_NOT_FOUND',
        });
      }
      await job.run();
      return stateOf(job);
    },
  };
}

/** One job: it runs once at a time, however many ask. */
class Job {
  readonly name: JobName;
  readonly #work: () => Promise<unknown>;
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  #successes = 0;
  #errors = 0;
  #lastRunAt: number | undefined;
  #lastDurationMs: number | undefined;
  #lastResult: unknown = null;
  #lastError: string | undefined;

  constructor(name: JobName, work: () => Promise<unknown>, clock: Clock) {
    this.name = name;
    this.#work = work;
    this.#clock = clock;
  }

  get facts(): Omit<JobState, 'nextRunAt'> {
    return {
      job: this.name,
      description: JOBS[this.name],
      everyMs: INTERVALS_MS[this.name],
      running: this.#running !== undefined,
      successes: this.#successes,
      errors: this.#errors,
      lastRunAt: this.#lastRunAt,
      lastDurationMs: this.#lastDurationMs,
      lastResult: this.#lastResult,
      lastError: this.#lastError,
    };
  }

  /** Joins the run that goes on. @throws what the work throws */
  run(): Promise<void> {
    this.#running ??= this.#runOnce().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #runOnce(): Promise<void> {
    const startedAt = this.#clock.now();
    this.#lastRunAt = this.#clock.wallTime();
    try {
      this.#lastResult = await this.#work();
      this.#lastError = undefined;
      this.#successes += 1;
    } catch (error) {
      this.#lastError = error instanceof Error ? error.message : String(error);
      this.#errors += 1;
      throw error;
    } finally {
      this.#lastDurationMs = Math.round(this.#clock.now() - startedAt);
    }
  }
}
