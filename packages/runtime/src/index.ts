// Pool
export { createPool, type ProcessPool } from './process/process-pool.ts';
export type { PoolStats, RunStats, WorkerStats, WorkerStatus } from './process/pool-stats.ts';
export type { DurationSummary } from './process/duration-histogram.ts';
export type { HealthOptions } from './process/health-options.ts';
export type { Overflow, PoolOptions, Prefetch, RestartOptions } from './process/pool-options.ts';
export type { Progress, RunLogEntry, RunOptions, TimeoutFrom } from './process/run-options.ts';
export type { MapOptions } from './process/run-map.ts';
export type { RunStream, StreamOptions } from './process/run-stream.ts';
export type { AnyTasks, ChunkOf, InputOf, ResultOf, RunArguments, TaskName } from './process/typed-tasks.ts';
export type { WorkerChannel, WorkerCommand } from './process/worker-command.ts';
export type { WorkerState } from './process/worker-state.ts';
export type { OutputStream } from './process/worker-process.ts';
export type { FailureCause, PoolEvents, WorkerStopReason } from './events.ts';

// Executor
export { createExecutor, type Executor, type ExecutorOptions, type RunAttempt } from './executor/executor.ts';
export { createInMemoryExecutor, type InMemoryExecutorOptions } from './executor/in-memory-executor.ts';
export { newTraceparent } from './executor/traceparent.ts';
export type { AttemptContext } from './executor/context.ts';
export type { ExecutionOptions } from './executor/execution-options.ts';
export type { ExecutionStream, ExecutionStreamOptions } from './executor/execution-stream.ts';
export type { ExecutorEvents } from './executor/executor-events.ts';
export type { ExecutorPool } from './executor/pool-routes.ts';
export type { ExecutorStats, StageStats } from './executor/execution-counts.ts';
export type { ExecutionStage, Outcome, OutcomeCause, OutcomeStatus } from './executor/outcome.ts';
export type { Succeeded, Unsuccessful } from './executor/outcome.ts';
export { AdmissionRefusedError, ExecutorStoppedError } from './executor/executor-errors.ts';

// Processes
export {
  createProcessManager,
  type ProcessConfig,
  type ProcessManager,
  type ProcessManagerOptions,
} from './process/process-manager.ts';
export type { ExitInfo, ExitReport, ProcessHandle } from './process/process-handle.ts';
export type { TerminateOptions, TerminationReport } from './process/terminate.ts';
export type { SpawnHelperOption } from './process/spawn-choice.ts';
export type { DescendantProcess } from './process/descendants.ts';
export { findPython, type PythonInterpreter, PythonNotFoundError } from './python/interpreter.ts';

// Supervision
export { createSupervisor, type Supervisor } from './supervisor/supervisor.ts';
export type { SupervisorOptions, SupervisorStrategy } from './supervisor/supervisor-options.ts';
export type { ChildContext, ChildRestart, ChildSpec, RunningChild } from './supervisor/child-spec.ts';
export type { ChildState, ChildStatus } from './supervisor/supervised-child.ts';
export type { SupervisorEvents } from './supervisor/supervisor-events.ts';
export type { HealthClass, HealthFault, HealthFinding } from './process/health.ts';

// Scheduling
export { balancers } from './scheduling/balancing/balancers.ts';
export type { BalancedRun, Balancer, BalancerFactory, Candidate } from './scheduling/balancing/balancer.ts';
export { createAdmission, type Admission, type AdmissionOptions } from './scheduling/admission/admission.ts';
export type { AdmissionStats, AdmissionVerdict, Admitted } from './scheduling/admission/admission.ts';
export type { Pressure, PressureProbe } from './scheduling/admission/pressure.ts';
export {
  createRunQueue,
  type QueueEntry,
  type RunQueue,
  type RunQueueOptions,
} from './scheduling/run-queue.ts';
export { priorities } from './scheduling/priority.ts';

// Errors
export {
  CrashLoopError,
  PoisonRunError,
  PoolStoppedError,
  QueueFullError,
  RunTimeoutError,
  WorkerNotFoundError,
} from './process/pool-errors.ts';
export { ProcessStartError, type StartFault } from './process/process-errors.ts';
export {
  WorkerCrashedError,
  type WorkerEnd,
  type WorkerEndCause,
  type WorkerMemory,
  WorkerStartError,
} from './process/worker-errors.ts';
