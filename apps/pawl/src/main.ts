import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { linkAbort, sleep, systemClock, untilAborted } from '@pawl/core';
import { createShutdown, drainHttpServer, installSignalHandlers } from '@pawl/resilience';
import { createOutputLogs, createRunTracker, createSystemProbe } from '@pawl/tasks';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { createEventStreams } from './event-stream.ts';
import { createEventHub } from './events/event-hub.ts';
import { publishRuns } from './events/run-events.ts';
import { publishSchedules } from './events/schedule-events.ts';
import { publishStats } from './events/stats-events.ts';
import { createHealthCheck } from './health-check.ts';
import { createLogger } from './logging.ts';
import { createMaintenanceJobs } from './maintenance/maintenance-jobs.ts';
import { createMetrics } from './metrics/metrics.ts';
import { createModuleConfigs } from './modules/module-config.ts';
import { createModuleKind } from './modules/module-kind.ts';
import { createModuleRegistry } from './modules/module-registry.ts';
import { createPasswordSeal, readSealKey } from './modules/password-seal.ts';
import { createTaskTallies } from './modules/task-tallies.ts';
import { createExecutions } from './python/executions.ts';
import { createPrograms } from './python/programs.ts';
import { sandboxProblem } from './python/sandbox-state.ts';
import { createCommandKind } from './runs/command-kind.ts';
import { watchLiveRuns } from './runs/live-runs.ts';
import { createPythonKind } from './runs/python-kind.ts';
import { watchRunChanges } from './runs/run-changes.ts';
import { executeByKind, type RunKinds } from './runs/run-kind.ts';
import { createRunLogs } from './runs/run-logs.ts';
import { createRuns } from './runs/runs.ts';
import { createScriptKind } from './runs/script-kind.ts';
import { createSchedules } from './schedules/schedules.ts';
import { createServiceStore } from './service-store.ts';
import type { Services } from './services.ts';
import { createSystemReport } from './system/system-report.ts';
import { createTokens } from './tokens.ts';
import { readVersion } from './version.ts';
import { createWorkers } from './workers/workers.ts';

const DAY_MS = 86_400_000;
/** After the grace of the runs: to end what is left of them, and to answer what is under way. */
const SHUTDOWN_MARGIN_MS = 10_000;
/** To remove what would be left behind when somebody forces the end. */
const FORCED_MS = 1_000;

export interface ServeOptions {
  /** Says where it listens as JSON, and logs JSON on a terminal, too. @default false */
  readonly json?: boolean;
}

