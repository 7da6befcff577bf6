import type { Logger } from 'pino';
import { hasCode } from '@pawl/core';
import { createPythonRunner, type ExecutionRequest } from '@pawl/python';
import { type CircuitBreaker, circuitBreaker, exponentialBackoff, retry } from '@pawl/resilience';
import { createExecutor, type Executor } from '@pawl/runtime';
import type { Config } from '../config.ts';
import { createRestartableRunner, type RestartableRunner } from './restartable-runner.ts';
import { createResultCache } from './result-cache.ts';
import { runnerOptions } from './runner-options.ts';
import { readSandboxState, type SandboxState } from './sandbox-state.ts';

/** What runs submitted Python. */
export interface Programs {
  readonly runner: RestartableRunner;
  readonly breaker: CircuitBreaker;
  readonly sandbox: () => Promise<SandboxState>;
  /** For requests: what they take in all is bounded, waiting included. */
  readonly executor: Executor;
  /** For tracked runs, which wait as long as they must. */
  readonly trackedExecutor: Executor;
}

/** What a request may take in all, waiting for a worker included, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A tracked run that finds the runner's queue full asks again for about five minutes. */
const MAX_ASKS = 20;

export function createPrograms(config: Config, logger: Logger): Programs {
  // Which sandboxes were tried is told once, in one line.
  const runnerLogger = logger.child({}, { level: logger.isLevelEnabled('error') ? 'error' : 'silent' });
  const runner = createRestartableRunner({
    create: () => createPythonRunner({ ...runnerOptions(config), logger: runnerLogger }),
  });
  const breaker = circuitBreaker({
    name: 'The Python breaker',
    isFailure: (error) => hasCode(error, 'WORKER_START_FAILED', 'CRASH_LOOP'),
    openMs: 10_000,
    logger,
  });
  const run = (
    _task: string,
    request: unknown,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<unknown> => runner.execute(request as ExecutionRequest, { signal });
  const backoff = exponentialBackoff({ initialMs: 100, maxMs: 20_000 });
  return {
    runner,
    breaker,
    sandbox: () => readSandboxState(() => runner.sandboxReport()),
    executor: createExecutor({
      run,
      retry: retry({
        maxAttempts: 3,
        backoff,
        shouldRetry: (error) => hasCode(error, 'WORKER_START_FAILED'),
        logger,
      }),
      breaker,
      cache: createResultCache(),
      timeoutMs: REQUEST_TIMEOUT_MS,
      logger,
    }),
    trackedExecutor: createExecutor({
      run,
      retry: retry({
        maxAttempts: MAX_ASKS,
        backoff,
        shouldRetry: (error) => hasCode(error, 'WORKER_START_FAILED', 'QUEUE_FULL'),
        logger,
      }),
      breaker,
      logger,
    }),
  };
}
