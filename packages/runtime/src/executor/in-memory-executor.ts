import { checkKnownKeys, expectedMessage, silentLogger, systemClock } from '@pawl/core';
import type { Task } from '../worker/task.ts';
import { createExecutor, type Executor } from './executor.ts';
import { EXECUTOR_KEYS, type ExecutorOptions } from './executor-options.ts';
import { createInMemoryPool } from './in-memory-pool.ts';

export interface InMemoryExecutorOptions extends Omit<
  ExecutorOptions,
  'pools' | 'run' | 'balancer' | 'ownsPools'
> {
  /** The tasks by name, written as those of a worker are. */
  readonly tasks: Readonly<Record<string, Task>>;
}

const KEYS: readonly string[] = [
  'tasks',
  ...EXECUTOR_KEYS.filter((key) => !['pools', 'run', 'balancer', 'ownsPools'].includes(key)),
];

/**
 * Makes an executor whose tasks run in this process, for tests of what uses one: no process, no pipe, and time from
 * `clock`. Inputs, results and errors are what they would be had they crossed to a worker; a task can't crash, but
 * throw a `WorkerCrashedError`.
 * @throws TypeError, RangeError for wrong options
 */
export function createInMemoryExecutor(options: InMemoryExecutorOptions): Executor {
  checkKnownKeys('createInMemoryExecutor', options, KEYS);
  const { tasks, ...rest } = options;
  if (typeof tasks !== 'object' || tasks === null) {
    throw new TypeError(expectedMessage('tasks', 'an object', tasks));
  }
  const { clock = systemClock, logger = silentLogger } = rest;
  return createExecutor({ ...rest, pools: { '*': createInMemoryPool(tasks, { clock, logger }) } });
}
