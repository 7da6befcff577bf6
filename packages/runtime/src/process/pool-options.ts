import { availableParallelism } from 'node:os';
import {
  checkAtMost,
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkNumber,
  checkOneOf,
  checkString,
  type Clock,
  expectedMessage,
  type Logger,
  ownOptions,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import type { BalancerFactory } from '../scheduling/balancing/balancer.ts';
import type { HealthLimits } from './health.ts';
import { type HealthOptions, resolveHealthOptions } from './health-options.ts';
import { checkEnvironment, checkFolder, checkMethods, checkStrings } from './launch-checks.ts';
import { TIMEOUT_FROM, type TimeoutFrom } from './run-options.ts';
import { type ResolvedWorkerCommand, resolveWorkerCommand, type WorkerCommand } from './worker-command.ts';

export interface RestartOptions {
  /** Workers that may fail to start, or die idle, within `withinMs` before the pool stops starting new ones. @default 3 */
  readonly maxRestarts?: number;
  /** In milliseconds. Also how long a pool that gave up waits before it tries again. @default 60000 */
  readonly withinMs?: number;
}

/**
 * What becomes of a run that finds the queue full: `reject` refuses it, `wait` lets it wait for a place, `drop-oldest`
 * refuses the one of the lowest priority that has waited longest.
 */
export type Overflow = 'reject' | 'wait' | 'drop-oldest';

/** How many runs are sent ahead to a worker that executes one: as many as it does in a millisecond, none, or so many. */
export type Prefetch = 'auto' | false | number;

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
  /**
   * Runs a worker executes at once, if it says that it can: raise it for tasks that mostly wait. A crash then takes all
   * of them along. @default 1
   */
  readonly runsPerWorker?: number;
  /**
   * Sends runs ahead to workers that queue them, so that tiny runs are bound by CPU and not by round trips. `auto`: as
   * many as are expected to take 1 ms together. A number: so many. `false` is for tasks that must not be executed when
   * their worker is killed from outside in the midst of a burst of tiny ones. @default 'auto'
   */
  readonly prefetch?: Prefetch;
  /** Chooses the worker of a run: one of `balancers`. @default the one with the least runs that was used last */
  readonly balancer?: BalancerFactory;
  /** Runs a worker serves before it is recycled; bounds slow memory growth. `1` gives every run a fresh process. @default Infinity */
  readonly maxRunsPerWorker?: number;
  /** How long a worker lives before it is recycled, in milliseconds. @default Infinity */
  readonly maxWorkerAgeMs?: number;
  /** Resident memory of a worker beyond which it is recycled, in bytes. Looked at every `heartbeatMs`. @default Infinity */
  readonly maxWorkerRssBytes?: number;
  /** Up to which share of `maxRunsPerWorker` and `maxWorkerAgeMs` is cut off by chance, lest all workers leave together. @default 0.1 */
  readonly recycleJitter?: number;
  /** How long a worker beyond `minWorkers` may be idle, in milliseconds. @default 3600000 (1 h) */
  readonly idleTimeoutMs?: number;
  /** Runs that may wait, `Infinity` is no limit. @default 10000 */
  readonly maxQueue?: number;
  /** What becomes of one more. @default 'reject' */
  readonly overflow?: Overflow;
  /** Waiting this long, in milliseconds, weighs as much as one more in priority; `Infinity` never does. @default 10000 */
  readonly ageingMs?: number;
  /** How long a run may take, in milliseconds; `Infinity` is no limit. @default 300000 (5 min) */
  readonly runTimeoutMs?: number;
  /** Whether that counts from when a worker executes it, or from when it was submitted. @default 'start' */
  readonly timeoutFrom?: TimeoutFrom;
  /** Workers that may die of a run of the same `runId` before it is refused for good, `Infinity` for any number. @default 3 */
  readonly maxCrashes?: number;
  /** How long a worker may take to introduce itself, in milliseconds. @default 10000 */
  readonly startTimeoutMs?: number;
  /** How long a cancelled or timed-out task may clean up before SIGTERM, in milliseconds. @default 5000 */
  readonly cancelGraceMs?: number;
  /** Between SIGTERM and SIGKILL, in milliseconds. @default 5000 */
  readonly killGraceMs?: number;
  readonly restart?: RestartOptions;
  /** Longest message either way, in bytes. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
  /**
   * Whether this process and its Node workers stay awake for some 40 µs after they heard of each other, as long as they
   * hear more in that time.
   * @default true where there is more than one processor
   */
  readonly busyPoll?: boolean;
  /**
   * How long a worker may be silent before it is asked for a sign of life, and may take to answer, in milliseconds ≥
   * 1000; `Infinity` never asks. @default 5000
   */
  readonly heartbeatMs?: number;
  /** When a worker is not healthy, which is looked at every `heartbeatMs`. */
  readonly health?: HealthOptions;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Where the jitter comes from. @default systemRandom */
  readonly random?: Random;
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
  readonly runsPerWorker: number;
  readonly prefetch: Prefetch;
  readonly balancer: BalancerFactory | undefined;
  readonly maxRunsPerWorker: number;
  readonly maxWorkerAgeMs: number;
  readonly maxWorkerRssBytes: number;
  readonly recycleJitter: number;
  readonly idleTimeoutMs: number;
  readonly maxQueue: number;
  readonly overflow: Overflow;
  readonly ageingMs: number;
  readonly runTimeoutMs: number;
  readonly timeoutFrom: TimeoutFrom;
  readonly maxCrashes: number;
  readonly startTimeoutMs: number;
  readonly cancelGraceMs: number;
  readonly killGraceMs: number;
  readonly maxRestarts: number;
  readonly restartWithinMs: number;
  readonly maxMessageBytes: number;
  readonly busyPoll: boolean;
  readonly heartbeatMs: number;
  readonly healthLimits: Required<HealthLimits>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** More would add nothing: see the measurements of throughput by runs sent ahead in docs/performance.md. */
export const MOST_AHEAD = 256;

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
  'runsPerWorker',
  'prefetch',
  'balancer',
  'maxRunsPerWorker',
  'maxWorkerAgeMs',
  'maxWorkerRssBytes',
  'recycleJitter',
  'idleTimeoutMs',
  'maxQueue',
  'overflow',
  'ageingMs',
  'runTimeoutMs',
  'timeoutFrom',
  'maxCrashes',
  'startTimeoutMs',
  'cancelGraceMs',
  'killGraceMs',
  'restart',
  'maxMessageBytes',
  'busyPoll',
  'heartbeatMs',
  'health',
  'clock',
  'random',
  'logger',
];

