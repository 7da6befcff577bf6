import type { AddressInfo } from 'node:net';
import { hasCode, untilAborted } from '@pawl/core';
import { createPythonRunner, type ExecutionRequest } from '@pawl/python';
import {
  circuitBreaker,
  createShutdown,
  drainHttpServer,
  exponentialBackoff,
  installSignalHandlers,
  retry,
} from '@pawl/resilience';
import { createExecutor } from '@pawl/runtime';
import { pino } from 'pino';
import { type Config, isLoopback } from './config.ts';
import { createHealthCheck } from './health-check.ts';
import { createHttpServer } from './http-server.ts';
import { describeRoutes } from './openapi.ts';
import { createExecutions } from './python/executions.ts';
import { createRestartableRunner } from './python/restartable-runner.ts';
import { createResultCache } from './python/result-cache.ts';
import { runnerOptions } from './python/runner-options.ts';
import { readSandboxState, sandboxProblem, type SandboxState } from './python/sandbox-state.ts';
import { executeRoute } from './routes/execute.ts';
import { healthRoute } from './routes/health.ts';
import { systemRoute } from './routes/system.ts';
import { readVersion } from './version.ts';

/** What a request may take in all, waiting for a worker included, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Builds the whole service, starts it, and resolves when it listens. It ends by SIGINT or SIGTERM, with exit code 0. */
export async function serve(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  // Which sandboxes were tried is told below, in one line.
  const runnerLogger = logger.child({}, { level: logger.isLevelEnabled('error') ? 'error' : 'silent' });
  const create = (): ReturnType<typeof createPythonRunner> =>
    createPythonRunner({ ...runnerOptions(config), logger: runnerLogger });
  const runner = createRestartableRunner({ create });
  const sandbox = (): Promise<SandboxState> => readSandboxState(() => runner.sandboxReport());
  const breaker = circuitBreaker({
    name: 'The Python breaker',
    isFailure: (error) => hasCode(error, 'WORKER_START_FAILED', 'CRASH_LOOP'),
    openMs: 10_000,
    logger,
  });
  const executor = createExecutor({
    run: (_task, request, { signal }) => runner.execute(request as ExecutionRequest, { signal }),
    retry: retry({
      maxAttempts: 3,
      backoff: exponentialBackoff({ initialMs: 100 }),
      shouldRetry: (error) => hasCode(error, 'WORKER_START_FAILED'),
      logger,
    }),
    breaker,
    cache: createResultCache(),
    timeoutMs: REQUEST_TIMEOUT_MS,
    logger,
  });
  const shutdown = createShutdown({ logger });

  const isPublic = !isLoopback(config.host);
  const version = readVersion();
  const app = await createHttpServer({ logger, isPublic, corsOrigins: config.corsOrigins });
  await describeRoutes(app, version);
  executeRoute(app, {
    executions: createExecutions({ executor, exercises: runner.exercises }),
    rateLimitPerMinute: config.rateLimitPerMinute,
  });
  const check = createHealthCheck({ sandbox, breaker });
  healthRoute(app, { version, check, isReady: () => shutdown.ready });
  systemRoute(app, sandbox);

  // From now on a program is refused with 503, for as long as others run to their end.
  shutdown.register('programs', async ({ signal }) => {
    await untilAborted(executor.stop({ graceMs: Infinity }), signal);
  });
  shutdown.register(
    'http',
    async ({ signal }) => {
      // Cut by the shutdown's own time, or by who forces it.
      await drainHttpServer(app.server, { signal, timeoutMs: Infinity });
      await app.close();
    },
    { after: ['programs'] },
  );
  // Requests under way still need them.
  shutdown.register('workers', () => runner.stop({ graceMs: 0 }), { after: ['http'] });
  try {
    const problem = sandboxProblem(await sandbox());
    if (problem !== undefined) logger.warn(problem);
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    // Workers that were started on stock would leave their folders behind.
    await runner.stop({ graceMs: 0 });
    throw error;
  }
  installSignalHandlers(shutdown);
  const { address, port, family } = app.server.address() as AddressInfo;
  const shownHost = family === 'IPv6' ? `[${address}]` : address;
  process.stdout.write(`Pawl listens on http://${shownHost}:${port} (Ctrl-C stops it)\n`);
}
