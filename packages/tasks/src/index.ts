// Tracking
export { createRunTracker } from './tracking/run-tracker.ts';
export type { CancelOptions, RunTracker, StartedRun, WaitOptions } from './tracking/run-tracker.ts';
export type { RunTrackerOptions } from './tracking/tracker-options.ts';
export type { RunContext, RunExecutor, RunRetryOptions } from './tracking/task-definition.ts';
export type { TaskDefinition, TaskFunction, TaskOptions } from './tracking/task-definition.ts';
export { processTask, type ProcessTaskOptions, type ProcessTaskResult } from './tracking/process-task.ts';
export type { RunSpec } from './tracking/run-spec.ts';
export type { AttemptFacts, TrackerEvents } from './tracking/tracker-events.ts';
export type { Attempt, AttemptOutcome, LossReceipt, NewRun, Run, RunFailure } from './tracking/run.ts';
export type { HostIdentity, ProcessIdentity } from './tracking/run.ts';
export { type FinalRunState, isFinal, RUN_MOVES, RUN_STATES, type RunState } from './tracking/run-state.ts';

// Run stores: the port, and what an implementation is made of
export type { AddedRun, BeatReport, CancelledRun, ClaimRequest, Claims } from './tracking/run-store.ts';
export type { OpenStoreOptions, RunCounts, RunStore } from './tracking/run-store.ts';
export { createMemoryRunStore } from './tracking/memory-run-store.ts';
export { comparePositions, resolveRunQuery, toCursor } from './tracking/run-query.ts';
export type { ResolvedRunQuery, RunPage, RunPosition, RunQuery } from './tracking/run-query.ts';
export {
  beatRun,
  cancelRun,
  claimRun,
  expireRun,
  noteProcess,
  queueRun,
} from './tracking/run-transitions.ts';
export { toRunFailure } from './tracking/run-failure.ts';
export { type AttemptEnding, type Beat, settleRun } from './tracking/run-transitions.ts';

// Errors of tracking
export { IllegalMoveError } from './tracking/run-state.ts';
export { RunStoreError, StoreLockedError, type StoreFault } from './tracking/store-errors.ts';
export {
  AttemptLostError,
  AttemptTimeoutError,
  IdempotencyConflictError,
} from './tracking/tracking-errors.ts';
export {
  RunCancelledError,
  RunDeadlineError,
  RunExistsError,
  RunNotEndedError,
  RunNotFoundError,
  RunQueueFullError,
} from './tracking/tracking-errors.ts';
export { StaleAttemptError, TrackerStoppedError, UnknownTaskError } from './tracking/tracking-errors.ts';
export { ProcessExitError } from './tracking/process-task.ts';

// Schedules
export { createScheduler, type ManualRun, type Scheduler } from './schedule/scheduler.ts';
export { ScheduleNotFoundError, type SchedulerOptions } from './schedule/scheduler-options.ts';
export type {
  Schedule,
  DstGapPolicy,
  DstOverlapPolicy,
  IntervalPace,
  JitterMode,
} from './schedule/schedule.ts';
export type { MisfirePolicy } from './schedule/misfire.ts';
export type { OverlapPolicy, OverlapReason } from './schedule/overlap.ts';
export type { ScheduleStatus } from './schedule/schedule-status.ts';
export type { BackfillOptions, BackfillReport } from './schedule/backfill.ts';
export type { FireSlot, SlotRun } from './schedule/slot-runs.ts';
export type { SchedulerEvents, SlotSkipReason, SlotTrigger } from './schedule/scheduler-events.ts';
export type { Pause, ScheduleRecord, ScheduleState, ScheduleStore } from './schedule/schedule-store.ts';
export {
  createMemoryScheduleStore,
  type MemoryScheduleStoreOptions,
} from './schedule/memory-schedule-store.ts';
export { preview, type PreviewedSlot } from './schedule/preview.ts';
export { describeSchedule } from './schedule/description.ts';