/** Checks every option and fills in the defaults. @throws TypeError, RangeError */
export function resolvePoolOptions(given: PoolOptions): ResolvedPoolOptions {
  checkKnownKeys('createPool', given, KEYS);
  const options = ownOptions(given);
  checkKnownKeys('restart', options.restart ?? {}, ['maxRestarts', 'withinMs']);
  const restart = ownOptions(options.restart ?? {});
  const maxWorkers = checkInteger('maxWorkers', options.maxWorkers ?? availableParallelism(), { min: 1 });
  const minWorkers = checkInteger('minWorkers', options.minWorkers ?? 1, { min: 0 });
  checkAtMost('minWorkers', minWorkers, 'maxWorkers', maxWorkers);
  const forever = { infinite: true };
  const maxWorkerRssBytes = checkInteger('maxWorkerRssBytes', options.maxWorkerRssBytes ?? Infinity, {
    min: 1,
    infinite: true,
  });
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
    runsPerWorker: checkInteger('runsPerWorker', options.runsPerWorker ?? 1, { min: 1 }),
    prefetch: checkPrefetch(options.prefetch ?? 'auto'),
    balancer: options.balancer === undefined ? undefined : checkFunction('balancer', options.balancer),
    maxRunsPerWorker: checkInteger('maxRunsPerWorker', options.maxRunsPerWorker ?? Infinity, {
      min: 1,
      infinite: true,
    }),
    maxWorkerAgeMs: checkDurationMs('maxWorkerAgeMs', options.maxWorkerAgeMs ?? Infinity, {
      min: 1,
      infinite: true,
    }),
    maxWorkerRssBytes,
    recycleJitter: checkNumber('recycleJitter', options.recycleJitter ?? 0.1, { min: 0, max: 1 }),
    idleTimeoutMs: checkDurationMs('idleTimeoutMs', options.idleTimeoutMs ?? 3_600_000, forever),
    maxQueue: checkInteger('maxQueue', options.maxQueue ?? 10_000, { min: 0, infinite: true }),
    overflow: checkOneOf('overflow', options.overflow ?? 'reject', ['reject', 'wait', 'drop-oldest']),
    ageingMs: checkDurationMs('ageingMs', options.ageingMs ?? 10_000, { min: 1, infinite: true }),
    runTimeoutMs: checkDurationMs('runTimeoutMs', options.runTimeoutMs ?? 300_000, forever),
    timeoutFrom: checkOneOf('timeoutFrom', options.timeoutFrom ?? 'start', TIMEOUT_FROM),
    maxCrashes: checkInteger('maxCrashes', options.maxCrashes ?? 3, { min: 1, infinite: true }),
    startTimeoutMs: checkDurationMs('startTimeoutMs', options.startTimeoutMs ?? 10_000),
    cancelGraceMs: checkDurationMs('cancelGraceMs', options.cancelGraceMs ?? 5_000),
    killGraceMs: checkDurationMs('killGraceMs', options.killGraceMs ?? 5_000),
    maxRestarts: checkInteger('restart.maxRestarts', restart.maxRestarts ?? 3, { min: 0, infinite: true }),
    restartWithinMs: checkDurationMs('restart.withinMs', restart.withinMs ?? 60_000),
    maxMessageBytes: checkInteger('maxMessageBytes', options.maxMessageBytes ?? 67_108_864, { min: 1_024 }),
    busyPoll: checkBoolean('busyPoll', options.busyPoll ?? availableParallelism() > 1),
    heartbeatMs: checkDurationMs('heartbeatMs', options.heartbeatMs ?? 5_000, { min: 1_000, infinite: true }),
    healthLimits: resolveHealthOptions(options.health ?? {}, maxWorkerRssBytes),
    clock: checkMethods('clock', options.clock ?? systemClock, 'a Clock', ['now', 'setTimer']),
    random: checkFunction('random', options.random ?? systemRandom),
    logger: checkMethods('logger', options.logger ?? silentLogger, 'a Logger', [
      'debug',
      'info',
      'warn',
      'error',
    ]),
  };
}

function checkPrefetch(value: unknown): Prefetch {
  if (value === 'auto' || value === false) return value;
  if (typeof value === 'number') return checkInteger('prefetch', value, { min: 0, max: MOST_AHEAD });
  throw new TypeError(expectedMessage('prefetch', `'auto', false or an integer ≤ ${MOST_AHEAD}`, value));
}
