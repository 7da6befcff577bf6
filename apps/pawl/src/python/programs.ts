import type { Logger } from 'pino';
import { hasCode, systemClock } from '@pawl/core';
import { createPythonRunner, type ExecutionRequest, type PythonRunner } from '@pawl/python';
import { type CircuitBreaker, circuitBreaker, exponentialBackoff, retry } from '@pawl/resilience';
import { createExecutor, type Executor } from '@pawl/runtime';
import type { Config } from '../config.ts';
import { createDelayControl } from './delay-control.ts';
import { createRestartableRunner, type RestartableRunner } from './restartable-runner.ts';
import { createResultCache } from './result-cache.ts';
import { runInTime } from './run-in-time.ts';
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
  const execute: PythonRunner['execute'] = (request, options) => runner.execute(request, options);
  const places = (): number => runner.pool?.maxWorkers ?? 1;
  const executeInTime = runInTime(execute, createDelayControl({ clock: systemClock, places }));
  const backoff = exponentialBackoff({ initialMs: 100, maxMs: 20_000 });
  return {
    runner,
    breaker,
    sandbox: () => readSandboxState(() => runner.sandboxReport()),
    executor: createExecutor({
      run: (_task, request, { signal }) => executeInTime(request as ExecutionRequest, { signal }),
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
      run: (_task, request, { signal }) => execute(request as ExecutionRequest, { signal }),
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
