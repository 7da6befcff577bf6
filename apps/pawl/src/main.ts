import type { AddressInfo } from 'node:net';
import { hasCode } from '@pawl/core';
import {
  circuitBreaker,
  createShutdown,
  drainHttpServer,
  exponentialBackoff,
  installSignalHandlers,
  retry,
} from '@pawl/resilience';
import { createExecutor, createPool } from '@pawl/runtime';
import { pino } from 'pino';
import type { Config } from './config.ts';
import { createHealthCheck } from './health-check.ts';
import { createHttpServer } from './http-server.ts';
import { createPythonRunner } from './python/python-runner.ts';
import { executeRoute } from './routes/execute.ts';
import { healthRoute } from './routes/health.ts';
import { readVersion } from './version.ts';

/** How long a submitted program may run, in milliseconds. */
const PROGRAM_TIMEOUT_MS = 3_000;
/** What a request may take in all, waiting for a worker included, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Of stdout and stderr each: 512 KiB. */
const MAX_OUTPUT_BYTES = 524_288;
/** Interpreters that stand ready: a program does not wait for Python to start. */
const SPARE_WORKERS = 2;

/** Builds the whole service, starts it, and resolves when it listens. It ends by SIGINT or SIGTERM, with exit code 0. */
export async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const python = new URL('../src/python/run_program.py', import.meta.url);
  const pool = createPool({
    worker: python,
    python: config.python,
    // Every program gets an interpreter and a folder of its own, and nothing of this process's environment.
    maxRunsPerWorker: 1,
    privateFolder: true,
    minWorkers: 0,
    spareWorkers: Math.min(SPARE_WORKERS, config.maxConcurrentRuns),
    maxWorkers: config.maxConcurrentRuns,
    runTimeoutMs: PROGRAM_TIMEOUT_MS,
    // The breaker below answers for failing starts; this is the brake for the workers nobody asked for.
    restart: { maxRestarts: 20, withinMs: 10_000 },
    cancelGraceMs: 0,
    killGraceMs: 100,
    logger,
  });
  const breaker = circuitBreaker({
    name: 'The Python breaker',
    isFailure: (error) => hasCode(error, 'WORKER_START_FAILED', 'CRASH_LOOP'),
    openMs: 10_000,
    logger,
  });
  const executor = createExecutor({
    pools: { execute: pool },
    retry: retry({
      maxAttempts: 3,
      backoff: exponentialBackoff({ initialMs: 100 }),
      shouldRetry: (error) => hasCode(error, 'WORKER_START_FAILED'),
      logger,
    }),
    breaker,
    timeoutMs: REQUEST_TIMEOUT_MS,
    logger,
  });
  pool.on('worker:start-failed', ({ error }) => logger.warn({ err: error }, error.message));
  pool.on('pool:crash-loop', ({ error }) => logger.error({ err: error }, error.message));

  const app = createHttpServer(logger);
  executeRoute(
    app,
    createPythonRunner({ executor, timeoutMs: PROGRAM_TIMEOUT_MS, maxOutputBytes: MAX_OUTPUT_BYTES }),
  );
  healthRoute(app, { version: readVersion(), check: createHealthCheck({ python: config.python, breaker }) });

  const shutdown = createShutdown({ logger });
  shutdown.register('http', async ({ signal }) => {
    // Cut by the shutdown's own time, or by who forces it.
    await drainHttpServer(app.server, { signal, timeoutMs: Infinity });
    await app.close();
  });
  // Requests under way still need them, those that wait for their turn too.
  shutdown.register('workers', () => pool.stop(), { after: ['http'] });
  try {
    await pool.start();
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    // Workers that were started on stock would leave their folders behind.
    await pool.stop({ graceMs: 0 });
    throw error;
  }
  installSignalHandlers(shutdown);
  const { address, port, family } = app.server.address() as AddressInfo;
  const shownHost = family === 'IPv6' ? `[${address}]` : address;
  process.stdout.write(`Pawl listens on http://${shownHost}:${port} (Ctrl-C stops it)\n`);
}
