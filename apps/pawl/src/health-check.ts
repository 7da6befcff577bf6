import type { CircuitBreaker } from '@pawl/resilience';
import { type SandboxState, sandboxProblem } from './python/sandbox-state.ts';

/** Finds out whether the service can do its work. */
export interface HealthCheck {
  /** What keeps it from running programs, in sentences. */
  problems(): Promise<readonly string[]>;
}

export interface HealthCheckOptions {
  readonly sandbox: () => Promise<SandboxState>;
  readonly breaker: Pick<CircuitBreaker, 'state'>;
}

export function createHealthCheck({ sandbox, breaker }: HealthCheckOptions): HealthCheck {
  return {
    async problems() {
      const state = await sandbox();
      const problem = state.available ? undefined : sandboxProblem(state);
      return [
        ...(problem === undefined ? [] : [problem]),
        ...(breaker.state === 'closed'
          ? []
          : [`Starting Python failed too often: the breaker is ${breaker.state}.`]),
      ];
    },
  };
}
