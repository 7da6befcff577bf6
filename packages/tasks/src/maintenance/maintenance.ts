import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkKnownKeys, type Clock, type Logger, silentLogger, systemClock } from '@pawl/core';
import type { PeriodicTasks } from '../patterns/periodic.ts';
import { type EndedRuns, removeOldRuns } from './old-runs.ts';
import { checkSystemHealth, type HealthThresholds, readSystem } from './system-health.ts';
import { createSystemProbe, type SystemProbe } from './system-probe.ts';
import { removeTempFiles } from './temp-files.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface MaintenanceOptions {
  /** The store whose ended runs are forgotten; without one that job is not registered. */
  readonly runs?: EndedRuns;
  /** Runs that ended longer ago than this are forgotten, in milliseconds. @default 86400000 (24 h) */
  readonly maxRunAgeMs?: number;
  /** The folder of temporary files. @default "pawl" in the system's folder for them */
  readonly tempFolder?: string;
  /** Temporary files older than this are removed, in milliseconds. @default 86400000 (24 h) */
  readonly maxTempFileAgeMs?: number;
  /** What counts as too much: memory 80 %, disk 90 % and CPU 90 % unless given. */
  readonly thresholds?: HealthThresholds;
  /** @default createSystemProbe() */
  readonly probe?: SystemProbe;
  /** Added to the statistics that are logged. */
  readonly statistics?: () => object;
  /** Where the jobs report. @default silentLogger */
  readonly logger?: Logger;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** The jobs, their names and their intervals, in milliseconds. */
export const maintenanceJobs: Readonly<Record<MaintenanceJob, number>> = {
  'old-runs': HOUR_MS,
  'system-health': 5 * MINUTE_MS,
  'temp-files': 6 * HOUR_MS,
  statistics: 15 * MINUTE_MS,
};

export type MaintenanceJob = 'old-runs' | 'statistics' | 'system-health' | 'temp-files';

const KEYS: readonly (keyof MaintenanceOptions)[] = [
  'runs',
  'maxRunAgeMs',
  'tempFolder',
  'maxTempFileAgeMs',
  'thresholds',
  'probe',
  'statistics',
  'logger',
  'clock',
];

/**
 * Makes the jobs that keep a host tidy: call one on demand, or register them all. Each logs what it found and
 * returns it.
 * @throws TypeError for an unknown option
 */
export function createMaintenance(options: MaintenanceOptions = {}): Maintenance {
  checkKnownKeys('createMaintenance', options, KEYS);
  const { runs, maxRunAgeMs = 24 * HOUR_MS, maxTempFileAgeMs = 24 * HOUR_MS } = options;
  const { clock = systemClock, logger = silentLogger, tempFolder = join(tmpdir(), 'pawl') } = options;
  const probe = options.probe ?? createSystemProbe({ clock });

  const jobs: Record<MaintenanceJob, () => Promise<unknown>> = {
    'old-runs': async () => {
      const removed = runs === undefined ? 0 : await removeOldRuns({ runs, maxAgeMs: maxRunAgeMs, clock });
      logger.info({ removed }, `Forgot ${removed} old runs.`);
      return removed;
    },
    'system-health': async () => {
      const health = await checkSystemHealth(probe, options.thresholds);
      if (health.status === 'healthy') logger.debug(health, 'The system is healthy.');
      else logger.warn(health, health.findings.join(' '));
      return health;
    },
    'temp-files': async () => {
      const removed = await removeTempFiles({
        folder: tempFolder,
        maxAgeMs: maxTempFileAgeMs,
        clock,
        logger,
      });
      logger.info({ removed, folder: tempFolder }, `Removed ${removed} old temporary files.`);
      return removed;
    },
    statistics: async () => {
      const { readings } = await readSystem(probe);
      const statistics = { ...readings, ...options.statistics?.() };
      logger.info(statistics, 'Statistics.');
      return statistics;
    },
  };

  return {
    run: async (job) => jobs[job](),
    register(tasks) {
      for (const [job, everyMs] of Object.entries(maintenanceJobs) as [MaintenanceJob, number][]) {
        if (job !== 'old-runs' || runs !== undefined) tasks.register(job, { everyMs }, () => jobs[job]());
      }
    },
  };
}

export interface Maintenance {
  /**
   * Runs a job now: `old-runs` and `temp-files` tell how many they removed, `system-health` a SystemHealth,
   * `statistics` what was logged.
   */
  run(job: MaintenanceJob): Promise<unknown>;
  /** Registers all jobs under their names, with their intervals. */
  register(tasks: Pick<PeriodicTasks, 'register'>): void;
}
