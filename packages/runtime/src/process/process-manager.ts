import {
  checkBoolean,
  checkKnownKeys,
  checkOneOf,
  checkString,
  type Clock,
  createLifecycle,
  PawlError,
  type Random,
  type Service,
  type StopReport,
  systemClock,
  systemRandom,
} from '@pawl/core';
import { createDescendantFinder } from './descendants.ts';
import { childEnvironment } from './environment.ts';
import { checkEnvironment, checkFolder, checkNoNul, checkStrings } from './launch-checks.ts';
import { createProcessHandle, type ProcessHandle } from './process-handle.ts';
import { createSpawnChoice, type SpawnHelperOption } from './spawn-choice.ts';
import type { SpawnPlan, StdioKind } from './spawner.ts';
import { createHostExit } from './host-exit.ts';
import { startError } from './start-fault.ts';
import { systemProcessTable } from './system-process-table.ts';
import type { TerminateOptions, TerminationReport } from './terminate.ts';

export interface ProcessManagerOptions {
  /**
   * Whether a small helper process starts the others, so that the time a start takes, and for which this process
   * stands still, does not grow with its memory. `'auto'` does so on Linux once this process is so large that it pays
   * and a second process is asked for. @default 'auto'
   */
  readonly spawnHelper?: SpawnHelperOption;
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
  /** Opens file descriptor 4 of the child as a pair to be read and written here. @default false */
  readonly control?: boolean;
  /**
   * What becomes of what the process started and left behind when it ends by itself: `'end'` kills it, wherever it
   * went, `'keep'` lets it live. Ending the process by `terminate` or `stop` ends all of it either way. @default 'end'
   */
  readonly descendants?: 'end' | 'keep';
  /**
   * What becomes of the process and its group when this process exits, or dies of a signal, without having ended it:
   * `'end'` kills it. Of SIGKILL only the spawn helper can know. @default 'end'
   */
  readonly onHostExit?: 'end' | 'keep';
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

/** A start whose config was checked. */
interface Launch {
  readonly id: string;
  readonly mark: string;
  readonly descendants: 'end' | 'keep';
  readonly onHostExit: 'end' | 'keep';
  readonly plan: SpawnPlan;
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
  'control',
  'descendants',
  'onHostExit',
];

/** `stop({ graceMs })` terminates all at the same time: many stubborn processes cost one grace, not the sum. */
export function createProcessManager(options: ProcessManagerOptions = {}): ProcessManager {
  checkKnownKeys('createProcessManager', options, ['clock', 'spawnHelper']);
  const clock = options.clock ?? systemClock;
  const spawnHelper = checkOneOf('spawnHelper', options.spawnHelper ?? 'auto', ['auto', true, false]);
  const processes = new Map<string, ProcessHandle>();
  const starting = new Set<Promise<unknown>>();
  /** Of processes that have ended, while what they started is looked for. */
  const releasing = new Set<Promise<unknown>>();
  const table = systemProcessTable();
  const finder = createDescendantFinder(table);
  const spawner = createSpawnChoice({ mode: spawnHelper, finder, clock });
  const markOf = createMarks(systemRandom);
  const hostExit = createHostExit();
  let lastId = 0;

  const lifecycle = createLifecycle({
    name: 'the process manager',
    async stop({ graceMs }) {
      // What is being started is awaited, and ended with the others.
      await Promise.all(starting);
      const report = await terminateAll(graceMs);
      await Promise.all(releasing);
      await spawner.stop();
      return report;
    },
  });

  const isStopping = (): boolean => lifecycle.state === 'draining' || lifecycle.state === 'stopped';

  async function terminateAll(graceMs: number): Promise<StopReport> {
    const reports = await Promise.all(
      [...processes.values()].map(async (handle) => ({
        handle,
        report: await handle.terminate({ graceMs }),
      })),
    );
    const forced = reports
      .filter(({ report }) => report.forced)
      .map(({ handle }) => ({ pid: handle.pid, command: handle.command }));
    const survivors = reports.flatMap(({ report }) => report.survivors);
    const orphaned = new Map([...forced, ...survivors].map(({ pid, command }) => [pid, `${pid} ${command}`]));
    return { drained: orphaned.size === 0, orphaned: [...orphaned.values()] };
  }

  async function start(config: ProcessConfig): Promise<ProcessHandle> {
    checkKnownKeys('spawn', config, CONFIG_KEYS);
    const command = checkNoNul('command', checkString('command', config.command));
    const args = checkStrings('args', config.args ?? []);
    lastId += 1;
    const id = `process-${lastId}`;
    const mark = markOf(lastId);
    const env = childEnvironment(
      checkEnvironment('env', config.env ?? {}),
      checkStrings('inheritEnv', config.inheritEnv ?? []),
      mark,
    );
    const cwd = config.cwd === undefined ? undefined : checkFolder('cwd', config.cwd);
    const stdio = (['stdin', 'stdout', 'stderr'] as const).map((name): StdioKind =>
      checkOneOf(name, config[name] ?? 'pipe', ['pipe', 'ignore', 'inherit']),
    );
    const hasChannel = checkBoolean('channel', config.channel ?? false);
    const hasControl = checkBoolean('control', config.control ?? false);
    if (hasChannel || hasControl) stdio.push(hasChannel ? 'pipe' : 'ignore');
    if (hasControl) stdio.push('pipe');
    const descendants = checkOneOf('descendants', config.descendants ?? 'end', ['end', 'keep']);
    const onHostExit = checkOneOf('onHostExit', config.onHostExit ?? 'end', ['end', 'keep']);
    if (isStopping()) throw stoppedError(command);
    // A manager needs no start of its own; this only makes a later stop run.
    await lifecycle.start();
    if (isStopping()) throw stoppedError(command);
    const plan = { command, args, cwd, env, stdio };
    const launched = launch({ id, mark, descendants, onHostExit, plan });
    noteWhilePending(starting, launched);
    return launched;
  }

  async function launch({ id, mark, descendants, onHostExit, plan }: Launch): Promise<ProcessHandle> {
    const child = await spawner.spawn(plan, mark).catch((error: unknown) => {
      throw startError(error, plan);
    });
    const handle = createProcessHandle({
      id,
      child,
      command: plan.command,
      mark,
      hasChannel: plan.stdio[3] === 'pipe',
      descendants,
      finder,
      tableStart: table?.startOf(child.pid),
      clock,
    });
    processes.set(handle.id, handle);
    const letGo = onHostExit === 'end' ? hostExit.endWithHost(handle.pid) : undefined;
    void handle.exited.then(() => {
      letGo?.();
      processes.delete(handle.id);
      noteWhilePending(releasing, handle.released);
    });
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

/** Keeps in `set` a promise that settles when this one does, and never rejects. */
function noteWhilePending(set: Set<Promise<unknown>>, promise: Promise<unknown>): void {
  const pending: Promise<unknown> = promise.then(
    () => set.delete(pending),
    () => set.delete(pending),
  );
  set.add(pending);
}

/** Marks that no other manager on this machine gives. */
function createMarks(random: Random): (id: number) => string {
  const unique = `${process.pid}-${Math.floor(random() * 2 ** 52).toString(36)}`;
  return (id) => `${unique}-${id}`;
}
