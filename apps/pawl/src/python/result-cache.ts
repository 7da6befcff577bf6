import { createTaskCache, type TaskCache } from '@pawl/caching';
import type { ExecutionResult } from '@pawl/python';

/**
 * Remembers the results of programs that succeeded, in memory: 1000 results, 100 MB. One that failed may do better the
 * next time, so it is run again.
 */
export function createResultCache(): TaskCache {
  const tasks = createTaskCache();
  return {
    ...tasks,
    run: (task, input, fn, options) =>
      tasks.run(task, input, fn, {
        ...options,
        shouldStore: (result) => (result as ExecutionResult).success,
      }),
  };
}
