import type { TaskCache } from '@pawl/caching';
import {
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  type Clock,
  expectedMessage,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { compose, type ExecuteOptions, type Policy, type Work } from '@pawl/resilience';
import type { ProcessPool } from '../process/process-pool.ts';
import type { AttemptContext } from './context.ts';

/** Executes one attempt: a pool does, or any function in tests. */
export type RunAttempt = (task: string, input: unknown, context: AttemptContext) => unknown;

export interface ExecutorOptions {
  /** The pool for each task, by task name; `'*'` takes the tasks not named. One of `pools` and `run` is needed. */
  readonly pools?: Readonly<Record<string, Pick<ProcessPool, 'run'>>>;
  /** Executes attempts in place of pools: an executor without processes, for tests. */
  readonly run?: RunAttempt;
  /** Repeats attempts. @default none: one attempt */
  readonly retry?: Policy;
  /** Refuses attempts while too many fail. Inside the retry, so that it counts attempts and not whole runs. @default none */
  readonly breaker?: Policy;
  /** Where results of deterministic runs are kept. @default none */
  readonly cache?: TaskCache;
  /** How long a run may take in all, in milliseconds; `Infinity` is no limit. @default Infinity */
  readonly timeoutMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export interface ResolvedExecutorOptions {
  readonly run: RunAttempt;
  /** Retry around breaker. */
  readonly attempts: Policy;
  readonly cache: TaskCache | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const KEYS: readonly (keyof ExecutorOptions)[] = [
  'pools',
  'run',
  'retry',
  'breaker',
  'cache',
  'timeoutMs',
  'clock',
  'logger',
];

/** Checks every option and fills in the defaults. @throws TypeError, RangeError */
export function resolveExecutorOptions(options: ExecutorOptions): ResolvedExecutorOptions {
  checkKnownKeys('createExecutor', options, KEYS);
  const { cache, retry, breaker } = options;
  if (cache !== undefined) checkFunction('cache.run', (cache as Partial<TaskCache> | null)?.run);
  return {
    run: resolveRun(options),
    attempts: composeAll({ retry, breaker }),
    cache,
    timeoutMs: checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** No policy at all. */
const PASS: Policy = {
  execute: async <T>(fn: Work<T>, { signal, attempt = 1 }: ExecuteOptions = {}) =>
    fn({ signal: signal ?? new AbortController().signal, attempt }),
};

function composeAll(policies: Readonly<Record<string, Policy | undefined>>): Policy {
  const given = Object.entries(policies).flatMap(([name, policy]) => {
    if (policy === undefined) return [];
    checkFunction(`${name}.execute`, (policy as Partial<Policy> | null)?.execute);
    return [policy];
  });
  const [first, ...rest] = given;
  return first === undefined ? PASS : compose(first, ...rest);
}

function resolveRun({ pools, run }: ExecutorOptions): RunAttempt {
  if (run !== undefined && pools === undefined) return checkFunction('run', run);
  if (run !== undefined || pools === undefined) {
    throw new TypeError('An executor needs either `pools` or `run`, and not both.');
  }
  if (typeof pools !== 'object' || pools === null) {
    throw new TypeError(expectedMessage('pools', 'an object', pools));
  }
  const byTask = new Map(Object.entries(pools));
  for (const [task, pool] of byTask) {
    checkFunction(`pools.${task}.run`, (pool as Partial<ProcessPool> | null)?.run);
  }
  return (task, input, context) => {
    const pool = byTask.get(task) ?? byTask.get('*');
    if (pool !== undefined) return pool.run(task, input, context);
    throw new PawlError(`No pool runs "${task}". There are pools for: ${[...byTask.keys()].join(', ')}.`, {
      code: 'NO_SUCH_TASK',
    });
  };
}
