// Runner
export {
  createPythonRunner,
  type ExecuteOptions,
  type PythonRunner,
  type RunnerPool,
} from './python-runner.ts';
export type { PythonRunnerOptions } from './runner-options.ts';
export type { ExecutionLimits } from './limits.ts';
export { WaitTooLongError } from './waiting-limit.ts';

// Requests and results
export { type ExecutionRequest, InvalidExecutionError, type ProgramFile } from './execution-request.ts';
export type { ExecutionResult, ExecutionStatus, TestCase, TestResult } from './execution-result.ts';
export type { ErrorKind, ProgramError } from './program-error.ts';

// Exercises
export { type Exercise, type ExerciseFolder, ExerciseNotFoundError } from './exercises/exercise-folder.ts';

// Sandbox
export type {
  RejectedPython,
  RejectedSandbox,
  SandboxCheck,
  SandboxKind,
  SandboxReport,
} from './sandbox/sandbox.ts';
export { SandboxUnavailableError } from './sandbox/unavailable-error.ts';
