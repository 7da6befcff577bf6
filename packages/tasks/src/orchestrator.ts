import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkOneOf, createLifecycle, PawlError, type Service, sleep, type StopReport } from '@pawl/core';
import { createPool, createProcessManager, type ProcessPool } from '@pawl/runtime';
import { type OrchestratorOptions, resolveOrchestratorOptions } from './orchestrator-options.ts';
import {
  type Execution,
  type Executions,
  type OrchestratorRequest,
  patternOf,
  type PeriodicHandle,
} from './orchestrator-requests.ts';
import { lastWords } from './output/last-words.ts';
import type { PatternName } from './pattern-advisor-catalogue.ts';
import { createConcurrentRunner } from './patterns/concurrent.ts';
import { moduleTask, type ModuleTaskInput } from './patterns/fire-and-forget.ts';
import { startModule } from './patterns/long-running.ts';
import { ModuleFailedError } from './patterns/module-errors.ts';
import type { ModuleOptions } from './patterns/module-options.ts';
import { createPeriodicTasks } from './patterns/periodic.ts';
import { RUN_MODES, type RunMode } from './patterns/run-mode.ts';
import { runModule } from './patterns/run-module.ts';
import { createRunTracker, type RunTracker } from './tracking/run-tracker.ts';

/** One entry to the six patterns. */
export interface Orchestrator extends Service {
  /** Where fire-and-forget runs can be looked at, waited for and cancelled. */
  readonly tracker: RunTracker;
  /**
   * Runs a script by the pattern that the request names or, without one, by the first it asks for.
   * @throws what the pattern itself throws; TypeError, PawlError `REQUEST_INCOMPLETE`
   */
  execute<Pattern extends PatternName = PatternName>(
    request: OrchestratorRequest & { readonly pattern?: Pattern | undefined },
  ): Promise<Executions[Pattern]>;
}

/** The name of the task of fire-and-forget runs. */
const MODULE_TASK = 'module';

