import {
  checkFunction,
  checkKnownKeys,
  checkString,
  type Clock,
  type Logger,
  PawlError,
  silentLogger,
  type StopOptions,
  type StopReport,
  systemClock,
} from '@pawl/core';
import type { IntervalPace, Schedule } from '../schedule/schedule.ts';
import { createScheduler, type ManualRun, type Scheduler } from '../schedule/scheduler.ts';
import type { SlotRun } from '../schedule/slot-runs.ts';
import { compileSchedule } from '../schedule/slots.ts';

/** When a periodic task runs: the fields of a schedule that make sense for a function of this process. */
export type PeriodicTiming = Pick<
  Schedule,
  | 'cron'
  | 'dstGap'
  | 'dstOverlap'
  | 'everyMs'
  | 'jitterMs'
  | 'maxRuns'
  | 'misfire'
  | 'misfireWindowMs'
  | 'overlap'
  | 'pauseAfterFailures'
  | 'timeZone'
> & {
  /** With `everyMs`: at once and then after each end, or on a fixed grid. @default 'fixed-delay' */
  readonly pace?: IntervalPace;
};

/** The work. What it throws is counted, logged, and never ends the task. */
export type PeriodicWork = (run: Pick<SlotRun, 'nominalAt' | 'signal' | 'trigger'>) => unknown;

/** Instants are milliseconds since the epoch. */
export interface PeriodicStatistics {
  readonly name: string;
  readonly running: boolean;
  readonly successes: number;
  readonly errors: number;
  /** When the latest run started. */
  readonly lastRunAt: number | undefined;
  readonly lastDurationMs: number | undefined;
  readonly lastError: unknown;
  readonly nextRunAt: number | undefined;
}

export interface PeriodicTasksOptions {
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of runs that fail. @default silentLogger */
  readonly logger?: Logger;
}

/** Functions that run again and again in this process, as long as it lives. */
export interface PeriodicTasks extends AsyncDisposable {
  /**
   * Adds a task; it starts with the others, or at once when they have started.
   * @throws TypeError, RangeError for a wrong timing; PERIODIC_TASK_EXISTS for a name that is taken
   */
  register(name: string, timing: PeriodicTiming, fn: PeriodicWork): void;
  /** Takes a task away; a run of it goes on. @returns whether there was one */
  unregister(name: string): Promise<boolean>;
  startAll(): Promise<void>;
  /** Starts no more runs, lets running ones end within the grace, then aborts them. For good, as any stop. */
  stopAll(options?: StopOptions): Promise<StopReport>;
  /** Runs a task now, unless it runs already. Only between `startAll` and `stopAll`. */
  runNow(name: string): Promise<ManualRun>;
  /** All tasks in the order of their names. */
  statistics(): readonly PeriodicStatistics[];
}

interface PeriodicTask {
  readonly schedule: Schedule;
  readonly fn: PeriodicWork;
  successes: number;
  errors: number;
  lastRunAt: number | undefined;
  lastDurationMs: number | undefined;
  lastError: unknown;
}

/** Makes a set of periodic tasks. @throws TypeError for wrong options */
export function createPeriodicTasks(options: PeriodicTasksOptions = {}): PeriodicTasks {
  checkKnownKeys('createPeriodicTasks', options, ['clock', 'logger']);
  const { clock = systemClock, logger = silentLogger } = options;
  const tasks = new Map<string, PeriodicTask>();
  const scheduler: Scheduler = createScheduler({
    clock,
    logger,
    fire: (run) => tasks.get(run.scheduleId)?.fn(run),
  });

  scheduler.on('run:started', ({ scheduleId }) => {
    const task = tasks.get(scheduleId);
    if (task !== undefined) task.lastRunAt = clock.wallTime();
  });
  scheduler.on('run:succeeded', ({ scheduleId, durationMs }) => {
    const task = tasks.get(scheduleId);
    if (task === undefined) return;
    task.successes += 1;
    task.lastDurationMs = durationMs;
  });
  scheduler.on('run:failed', ({ scheduleId, durationMs, error }) => {
    logger.error({ err: error, task: scheduleId }, `The periodic task "${scheduleId}" failed.`);
    const task = tasks.get(scheduleId);
    if (task === undefined) return;
    task.errors += 1;
    task.lastDurationMs = durationMs;
    task.lastError = error;
  });

  const statisticsOf = (name: string, task: PeriodicTask): PeriodicStatistics => {
    const status = scheduler.get(name);
    const { successes, errors, lastRunAt, lastDurationMs, lastError } = task;
    const running = (status?.running ?? 0) > 0;
    return {
      name,
      running,
      successes,
      errors,
      lastRunAt,
      lastDurationMs,
      lastError,
      nextRunAt: status?.nextAt,
    };
  };

  return {
    register(name, timing, fn) {
      checkString('name', name);
      checkFunction('fn', fn);
      if (tasks.has(name)) {
        throw new PawlError(`There is a periodic task "${name}" already.`, { code: 'PERIODIC_TASK_EXISTS' });
      }
      const pace = timing.everyMs === undefined ? {} : ({ pace: 'fixed-delay' } as const);
      const schedule: Schedule = { ...pace, ...timing, id: name };
      compileSchedule(schedule);
      tasks.set(name, {
        schedule,
        fn,
        successes: 0,
        errors: 0,
        lastRunAt: undefined,
        lastDurationMs: undefined,
        lastError: undefined,
      });
      if (scheduler.state === 'running') void scheduler.save(schedule);
    },
    async unregister(name) {
      await scheduler.remove(name);
      return tasks.delete(name);
    },
    async startAll() {
      await scheduler.start();
      for (const { schedule } of tasks.values()) await scheduler.save(schedule);
    },
    stopAll: (stopOptions) => scheduler.stop(stopOptions),
    runNow: (name) => scheduler.runNow(name),
    statistics: () =>
      [...tasks.entries()]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, task]) => statisticsOf(name, task)),
    [Symbol.asyncDispose]: () => scheduler[Symbol.asyncDispose](),
  };
}