/** Builds the whole service, starts it, and resolves when it listens. It ends by SIGINT or SIGTERM, with exit code 0. */
export async function serve(config: Config, { json = false }: ServeOptions = {}): Promise<void> {
  const { dataDir, runMode: mode, python } = config;
  const { maxConcurrentRuns: maxConcurrent, maxQueuedRuns: maxQueued } = config;
  const clock = systemClock;
  const logger = await createLogger({ level: config.logLevel, isTerminal: process.stderr.isTTY && !json });
  const gracefulMs = config.shutdownGraceMs + SHUTDOWN_MARGIN_MS;
  const shutdown = createShutdown({ gracefulMs, forcedMs: FORCED_MS, logger });
  const tokens = createTokens({ file: config.tokensFile, logger });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const inDataDir = (name: string): string | undefined =>
    config.store === 'memory' ? undefined : join(dataDir, name);

  // What runs
  const retentionMs = config.retentionDays * DAY_MS;
  const store = createServiceStore(config);
  const logs = createOutputLogs({ folder: store.logsFolder, maxAgeMs: retentionMs });
  const programs = createPrograms(config, logger);
  const { exercises } = programs.runner;
  const registry = createModuleRegistry({ path: config.modules, logger });
  const seal = createPasswordSeal(readSealKey(inDataDir('password.key')));
  const kinds: RunKinds = {
    script: createScriptKind({ logs, mode, python }),
    command: createCommandKind({ logs, searchPath: process.env['PATH'] ?? '' }),
    python: createPythonKind({
      logs,
      executor: programs.trackedExecutor,
      exercises,
      check: (request) => programs.runner.check(request),
    }),
    module: createModuleKind({ registry, seal, logs, mode, python }),
  };
  const execute = executeByKind(kinds);
  const tracker = createRunTracker({
    store: store.runs,
    execute,
    maxConcurrent,
    maxQueued,
    retentionMs,
    logger,
  });

  // What is told of it
  const live = watchLiveRuns(tracker);
  const runLogs = createRunLogs({ tracker, logs, changes: watchRunChanges(tracker), clock });
  const closing = new AbortController();
  const { signal } = closing;
  const isOpen = (): boolean => shutdown.ready;
  const runs = createRuns({
    tracker,
    live,
    logs: runLogs,
    kinds,
    maxConcurrent,
    isOpen,
    closing: signal,
    clock,
  });
  const schedules = createSchedules({
    store: store.schedules,
    tracker,
    // A slot that is claimed is given no other run.
    submit: async (request, schedule) =>
      (await runs.submit(request, { whileStopping: true, schedule })).run.id,
    toStored: (request) => runs.toStored(request),
    maxQueued,
    clock,
    logger,
  });
  const events = createEventHub({ clock });
  const streams = createEventStreams({ clock, closing: signal });
  publishRuns({ events, tracker, live, runs, logs: runLogs, clock, logger, signal });
  publishSchedules({ events, schedules, clock, logger });
  publishStats({
    events,
    tracker,
    probe: createSystemProbe({ sampleMs: 2_000, clock }),
    clock,
    logger,
    signal,
  });

  // What looks after it
  const version = readVersion();
  const maintenance = createMaintenanceJobs({
    store,
    logs,
    retentionMs,
    statistics: () => ({ running: live.size, streams: streams.size }),
    clock,
    logger,
  });
  const workers = createWorkers({ runner: programs.runner, tracker, clock });
  const { sandbox } = programs;
  const system = createSystemReport({ version, dataDir, store, tracker, maintenance, sandbox, clock });

  const services: Services = {
    config,
    version,
    logger,
    clock,
    shutdown,
    tokens,
    store,
    logs,
    tracker,
    runs,
    runLogs,
    live,
    modules: {
      registry,
      configs: createModuleConfigs({ folder: join(dataDir, 'parameters'), clock, logger }),
      tallies: createTaskTallies(tracker),
    },
    schedules,
    maintenance,
    workers,
    system,
    metrics: createMetrics({ version, tracker, workers, streams }),
    programs,
    executions: createExecutions({ executor: programs.executor, exercises }),
    health: createHealthCheck({ sandbox: programs.sandbox, breaker: programs.breaker }),
    events,
    streams,
  };
  // It takes a moment, in processes of its own, while the routes are built.
  const probed = programs.sandbox();
  probed.catch(() => undefined);
  const app = await createApp(services);

  async function endRuns(hurry: AbortSignal): Promise<void> {
    using over = linkAbort(hurry);
    const scheduled = schedules.stop({ graceMs: 0 });
    const grace = sleep(clock, config.shutdownGraceMs, { signal: over.signal }).catch(() => undefined);
    await Promise.race([tracker.drain(), grace]);
    over.abort(undefined);
    await scheduled;
    await tracker.stop({ graceMs: 0 });
  }

  // From now on nothing new is taken, for as long as what runs goes on.
  shutdown.register('work', async ({ signal: hurry }) => {
    await Promise.all([
      untilAborted(programs.executor.stop({ graceMs: Infinity }), hurry),
      maintenance.stop({ graceMs: 0 }),
      endRuns(hurry),
    ]);
  });
  shutdown.register(
    'http',
    async ({ signal: hurry }) => {
      closing.abort();
      system.stop();
      // Cut by the shutdown's own time, or by who forces it.
      await drainHttpServer(app.server, { signal: hurry, timeoutMs: Infinity });
      await app.close();
    },
    { after: ['work'] },
  );
  // Requests under way still need them.
  shutdown.register('workers', () => programs.runner.stop({ graceMs: 0 }), { after: ['http'] });
  shutdown.register('store', () => store.close(), { after: ['workers'] });
  try {
    // Another service that has the data is found before anything is done.
    await store.open();
    const problem = sandboxProblem(await probed);
    if (problem !== undefined) logger.warn(problem);
    await app.listen({ host: config.host, port: config.port });
    await tracker.start();
    await schedules.start();
    await maintenance.start();
  } catch (error) {
    closing.abort();
    await Promise.all([
      app.close(),
      schedules.stop({ graceMs: 0 }),
      maintenance.stop({ graceMs: 0 }),
      tracker.stop({ graceMs: 0 }),
    ]);
    // Workers that were started on stock would leave their folders behind.
    await programs.runner.stop({ graceMs: 0 });
    await store.close();
    throw error;
  }
  installSignalHandlers(shutdown);
  const { address, port, family } = app.server.address() as AddressInfo;
  const shownHost = family === 'IPv6' ? `[${address}]` : address;
  const url = `http://${shownHost}:${port}`;
  const line = json
    ? JSON.stringify({ event: 'listening', url })
    : `Pawl listens on ${url} (Ctrl-C stops it)`;
  process.stdout.write(`${line}\n`);
}
