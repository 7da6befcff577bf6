import { availableParallelism } from 'node:os';
import {
  checkAtMost,
  checkBoolean,
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { checkEnvironment, checkFolder, checkMethods, checkStrings } from './launch-checks.ts';
import { type ResolvedWorkerCommand, resolveWorkerCommand, type WorkerCommand } from './worker-command.ts';

export interface RestartOptions {
  /** Workers that may fail to start, or die idle, within `withinMs` before the pool stops starting new ones. @default 3 */
  readonly maxRestarts?: number;
  /** In milliseconds. Also how long a pool that gave up waits before it tries again. @default 60000 */
  readonly withinMs?: number;
}

export interface PoolOptions {
  /**
   * What the workers are: a file of functions (`.js .mjs .cjs .ts .mts`, or `.py`), or the command of any program
   * that speaks the worker protocol.
   */
  readonly worker: URL | WorkerCommand;
  /** Added to the minimal environment of the workers. @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Names passed on from this process's environment besides the harmless ones. @default [] */
  readonly inheritEnv?: readonly string[];
  /** Working folder of the workers. @default the working folder of this process */
  readonly cwd?: string | URL;
  /** Gives each worker an empty folder of its own as `cwd`, `HOME` and `TMPDIR`, removed when it ends. @default false */
  readonly privateFolder?: boolean;
  /** Arguments for Node itself, for JavaScript workers. @default [] */
  readonly execArgv?: readonly string[];
  /** The Python for `.py` workers: a name or path. @default 'python3' */
  readonly python?: string;
  /** Workers kept alive even when idle. Raise it when cold starts show in the queue wait. @default 1 */
  readonly minWorkers?: number;
  /** @default the number of CPUs this process may use */
  readonly maxWorkers?: number;
  /** Idle workers kept ready on top of the busy ones, up to `maxWorkers`. Hides the start of single-use workers. @default 0 */
  readonly spareWorkers?: number;
  /** Runs a worker serves before it is recycled; bounds slow memory growth. `1` gives every run a fresh process. @default Infinity */
  readonly maxRunsPerWorker?: number;
  /** How long a worker beyond `minWorkers` may be idle, in milliseconds. @default 3600000 (1 h) */
  readonly idleTimeoutMs?: number;
  /** Runs that may wait; one more is refused. @default 10000 */
  readonly maxQueue?: number;
  /** How long a run may take once it has a worker, in milliseconds; `Infinity` is no limit. @default 300000 (5 min) */
  readonly runTimeoutMs?: number;
  /** How long a worker may take to introduce itself, in milliseconds. @default 10000 */
  readonly startTimeoutMs?: number;
  /** How long a cancelled or timed-out task may clean up before SIGTERM, in milliseconds. @default 5000 */
  readonly cancelGraceMs?: number;
  /** Between SIGTERM and SIGKILL, in milliseconds. @default 5000 */
  readonly killGraceMs?: number;
  readonly restart?: RestartOptions;
  /** Longest message either way, in bytes. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
  /** How often a silent worker should be asked for a sign of life, in milliseconds. @default 5000 */
  readonly heartbeatMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedPoolOptions {
  readonly resolveCommand: () => Promise<ResolvedWorkerCommand>;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly cwd: string | undefined;
  readonly privateFolder: boolean;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly spareWorkers: number;
  readonly maxRunsPerWorker: number;
  readonly idleTimeoutMs: number;
  readonly maxQueue: number;
  readonly runTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly cancelGraceMs: number;
  readonly killGraceMs: number;
  readonly maxRestarts: number;
  readonly restartWithinMs: number;
  readonly maxMessageBytes: number;
  readonly heartbeatMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof PoolOptions)[] = [
  'worker',
  'env',
  'inheritEnv',
  'cwd',
  'privateFolder',
  'execArgv',
  'python',
  'minWorkers',
  'maxWorkers',
  'spareWorkers',
  'maxRunsPerWorker',
  'idleTimeoutMs',
  'maxQueue',
  'runTimeoutMs',
  'startTimeoutMs',
  'cancelGraceMs',
  'killGraceMs',
  'restart',
  'maxMessageBytes',
  'heartbeatMs',
  'clock',
  'logger',
];

/** Checks every option and fills in the defaults. @throws TypeError, RangeError */
export function resolvePoolOptions(options: PoolOptions): ResolvedPoolOptions {
  checkKnownKeys('createPool', options, KEYS);
  const restart = options.restart ?? {};
  checkKnownKeys('restart', restart, ['maxRestarts', 'withinMs']);
  const maxWorkers = checkInteger('maxWorkers', options.maxWorkers ?? availableParallelism(), { min: 1 });
  const minWorkers = checkInteger('minWorkers', options.minWorkers ?? 1, { min: 0 });
  checkAtMost('minWorkers', minWorkers, 'maxWorkers', maxWorkers);
  const forever = { infinite: true };
  return {
    resolveCommand: resolveWorkerCommand(options.worker, {
      execArgv: checkStrings('execArgv', options.execArgv ?? []),
      python: checkString('python', options.python ?? 'python3'),
    }),
    env: checkEnvironment('env', options.env ?? {}),
    inheritEnv: checkStrings('inheritEnv', options.inheritEnv ?? []),
    cwd: options.cwd === undefined ? undefined : checkFolder('cwd', options.cwd),
    privateFolder: checkBoolean('privateFolder', options.privateFolder ?? false),
    minWorkers,
    maxWorkers,
    spareWorkers: checkInteger('spareWorkers', options.spareWorkers ?? 0, { min: 0 }),
    maxRunsPerWorker: checkInteger('maxRunsPerWorker', options.maxRunsPerWorker ?? Infinity, {
      min: 1,
      infinite: true,
    }),
    idleTimeoutMs: checkDurationMs('idleTimeoutMs', options.idleTimeoutMs ?? 3_600_000, forever),
    maxQueue: checkInteger('maxQueue', options.maxQueue ?? 10_000, { min: 0, infinite: true }),
    runTimeoutMs: checkDurationMs('runTimeoutMs', options.runTimeoutMs ?? 300_000, forever),
    startTimeoutMs: checkDurationMs('startTimeoutMs', options.startTimeoutMs ?? 10_000),
    cancelGraceMs: checkDurationMs('cancelGraceMs', options.cancelGraceMs ?? 5_000),
    killGraceMs: checkDurationMs('killGraceMs', options.killGraceMs ?? 5_000),
    maxRestarts: checkInteger('restart.maxRestarts', restart.maxRestarts ?? 3, { min: 0, infinite: true }),
    restartWithinMs: checkDurationMs('restart.withinMs', restart.withinMs ?? 60_000),
    maxMessageBytes: checkInteger('maxMessageBytes', options.maxMessageBytes ?? 67_108_864, { min: 1_024 }),
    heartbeatMs: checkDurationMs('heartbeatMs', options.heartbeatMs ?? 5_000),
    clock: checkMethods('clock', options.clock ?? systemClock, 'a Clock', ['now', 'setTimer']),
    logger: checkMethods('logger', options.logger ?? silentLogger, 'a Logger', [
      'debug',
      'info',
      'warn',
      'error',
    ]),
  };
}