// Periodic tasks and maintenance
export { createPeriodicTasks, type PeriodicTasks, type PeriodicTasksOptions } from './patterns/periodic.ts';
export type { PeriodicStatistics, PeriodicTiming, PeriodicWork } from './patterns/periodic.ts';
export { createMaintenance, type Maintenance, maintenanceJobs } from './maintenance/maintenance.ts';
export type { MaintenanceJob, MaintenanceOptions } from './maintenance/maintenance.ts';
export { checkSystemHealth, type HealthThresholds, type SystemHealth } from './maintenance/system-health.ts';
export { createSystemProbe, type SystemProbe, type SystemProbeOptions } from './maintenance/system-probe.ts';
export { type EndedRuns, type OldRunsOptions, removeOldRuns } from './maintenance/old-runs.ts';
export { removeTempFiles, type TempFilesOptions } from './maintenance/temp-files.ts';

// Resource pool
export { createResourcePool, type ResourcePool, type ResourcePoolStats } from './patterns/resource-pool.ts';
export type { AcquireOptions } from './patterns/resource-pool.ts';
export type { Lease } from './patterns/resource-pool-lease.ts';
export { AcquireTimeoutError, LeaseReleasedError } from './patterns/resource-pool-options.ts';
export { ResourcePoolFullError, ResourcePoolStoppedError } from './patterns/resource-pool-options.ts';
export type { ResourcePoolOptions } from './patterns/resource-pool-options.ts';

// Concurrent runner
export { type ConcurrentRunner, createConcurrentRunner } from './patterns/concurrent.ts';
export type {
  ConcurrentRunnerOptions,
  ModuleItem,
  ModuleProgress,
  ModuleReport,
} from './patterns/concurrent.ts';
export type {
  ModuleEnd,
  ModuleRunOptions,
  ModuleStatus,
  RunAllOptions,
  RunModule,
} from './patterns/concurrent.ts';
export { type Admission, type AdmissionVerdict, resourceAdmission } from './patterns/concurrent-admission.ts';
export type { ResourceAdmissionOptions } from './patterns/concurrent-admission.ts';

// Running scripts
export { type ModuleResult, runModule, type RunModuleOptions } from './patterns/run-module.ts';
export { type RunningModule, startModule, type StartModuleOptions } from './patterns/long-running.ts';
export type { CancelModuleOptions } from './patterns/long-running.ts';
export { type ModuleCommand, resolveModuleCommand } from './patterns/module-command.ts';
export {
  attemptLogId,
  moduleTask,
  type ModuleTaskInput,
  type ModuleTaskOptions,
} from './patterns/fire-and-forget.ts';
export type { ModuleTaskResult } from './patterns/fire-and-forget.ts';
export type { ModuleOptions, ModuleSpawner } from './patterns/module-options.ts';
export type { ModuleExit } from './patterns/supervised-module.ts';
export type { RunMode } from './patterns/run-mode.ts';
export {
  InterpreterNotFoundError,
  ModuleCancelledError,
  ModuleFailedError,
  ModuleTimeoutError,
  ScriptNotExecutableError,
  ScriptNotFoundError,
} from './patterns/module-errors.ts';

// Output
export type { FollowOptions, OutputLog, TailOptions } from './output/output-log.ts';
export { createOutputLog, type OutputLogOptions, type OutputLogWriter } from './output/output-log-writer.ts';
export { createOutputLogs, type OutputLogs, type OutputLogsOptions } from './output/output-logs.ts';
export type { OutputLogSummary } from './output/output-logs.ts';
export type { OutputEntry, OutputEvent, OutputStream } from './output/output-entry.ts';
export type { OutputLevel } from './output/output-level.ts';

// Orchestrator
export { createOrchestrator, type Orchestrator } from './orchestrator.ts';
export type { OrchestratorOptions } from './orchestrator-options.ts';
export type {
  Execution,
  Executions,
  OrchestratorRequest,
  PeriodicHandle,
  RequestItem,
} from './orchestrator-requests.ts';

// Advisor
export { advisePattern, comparePatterns, explainPattern } from './pattern-advisor.ts';
export type { PatternAdvice, WorkTraits } from './pattern-advisor.ts';
export type { PatternComparison, PatternExplanation, PatternName } from './pattern-advisor-catalogue.ts';
