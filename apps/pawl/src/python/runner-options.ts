import type { PythonRunnerOptions } from '@pawl/python';
import type { Config } from '../config.ts';

/** The runner as the settings want it. */
export function runnerOptions({
  python,
  maxConcurrentRuns,
  minSandboxTier,
  allowUnsandboxed,
  exercises,
}: Config): PythonRunnerOptions {
  return {
    maxConcurrent: maxConcurrentRuns,
    minTier: minSandboxTier,
    allowUnsandboxed,
    ...(python === undefined ? {} : { python }),
    ...(exercises === undefined ? {} : { exercises }),
  };
}
