import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import {
  checkBoolean,
  checkKnownKeys,
  checkOneOf,
  checkString,
  type Clock,
  createLifecycle,
  PawlError,
  type Service,
  type StopReport,
  systemClock,
} from '@pawl/core';
import { childEnvironment } from './environment.ts';
import { checkEnvironment, checkFolder, checkStrings } from './launch-checks.ts';
import { ProcessStartError, type StartFault } from './process-errors.ts';
import { createProcessHandle, type ProcessHandle } from './process-handle.ts';
import type { TerminateOptions, TerminationReport } from './terminate.ts';

export interface ProcessManagerOptions {
  /** @default systemClock */
  readonly clock?: Clock;
}

/** What to start, and how. */
export interface ProcessConfig {
  /** A program name, looked up in the child's `PATH`, or a path. Never passed through a shell. */
  readonly command: string;
  /** @default [] */
  readonly args?: readonly string[];
  /** @default the working folder of this process */
  readonly cwd?: string | URL;
  /** Added to the minimal environment (see `inheritEnv`). @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Names passed on from this process's environment besides the harmless ones. @default [] */
  readonly inheritEnv?: readonly string[];
  /** @default 'pipe' */
  readonly stdin?: 'pipe' | 'ignore' | 'inherit';
  /** A piped stream must be read, or the child blocks once the pipe is full. @default 'pipe' */
  readonly stdout?: 'pipe' | 'ignore' | 'inherit';
  /** @default 'pipe' */
  readonly stderr?: 'pipe' | 'ignore' | 'inherit';
  /** Opens file descriptor 3 of the child as a pipe to be read here. @default false */
  readonly channel?: boolean;
}

/** Starts processes, each the leader of its own group, knows them by id, and ends them. */
export interface ProcessManager extends Service {
  /**
   * Resolves when the process runs.
   * @throws ProcessStartError saying whether the program, the permission or the folder is missing
   */
  spawn(config: ProcessConfig): Promise<ProcessHandle>;
  /** A process that has not ended, by its id. */
  get(id: string): ProcessHandle | undefined;
  /** Those that have not ended, oldest first. */
  list(): readonly ProcessHandle[];
  /** Ends one by the ladder of `handle.terminate`. @throws PawlError `NO_SUCH_PROCESS` */
  terminate(id: string, options?: TerminateOptions): Promise<TerminationReport>;
}

/** A checked config. */
interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: ('pipe' | 'ignore' | 'inherit')[];
}

const CONFIG_KEYS: readonly (keyof ProcessConfig)[] = [
  'command',
  'args',
  'cwd',
  'env',
  'inheritEnv',
  'stdin',
  'stdout',
  'stderr',
  'channel',
];

/** `stop({ graceMs })` terminates all at the same time: many stubborn processes cost one grace, not the sum. */
export function createProcessManager(options: ProcessManagerOptions = {}): ProcessManager {
  checkKnownKeys('createProcessManager', options, ['clock']);
  const clock = options.clock ?? systemClock;
  const processes = new Map<string, ProcessHandle>();
  let lastId = 0;

  const lifecycle = createLifecycle({
    name: 'the process manager',
    stop: ({ graceMs }) => terminateAll(graceMs),
  });

  const isStopping = (): boolean => lifecycle.state === 'draining' || lifecycle.state === 'stopped';

  async function terminateAll(graceMs: number): Promise<StopReport> {
    const reports = await Promise.all(
      [...processes.values()].map(async (handle) => ({
        handle,
        report: await handle.terminate({ graceMs }),
      })),
    );
    const orphaned = reports
      .filter(({ report }) => report.forced)
      .map(({ handle }) => `${handle.pid} ${handle.command}`);
    return { drained: orphaned.length === 0, orphaned };
  }

  async function start(config: ProcessConfig): Promise<ProcessHandle> {
    checkKnownKeys('spawn', config, CONFIG_KEYS);
    const command = checkString('command', config.command);
    const args = checkStrings('args', config.args ?? []);
    const env = childEnvironment(
      checkEnvironment('env', config.env ?? {}),
      checkStrings('inheritEnv', config.inheritEnv ?? []),
    );
    const cwd = config.cwd === undefined ? undefined : checkFolder('cwd', config.cwd);
    const stdio = (['stdin', 'stdout', 'stderr'] as const).map((name) =>
      checkOneOf(name, config[name] ?? 'pipe', ['pipe', 'ignore', 'inherit']),
    );
    if (checkBoolean('channel', config.channel ?? false)) stdio.push('pipe');
    if (isStopping()) throw stoppedError(command);
    // A manager needs no start of its own; this only makes a later stop run.
    await lifecycle.start();
    if (isStopping()) throw stoppedError(command);
    return spawnChild({ command, args, cwd, env, stdio });
  }

  async function spawnChild({ command, args, cwd, env, stdio }: SpawnPlan): Promise<ProcessHandle> {
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        ...(cwd === undefined ? {} : { cwd }),
        env,
        stdio,
        // A group of its own, so that all it starts can be signalled together. On Windows it would open a console.
        detached: process.platform !== 'win32',
        windowsHide: true,
      });
    } catch (error) {
      throw new ProcessStartError(faultOf(error, cwd), command, cwd, error);
    }
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [unknown];
      throw new ProcessStartError(faultOf(error, cwd), command, cwd, error);
    }
    lastId += 1;
    const handle = createProcessHandle({
      id: `process-${lastId}`,
      child,
      pid: child.pid,
      command,
      hasChannel: stdio.length > 3,
      clock,
    });
    // In the same turn as the spawn, so that no stop can miss it.
    processes.set(handle.id, handle);
    void handle.exited.then(() => processes.delete(handle.id));
    return handle;
  }

  return {
    get state() {
      return lifecycle.state;
    },
    start: () => lifecycle.start(),
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    spawn: start,
    get: (id) => processes.get(id),
    list: () => [...processes.values()],
    async terminate(id, how) {
      const handle = processes.get(id);
      if (handle === undefined) {
        throw new PawlError(`There is no process \`${id}\`; it may have ended.`, { code: 'NO_SUCH_PROCESS' });
      }
      return handle.terminate(how);
    },
  };
}

function stoppedError(command: string): PawlError {
  return new PawlError(`Can't start \`${command}\`: the process manager was stopped.`, {
    code: 'SERVICE_STOPPED',
  });
}

/** `ENOENT` and `EACCES` are said of the program and of its working folder alike. */
function faultOf(error: unknown, cwd: string | undefined): StartFault {
  const { code } = error as NodeJS.ErrnoException;
  if (cwd !== undefined && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES')) {
    if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) return 'bad-cwd';
  }
  if (code === 'ENOENT') return 'not-found';
  return code === 'EACCES' || code === 'EPERM' ? 'not-permitted' : 'other';
}
