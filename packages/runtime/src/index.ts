// Pool
export { createPool, type ProcessPool } from './process/process-pool.ts';
export type { PoolStats, WorkerStatus } from './process/pool-stats.ts';
export type { PoolOptions, RestartOptions } from './process/pool-options.ts';
export type { Progress, RunLogEntry, RunOptions } from './process/pool-run.ts';
export type { WorkerChannel, WorkerCommand } from './process/worker-command.ts';
export type { WorkerState } from './process/worker-state.ts';
export type { OutputStream } from './process/worker-process.ts';
export type { FailureCause, PoolEvents, WorkerStopReason } from './events.ts';

// Executor
export { createExecutor, type Executor, type ExecutorOptions, type RunAttempt } from './executor/executor.ts';
export type { AttemptContext, ExecutionOptions } from './executor/context.ts';
export type { ExecutorEvents } from './executor/executor-events.ts';
export type { ExecutorStats } from './executor/execution-counts.ts';
export type { Outcome, OutcomeStatus, Succeeded, Unsuccessful } from './executor/outcome.ts';

// Processes
export {
  createProcessManager,
  type ProcessConfig,
  type ProcessManager,
  type ProcessManagerOptions,
} from './process/process-manager.ts';
export type { ExitInfo, ProcessHandle } from './process/process-handle.ts';
export type { TerminateOptions, TerminationReport } from './process/terminate.ts';
export { findPython, type PythonInterpreter, PythonNotFoundError } from './python/interpreter.ts';

// Scheduling
export {
  createRunQueue,
  type QueueEntry,
  type RunQueue,
  type RunQueueOptions,
} from './scheduling/run-queue.ts';
export { priorities } from './scheduling/priority.ts';

// Errors
export { CrashLoopError, PoolStoppedError, QueueFullError, RunTimeoutError } from './process/pool-errors.ts';
export { ProcessStartError, type StartFault } from './process/process-errors.ts';
export { WorkerCrashedError, type WorkerEnd, WorkerStartError } from './process/worker-errors.ts';
