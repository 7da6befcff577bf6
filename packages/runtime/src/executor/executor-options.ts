import type { TaskCache } from '@pawl/caching';
import {
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  checkOneOf,
  type Clock,
  expectedMessage,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import type { Policy } from '@pawl/resilience';
import type { Admission } from '../scheduling/admission/admission.ts';
import type { BalancerFactory } from '../scheduling/balancing/balancer.ts';
import { leastLoaded } from '../scheduling/balancing/least-loaded.ts';
import type { AttemptContext } from './context.ts';
import { createPoolRoutes, type ExecutorPool, type PoolRoutes } from './pool-routes.ts';

/** Executes one attempt in place of a pool. */
export type RunAttempt = (task: string, input: unknown, context: AttemptContext) => unknown;

export interface ExecutorOptions {
  /**
   * The pool for each task, by task name, or several that are equal; `'*'` takes the tasks not named. One of `pools`
   * and `run` is needed.
   */
  readonly pools?: Readonly<Record<string, ExecutorPool | readonly ExecutorPool[]>>;
  /** Executes attempts in place of pools: an executor without processes, for tests. */
  readonly run?: RunAttempt;
  /** Chooses among equal pools, by how many attempts each has of this executor. @default balancers.leastLoaded */
  readonly balancer?: BalancerFactory;
  /**
   * Whether its start and stop start and stop the pools. Turn it off for pools that others use, too.
   * @default true
   */
  readonly ownsPools?: boolean;
  /** Lets runs begin while the machine has room and their tokens are there. Stored results need none. @default none */
  readonly admission?: Admission;
  /** Whether a run that is not admitted waits, or ends with ADMISSION_REFUSED. @default 'wait' */
  readonly whenNotAdmitted?: 'wait' | 'reject';
  /** Repeats attempts. @default none: one attempt */
  readonly retry?: Policy;
  /** Refuses attempts while too many fail. Inside the retry, so that it counts attempts and not whole runs. @default none */
  readonly breaker?: Policy;
  /** Where results of deterministic runs are kept. @default none */
  readonly cache?: TaskCache;
  /** How long a run may take in all, in milliseconds; `Infinity` is no limit. @default Infinity */
  readonly timeoutMs?: number;
  /** Gives the W3C `traceparent` of a run that brings none: `newTraceparent`, or a function of your tracer. @default none */
  readonly trace?: () => string | undefined;
  /** @default systemClock */
  readonly clock?: Clock;
  /** For a balancer that draws. @default systemRandom */
  readonly random?: Random;
  /** Told of listeners and callbacks that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedExecutorOptions {
  readonly run: RunAttempt | undefined;
  /** No pools when `run` is there. */
  readonly routes: PoolRoutes;
  readonly ownsPools: boolean;
  readonly admission: Admission | undefined;
  readonly whenNotAdmitted: 'wait' | 'reject';
  readonly retry: Policy | undefined;
  readonly breaker: Policy | undefined;
  readonly cache: TaskCache | undefined;
  readonly timeoutMs: number;
  readonly trace: () => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const EXECUTOR_KEYS: readonly (keyof ExecutorOptions)[] = [
  'pools',
  'run',
  'balancer',
  'ownsPools',
  'admission',
  'whenNotAdmitted',
  'retry',
  'breaker',
  'cache',
  'timeoutMs',
  'trace',
  'clock',
  'random',
  'logger',
];

/** Checks every option and fills in the defaults. @throws TypeError, RangeError */
export function resolveExecutorOptions(options: ExecutorOptions): ResolvedExecutorOptions {
  checkKnownKeys('createExecutor', options, EXECUTOR_KEYS);
  const { admission, breaker, cache, retry, run } = options;
  if (admission !== undefined) {
    for (const name of ['acquire', 'tryAcquire', 'check']) checkMethod('admission', admission, name);
  }
  if (cache !== undefined) checkMethod('cache', cache, 'run');
  if (retry !== undefined) checkMethod('retry', retry, 'execute');
  if (breaker !== undefined) checkMethod('breaker', breaker, 'execute');
  return {
    run: run === undefined ? undefined : checkFunction('run', run),
    routes: createPoolRoutes(checkPools(options), {
      balancer: checkFunction('balancer', options.balancer ?? leastLoaded),
      random: checkFunction('random', options.random ?? systemRandom),
    }),
    ownsPools: checkBoolean('ownsPools', options.ownsPools ?? true),
    admission,
    whenNotAdmitted: checkOneOf('whenNotAdmitted', options.whenNotAdmitted ?? 'wait', ['wait', 'reject']),
    retry,
    breaker,
    cache,
    timeoutMs: checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true }),
    trace: checkFunction('trace', options.trace ?? (() => undefined)),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

function checkMethod(option: string, value: unknown, name: string): void {
  checkFunction(`${option}.${name}`, (value as Readonly<Record<string, unknown>> | null)?.[name]);
}

function checkPools({ pools, run }: ExecutorOptions): NonNullable<ExecutorOptions['pools']> {
  if ((pools === undefined) === (run === undefined)) {
    throw new TypeError('An executor needs either `pools` or `run`, and not both.');
  }
  if (pools === undefined) return {};
  if (typeof pools !== 'object' || pools === null) {
    throw new TypeError(expectedMessage('pools', 'an object', pools));
  }
  for (const [task, given] of Object.entries(pools)) {
    const equal = [given].flat();
    if (equal.length === 0) throw new TypeError(expectedMessage(`pools.${task}`, 'at least one pool', given));
    for (const pool of equal) checkMethod(`pools.${task}`, pool, 'run');
  }
  return pools;
}
