import { createCache } from '@pawl/caching';
import { type Clock, systemClock } from '@pawl/core';
import type {
  ExecuteOptions,
  ExecutionRequest,
  ExecutionResult,
  PythonRunner,
  SandboxReport,
} from '@pawl/python';

/** A Python runner that is started anew after its start failed: somebody may install what it needs meanwhile. */
export interface RestartableRunner extends Pick<PythonRunner, 'check' | 'stop' | 'exercises' | 'pool'> {
  /** @throws what a {@link PythonRunner} throws, SANDBOX_UNAVAILABLE without trying for 10 s after it was found out */
  execute(request: ExecutionRequest, options?: ExecuteOptions): Promise<ExecutionResult>;
  /** Starts it if need be. @throws SandboxUnavailableError when none works here */
  sandboxReport(): Promise<SandboxReport>;
}

export interface RestartableRunnerOptions {
  /** Makes a runner that is not started. */
  readonly create: () => PythonRunner;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** A failed start costs some processes: however often somebody asks, it is tried every 10 s at most. */
export const START_AGAIN_MS = 10_000;

export function createRestartableRunner({
  create,
  clock = systemClock,
}: RestartableRunnerOptions): RestartableRunner {
  const starts = createCache<PythonRunner>({ maxEntries: 1, negativeTtlMs: START_AGAIN_MS, clock });
  let latest = create();
  let stopped = false;

  const started = (): Promise<PythonRunner> =>
    starts.getOrLoad('runner', async () => {
      if (latest.state === 'stopped' && !stopped) latest = create();
      await latest.start();
      return latest;
    });

  return {
    exercises: latest.exercises,
    get pool() {
      return latest.pool;
    },
    check: (request) => latest.check(request),
    async execute(request, options) {
      const runner = await started();
      return runner.execute(request, options);
    },
    async sandboxReport() {
      const runner = await started();
      return runner.sandboxReport();
    },
    async stop(options) {
      stopped = true;
      return latest.stop(options);
    },
  };
}
