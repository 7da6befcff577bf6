import { inspect } from 'node:util';
import { type Logger, systemClock } from '@pawl/core';
import {
  type Connection,
  createConnection,
  fdTransport,
  type InboundContext,
  introduce,
  RpcError,
  errorCodes,
} from '@pawl/ipc';
import { guardOutput } from './output-guard.ts';
import { watchParent } from './parent-watch.ts';
import { createRunLogger } from './run-logger.ts';

/** What a task gets besides its input. */
export interface TaskContext {
  /** Aborts when the run is cancelled or timed out, or the host is gone. A task that heeds it keeps its worker alive. */
  readonly signal: AbortSignal;
  readonly runId: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** When the run's time is up, on the scale of `performance.now()`; `Infinity` without a limit. */
  readonly deadline: number;
  /** A W3C `traceparent`, if the caller gave one. */
  readonly trace: string | undefined;
  /** Tells the caller how far the task is. */
  progress(progress: TaskProgress): void;
  /** Writes to the caller's log. */
  readonly log: Logger;
}

export interface TaskProgress {
  /** From 0 to 1. */
  readonly value?: number;
  readonly step?: number;
  readonly total?: number;
  readonly message?: string;
  readonly data?: unknown;
}

/** A task: gets JSON, gives JSON. */
export type Task = (input: never, context: TaskContext) => unknown;

export interface WorkerDefinition {
  /** The tasks by name. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** Runs once before the worker reports ready. If it fails, so does the start. */
  readonly init?: () => unknown;
  /** Runs once when the worker is asked to stop, after its last run. */
  readonly teardown?: () => unknown;
}

const SERVING = Symbol.for('pawl.worker.serving');
const VERSION = '1';
/** How long tasks may take to notice that the host is gone, in milliseconds. */
const ORPHAN_GRACE_MS = 900;

/** Whether `serve` was called in this process, by whatever copy of this package. */
export function isServing(): boolean {
  return SERVING in globalThis;
}

/**
 * Makes this process a worker: introduces it to the host on the channel named by `PAWL_CHANNEL` and runs what the host
 * asks for. The process ends when the host says so or is gone.
 * @throws TypeError when this process serves already
 */
export function serve(definition: WorkerDefinition): void {
  if (isServing()) throw new TypeError('This process serves already: call serve() once.');
  Object.defineProperty(globalThis, SERVING, { value: true });
  const tasks = new Map(Object.entries(definition.tasks));
  const writeFd = guardOutput(process.env['PAWL_CHANNEL']);
  // On stdout the prints of native code and of child processes come between.
  const transport = fdTransport({ writeFd, shared: writeFd === 1 });
  // A result that was given before process.exit() still goes out.
  const flush = (): void => transport.flushSync();
  process.once('exit', flush);
  let active = 0;
  let draining = false;

  const connection = createConnection(transport, {
    methods: {
      run: async (params, context) => {
        const { task: name, input } = runParams(params);
        const task = tasks.get(name);
        if (task === undefined) throw noSuchTask(name, tasks);
        if (draining) throw new RpcError(errorCodes.draining, 'This worker is stopping.');
        active += 1;
        try {
          return await task(input as never, taskContext(context, runParams(params), flush));
        } finally {
          active -= 1;
          // The answer goes out first.
          if (draining && active === 0) setImmediate(() => void end());
        }
      },
      ping: () => ({
        pid: process.pid,
        uptimeMs: Math.round(process.uptime() * 1000),
        rssBytes: process.memoryUsage.rss(),
        runsActive: active,
      }),
    },
    notifications: {
      shutdown: () => {
        draining = true;
        if (active === 0) void end();
      },
    },
  });

  async function end(): Promise<void> {
    try {
      await definition.teardown?.();
    } catch (error) {
      reportFault(error);
      process.exitCode = 1;
    }
    await connection.close();
    process.exit();
  }

  function hostIsGone(): void {
    if (active === 0) process.exit();
    systemClock.setTimer(ORPHAN_GRACE_MS, () => process.exit());
  }

  void connection.closed.then(() => (draining ? undefined : hostIsGone()));
  watchParent(hostIsGone);
  start(connection, definition, [...tasks.keys()]).catch((error: unknown) => {
    reportFault(error);
    process.exit(1);
  });
}

/** Tells stderr, whose tail the host keeps. */
export function reportFault(error: unknown): void {
  process.stderr.write(`${inspect(error)}\n`);
}

async function start(
  connection: Connection,
  definition: WorkerDefinition,
  tasks: readonly string[],
): Promise<void> {
  await definition.init?.();
  await introduce(connection, {
    protocol: { min: 1, max: 1 },
    name: '@pawl/runtime',
    language: 'javascript',
    version: VERSION,
    pid: process.pid,
    tasks,
    features: ['cancel', 'progress', 'log', 'concurrent'],
  });
}

interface RunParams {
  readonly task: string;
  readonly input: unknown;
  readonly runId: string;
  readonly attempt: number;
  readonly budgetMs: number;
  readonly trace: string | undefined;
}

function runParams(value: unknown): RunParams {
  const { task, input, runId, attempt, budgetMs, trace } = (value ?? {}) as Partial<
    Record<keyof RunParams, unknown>
  >;
  if (typeof task !== 'string')
    throw new RpcError(errorCodes.invalidParams, 'A run needs `task` to be a string.');
  return {
    task,
    input,
    runId: typeof runId === 'string' ? runId : '',
    attempt: typeof attempt === 'number' ? attempt : 1,
    budgetMs: typeof budgetMs === 'number' ? budgetMs : Infinity,
    trace: typeof trace === 'string' ? trace : undefined,
  };
}

/** @param flush sends at once: a task that says something and then blocks its thread was meant to be heard */
function taskContext(context: InboundContext, params: RunParams, flush: () => void): TaskContext {
  const tell = (method: string, fields: Readonly<Record<string, unknown>>): Promise<void> => {
    const sent = context.notify(method, fields);
    flush();
    return sent;
  };
  return {
    get signal() {
      return context.signal;
    },
    runId: params.runId,
    attempt: params.attempt,
    deadline: systemClock.now() + params.budgetMs,
    trace: params.trace,
    progress: (progress) => void tell('progress', { ...progress }).catch(() => undefined),
    log: createRunLogger((level, message, fields) => {
      tell('log', { level, message, ...(fields === undefined ? {} : { fields }) })
        // The message is worth having without fields that JSON can't carry.
        .catch(() => tell('log', { level, message }))
        .catch(() => undefined);
    }),
  };
}

function noSuchTask(name: string, tasks: ReadonlyMap<string, Task>): RpcError {
  const known = [...tasks.keys()].join(', ');
  return new RpcError(
    errorCodes.noSuchTask,
    `There is no task "${name}" here. There are: ${known === '' ? 'none' : known}.`,
  );
}
