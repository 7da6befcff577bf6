import type { Executor } from '@pawl/runtime';
import type { ExecutionRequest, ExecutionResult, PythonRunner } from '@pawl/python';

/** What a client gets. */
export interface ExecutionAnswer extends ExecutionResult {
  /** Whether it is the stored result of an earlier run, and nothing ran. Absent when the cache was off. */
  readonly cached?: boolean;
}

/**
 * What an earlier result may do for a program. `off`: nothing, it is run. `use`: the stored result of the same request
 * serves, and the result of this run is stored. `refresh`: it is run, and the result replaces the stored one.
 */
export const CACHE_MODES = ['off', 'use', 'refresh'] as const;
export type CacheMode = (typeof CACHE_MODES)[number];

export interface ExecutionsOptions {
  /** Executes the task `execute` by a Python runner. */
  readonly executor: Pick<Executor, 'execute'>;
  readonly exercises: Pick<PythonRunner['exercises'], 'get'>;
}

/** Runs submitted programs for clients. */
export interface Executions {
  /**
   * Runs a program, or serves its stored result.
   * @throws what kept it from being run at all, such as EXECUTION_INVALID, SANDBOX_UNAVAILABLE or QUEUE_FULL
   */
  execute(
    request: ExecutionRequest,
    options?: { readonly signal?: AbortSignal; readonly cache?: CacheMode },
  ): Promise<ExecutionAnswer>;
}

export function createExecutions({ executor, exercises }: ExecutionsOptions): Executions {
  /** Tests that are looked up before the cache is: a stored result is one of these tests, not of their name. */
  async function withTestCode({ exerciseId, ...request }: ExecutionRequest): Promise<ExecutionRequest> {
    if (exerciseId === undefined || request.testCode !== undefined) return { ...request, exerciseId };
    return { ...request, testCode: (await exercises.get(exerciseId)).testCode };
  }

  return {
    async execute(request, { signal, cache = 'off' } = {}) {
      const outcome = await executor.execute('execute', await withTestCode(request), {
        signal,
        deterministic: cache !== 'off',
        force: cache === 'refresh',
      });
      if (outcome.status !== 'succeeded') throw outcome.error;
      const result = outcome.value as ExecutionResult;
      return {
        ...result,
        executionTime: Math.round(outcome.durationMs),
        ...(cache === 'off' ? {} : { cached: outcome.cached }),
      };
    },
  };
}
