import { createCache } from '@pawl/caching';
import type { CircuitBreaker } from '@pawl/resilience';
import { findPython } from '@pawl/runtime';

/** Finds out whether the service can do its work. */
export interface HealthCheck {
  /** What is wrong, in sentences. */
  problems(): Promise<readonly string[]>;
}

export interface HealthCheckOptions {
  /** The Python that runs programs. */
  readonly python: string;
  readonly breaker: CircuitBreaker;
}

/** Asking the interpreter costs a process: however often somebody polls, it is asked every 10 s at most. */
const PYTHON_CHECK_TTL_MS = 10_000;

export function createHealthCheck({ python, breaker }: HealthCheckOptions): HealthCheck {
  const cache = createCache<string | null>({ maxEntries: 1, ttlMs: PYTHON_CHECK_TTL_MS });
  return {
    async problems() {
      const pythonProblem = await cache.getOrLoad('python', () =>
        findPython(python).then(
          () => null,
          (error: unknown) => (error as Error).message,
        ),
      );
      const problems = pythonProblem === null ? [] : [pythonProblem];
      if (breaker.state !== 'closed')
        problems.push(`Starting Python failed too often: the breaker is ${breaker.state}.`);
      return problems;
    },
  };
}
