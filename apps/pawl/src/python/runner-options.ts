import { availableParallelism } from 'node:os';
import type { PythonRunnerOptions } from '@pawl/python';
import type { Config } from '../config.ts';

/**
 * More programs at a time, and one that computes may not get half a CPU: it would take more than twice as long as alone,
 * and be ended by its time limit for what is no fault of its own.
 */
const PROGRAMS_PER_CPU = 2;

/** The runner as the settings want it. */
export function runnerOptions({
  python,
  maxConcurrentRuns,
  minSandboxTier,
  allowUnsandboxed,
  exercises,
}: Config): PythonRunnerOptions {
  return {
    maxConcurrent: Math.min(maxConcurrentRuns, PROGRAMS_PER_CPU * availableParallelism()),
    minTier: minSandboxTier,
    allowUnsandboxed,
    ...(python === undefined ? {} : { python }),
    ...(exercises === undefined ? {} : { exercises }),
  };
}
