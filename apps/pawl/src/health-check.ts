import { createCache } from '@pawl/caching';
import { type Clock, systemClock } from '@pawl/core';
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
  readonly breaker: Pick<CircuitBreaker, 'state'>;
  /** Asks that Python who it is. @default findPython */
  readonly find?: (python: string) => Promise<unknown>;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Asking the interpreter costs a process: however often somebody polls, it is asked every 10 s at most. */
const PYTHON_CHECK_TTL_MS = 10_000;
/** One that is missing costs less, and somebody may be installing it. */
const PYTHON_MISSING_TTL_MS = 2_000;

export function createHealthCheck({
  python,
  breaker,
  find = findPython,
  clock = systemClock,
}: HealthCheckOptions): HealthCheck {
  const cache = createCache<true>({
    maxEntries: 1,
    ttlMs: PYTHON_CHECK_TTL_MS,
    negativeTtlMs: PYTHON_MISSING_TTL_MS,
    clock,
  });

  async function pythonProblems(): Promise<readonly string[]> {
    try {
      await cache.getOrLoad('python', () => find(python).then(() => true as const));
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  return {
    async problems() {
      const problems = await pythonProblems();
      const { state } = breaker;
      return state === 'closed'
        ? problems
        : [...problems, `Starting Python failed too often: the breaker is ${state}.`];
    },
  };
}
