import process from 'node:process';
import { setImmediate } from 'node:timers';
import {
  createConnection,
  errorCodes,
  fdTransport,
  introduce,
  RpcError,
  type WorkerFeature,
} from '@pawl/ipc';
import { controlFd, startControlThread } from './control.ts';
import { workerHealth } from './health.ts';
import { guardOutput } from './output-guard.ts';
import { watchParent } from './parent-watch.ts';
import { reportFault } from './report-fault.ts';
import { RunContext } from './run-context.ts';
import { createRunGate } from './run-gate.ts';
import { createRunRegister } from './run-register.ts';
import { runRequest } from './run-request.ts';
import { ServedRun } from './served-run.ts';
import { type ServedTask, servedTask, type Task } from './task.ts';
import { withdrawRuns } from './withdraw.ts';
import { workerClock } from './worker-clock.ts';

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
const FEATURES: readonly WorkerFeature[] = [
  'cancel',
  'progress',
  'stream',
  'log',
  'validate',
  'concurrent',
  'queue',
];
/** How long tasks may take to notice that the host is gone, in milliseconds. */
const ORPHAN_GRACE_MS = 700;

/** Whether `serve` was called in this process, by whatever copy of this package. */
export function isServing(): boolean {
  return SERVING in globalThis;
}

/**
 * Makes this process a worker: introduces it to the host on the channel named by `PAWL_CHANNEL` and runs what the host
 * asks for. The process ends when the host says so or is gone.
 * @throws TypeError when this process serves already, or a task is no task
 */
export function serve(definition: WorkerDefinition): void {
  if (isServing()) throw new TypeError('This process serves already: call serve() once.');
  const tasks = new Map(
    Object.entries(definition.tasks).map(([name, task]) => [name, servedTask(name, task)]),
  );
  Object.defineProperty(globalThis, SERVING, { value: true });
  const writeFd = guardOutput(process.env['PAWL_CHANNEL']);
  const control = controlFd(process.env['PAWL_CONTROL']);
  // On stdout the prints of native code and of child processes come between.
  const transport = fdTransport({
    writeFd,
    shared: writeFd === 1,
    ...(process.env['PAWL_BUSY_POLL'] === 'off' ? { busyPoll: false } : {}),
  });
  // A result that was given before process.exit() still goes out.
  const flush = (): void => transport.flushSync();
  process.once('exit', flush);
  const register = createRunRegister();
  const gate = createRunGate({ register, flush, onIdle: endIfDrained });
  /** Runs that stream, by request id. */
  const streaming = new Map<number, RunContext>();
  let hasRun = false;
  let draining = false;
  let ending = false;

  const connection = createConnection(transport, {
    clock: workerClock,
    methods: {
      run: (params, inbound) => {
        const request = runRequest(params);
        const task = taskNamed(request.task);
        if (draining) throw new RpcError(errorCodes.draining, 'This worker is stopping.');
        if (!hasRun) {
          hasRun = true;
          if (control !== undefined) startControlThread(control, register);
        }
        const context = new RunContext(request, inbound, gate.turnStart(), flush);
        if (request.credit === undefined) {
          return gate.enter(new ServedRun(inbound, task, request.input, context));
        }
        streaming.set(inbound.id, context);
        const forget = (): boolean => streaming.delete(inbound.id);
        return gate.enter(new ServedRun(inbound, task, request.input, context, forget));
      },
      validate: async (params) => {
        const { task: name, input } = runRequest(params);
        const { check } = taskNamed(name);
        const outcome = input === undefined || check === undefined ? undefined : await check(input);
        const issues = outcome !== undefined && 'issues' in outcome ? outcome.issues : [];
        return { valid: issues.length === 0, issues };
      },
      // What this thread answers it is there to answer.
      ping: () => workerHealth(register, 0),
      withdraw: (params) => withdrawRuns(register, params),
    },
    notifications: {
      credit: (params) => {
        const { id, n } = (params ?? {}) as { readonly id?: unknown; readonly n?: unknown };
        if (typeof id === 'number' && typeof n === 'number' && n > 0) streaming.get(id)?.chunks.grant(n);
      },
      shutdown: () => {
        draining = true;
        endIfDrained();
      },
    },
  });

  function taskNamed(name: string): ServedTask {
    const task = tasks.get(name);
    if (task !== undefined) return task;
    const known = [...tasks.keys()].join(', ');
    throw new RpcError(
      errorCodes.noSuchTask,
      `There is no task "${name}" here. There are: ${known === '' ? 'none' : known}.`,
    );
  }

  function endIfDrained(): void {
    // The last answer goes out first.
    if (!draining || ending || gate.size > 0) return;
    ending = true;
    setImmediate(() => void end());
  }

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
    if (gate.size === 0) process.exit();
    workerClock.setTimer(ORPHAN_GRACE_MS, () => process.exit());
  }

  async function start(): Promise<void> {
    await definition.init?.();
    const welcome = await introduce(connection, {
      protocol: { min: 1, max: 1 },
      name: '@pawl/runtime',
      language: 'javascript',
      version: VERSION,
      pid: process.pid,
      tasks: [...tasks.keys()],
      features: control === undefined ? FEATURES : [...FEATURES, 'control'],
    });
    gate.limit = welcome.runsAtOnce;
  }

  void connection.closed.then(() => (draining ? undefined : hostIsGone()));
  watchParent(hostIsGone);
  start().catch((error: unknown) => {
    reportFault(error);
    process.exit(1);
  });
}
