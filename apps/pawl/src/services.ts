import type { Clock } from '@pawl/core';
import type { ShutdownCoordinator } from '@pawl/resilience';
import type { OutputLogs, RunTracker } from '@pawl/tasks';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { EventStreams } from './event-stream.ts';
import type { EventHub } from './events/event-hub.ts';
import type { HealthCheck } from './health-check.ts';
import type { MaintenanceJobs } from './maintenance/maintenance-jobs.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Modules } from './modules/modules.ts';
import type { Executions } from './python/executions.ts';
import type { Programs } from './python/programs.ts';
import type { RunLogs } from './runs/run-logs.ts';
import type { LiveRuns } from './runs/live-runs.ts';
import type { Runs } from './runs/runs.ts';
import type { Schedules } from './schedules/schedules.ts';
import type { ServiceStore } from './service-store.ts';
import type { SystemReport } from './system/system-report.ts';
import type { Tokens } from './tokens.ts';
import type { Workers } from './workers/workers.ts';

/** What `main.ts` makes and the routes use. */
export interface Services {
  readonly config: Config;
  readonly version: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly shutdown: ShutdownCoordinator;
  readonly tokens: Tokens;
  /** The stores of runs and schedules. */
  readonly store: ServiceStore;
  /** What runs print. */
  readonly logs: OutputLogs;
  readonly tracker: RunTracker;
  /** Tracked runs, as HTTP shows them. */
  readonly runs: Runs;
  readonly runLogs: RunLogs;
  /** The runs that are running now. */
  readonly live: LiveRuns;
  readonly modules: Modules;
  readonly schedules: Schedules;
  readonly maintenance: MaintenanceJobs;
  readonly workers: Workers;
  readonly system: SystemReport;
  readonly metrics: Metrics;
  /** What runs submitted Python. */
  readonly programs: Programs;
  readonly executions: Executions;
  readonly health: HealthCheck;
  /** What happens, for those who listen. */
  readonly events: EventHub;
  readonly streams: EventStreams;
}