/** @throws TypeError, RangeError for wrong options */
export function createOrchestrator(options: OrchestratorOptions = {}): Orchestrator {
  const {
    mode,
    maxConcurrent,
    logs,
    store,
    admission,
    clock,
    logger,
    pool: poolOptions,
  } = resolveOrchestratorOptions(options);
  const processes = createProcessManager({ clock });
  const periodic = createPeriodicTasks({ clock, logger });
  const pools = new Map<string, ProcessPool>();
  const underWay = new Set<Promise<unknown>>();
  const tracker = createRunTracker({
    maxConcurrent,
    store,
    tasks: { [MODULE_TASK]: moduleTask(logs === undefined ? {} : { logs }) },
    clock,
    logger,
  });
  const runner = createConcurrentRunner({
    maxConcurrent,
    ...(admission === undefined ? {} : { admission }),
    logger,
    run: (scriptPath, args, how) =>
      runModule(scriptPath, args, { ...shared, ...how, mode: modeOf(how.mode) }),
  });
  const shared = { processes, clock, logger };
  const modeOf = (wanted: string | undefined): RunMode => checkOneOf('mode', wanted ?? mode, RUN_MODES);

  const lifecycle = createLifecycle({
    name: 'the orchestrator',
    start: () => periodic.startAll(),
    stop: release,
  });

  async function release({ graceMs }: { readonly graceMs: number }): Promise<StopReport> {
    const reports = await Promise.all([
      periodic.stopAll({ graceMs }),
      tracker.stop({ graceMs }),
      ...[...pools.values()].map((pool) => pool.stop({ graceMs })),
      untilIdle(graceMs),
    ]);
    // What did not end by itself until now.
    reports.push(await processes.stop({ graceMs: 0 }));
    await Promise.allSettled(underWay);
    return {
      drained: reports.every(({ drained }) => drained),
      orphaned: reports.flatMap(({ orphaned }) => orphaned),
    };
  }

  async function untilIdle(graceMs: number): Promise<StopReport> {
    const grace = new AbortController();
    await Promise.race([
      Promise.allSettled(underWay),
      sleep(clock, graceMs, { signal: grace.signal }).catch(() => undefined),
    ]);
    grace.abort();
    // Those that go on are ended, and named, as the processes they are.
    return { drained: true, orphaned: [] };
  }

  /** Keeps a stop waiting. */
  function noted<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = work.then(
      () => underWay.delete(settled),
      () => underWay.delete(settled),
    );
    underWay.add(settled);
    return work;
  }

  const patterns: {
    readonly [Name in PatternName]: (request: OrchestratorRequest) => Promise<Executions[Name]>;
  } = {
    async simple(request) {
      const { onLine, maxOutputBytes } = request;
      const how = { ...moduleOptions(request), ...shared, onLine, maxOutputBytes };
      return { pattern: 'simple', result: await noted(runModule(request.scriptPath, request.args, how)) };
    },
    async 'long-running'(request) {
      const { runId } = request;
      const run = startModule(request.scriptPath, request.args, {
        ...moduleOptions(request),
        ...shared,
        runId,
        logs,
      });
      noted(run.result).catch(() => undefined);
      return { pattern: 'long-running', run };
    },
    async concurrent({ items = [], ...request }) {
      const { signal, onProgress, scriptPath } = request;
      const { args, cwd, env, timeoutMs, interpreter } = request;
      const given = defined({ scriptPath, args, cwd, env, timeoutMs, interpreter, mode: request.mode });
      const all = items.map((item) => ({ scriptPath, ...given, ...item }));
      const reports = await noted(runner.runAll(all, defined({ signal, onProgress })));
      return { pattern: 'concurrent', reports };
    },
    async 'fire-and-forget'({ scriptPath, args = [], tracking, timeoutMs, ...request }) {
      const { cwd, env, inheritEnv, interpreter, graceMs } = request;
      const how = { cwd, env, inheritEnv, interpreter, graceMs, mode: modeOf(request.mode) };
      const input: ModuleTaskInput = { scriptPath: resolve(scriptPath), args, ...defined(how) };
      const run = await tracker.start({ ...tracking, task: MODULE_TASK, input, timeoutMs });
      return { pattern: 'fire-and-forget', run };
    },
    async periodic({ periodic: timing, ...rest }) {
      // What it runs is chosen anew.
      const request = { ...rest, pattern: undefined };
      if (timing === undefined) throw new TypeError('Expected `periodic` of the request.');
      const { name, ...when } = timing;
      periodic.register(name, when, async ({ signal }) =>
        succeed(await execute({ ...request, signal }), request),
      );
      return { pattern: 'periodic', task: handleOf(name) };
    },
    async pooled({ scriptPath, pooled, signal, timeoutMs }) {
      if (pooled === undefined) throw new TypeError('Expected `pooled` of the request.');
      const isPlain = signal === undefined && timeoutMs === undefined;
      // The pool need not check options that there are none of.
      const how = isPlain ? undefined : { signal, timeoutMs };
      const value = await poolOf(scriptPath).run(pooled.task, pooled.input, how);
      return { pattern: 'pooled', value };
    },
  };

  function moduleOptions(request: OrchestratorRequest): ModuleOptions {
    const { cwd, env, inheritEnv, signal, timeoutMs, graceMs, interpreter } = request;
    return { cwd, env, inheritEnv, signal, timeoutMs, graceMs, interpreter, mode: request.mode ?? mode };
  }

  function handleOf(name: string): PeriodicHandle {
    return {
      name,
      statistics: () => periodic.statistics().find((task) => task.name === name),
      async cancel() {
        await periodic.unregister(name);
      },
    };
  }

  /** The warm workers of a script, made when it is first asked for. */
  function poolOf(scriptPath: string): ProcessPool {
    const path = isAbsolute(scriptPath) ? scriptPath : resolve(scriptPath);
    let pool = pools.get(path);
    if (pool === undefined) {
      pool = createPool({ ...poolOptions, worker: pathToFileURL(path), clock, logger });
      pools.set(path, pool);
    }
    return pool;
  }

  async function execute(request: OrchestratorRequest): Promise<Execution> {
    const pattern = patternOf(request);
    if (lifecycle.state === 'draining' || lifecycle.state === 'stopped') {
      throw new PawlError('The orchestrator was stopped.', { code: 'SERVICE_STOPPED' });
    }
    if (lifecycle.state !== 'running') await lifecycle.start();
    return patterns[pattern](request);
  }

  return {
    get state() {
      return lifecycle.state;
    },
    start: () => lifecycle.start(),
    stop: (how) => lifecycle.stop(how),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    tracker,
    execute: execute as Orchestrator['execute'],
  };
}

/** Waits for what a periodic task began. @throws when it did not succeed, so that it counts as an error */
async function succeed(execution: Execution, { scriptPath }: OrchestratorRequest): Promise<void> {
  if (execution.pattern === 'concurrent') {
    const failed = execution.reports.find(({ success }) => !success);
    if (failed !== undefined)
      throw new PawlError(`${failed.id}: ${failed.reason}`, { code: 'MODULE_FAILED' });
  }
  if (execution.pattern !== 'simple' && execution.pattern !== 'long-running') return;
  const exit = execution.pattern === 'simple' ? execution.result : await execution.run.result;
  if (exit.exitCode === 0) return;
  const said = execution.pattern === 'simple' ? lastWords(execution.result.stderr) : '';
  throw new ModuleFailedError(scriptPath, exit, said);
}

/** Without the fields that are undefined. */
function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
