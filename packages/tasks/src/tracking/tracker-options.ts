import {
  checkAtMost,
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  type Clock,
  expectedMessage,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import type { RunStore } from './run-store.ts';
import { type ResolvedTask, resolveTask, resolveTaskOptions, type RunExecutor } from './task-definition.ts';
import type { TaskDefinition, TaskFunction, TaskOptions } from './task-definition.ts';
import { UnknownTaskError } from './tracking-errors.ts';

export interface RunTrackerOptions extends TaskOptions {
  /** Where runs are kept. The tracker opens it, and closes it when it stops. */
  readonly store: RunStore;
  /** The code of each task, by its name. One of `tasks` and `execute` is needed. */
  readonly tasks?: Readonly<Record<string, TaskFunction | TaskDefinition>>;
  /** Does the runs of every task that `tasks` does not have. Without it those are refused. */
  readonly execute?: RunExecutor;
  /** Runs under way at a time. @default 10 */
  readonly maxConcurrent?: number;
  /** Runs of one key under way at a time. @default 1 */
  readonly maxPerKey?: number;
  /**
   * Runs that may be queued, delayed ones included, before `start` refuses another; each is queued for a moment also
   * while nothing runs. What is tried again is queued beyond it. Set it where others submit, so that a loop of theirs
   * fills no disk. @default Infinity
   */
  readonly maxQueued?: number;
  /** How long ended runs are kept, in milliseconds; `Infinity` keeps them. @default 2_592_000_000, 30 days */
  readonly retentionMs?: number;
  /** How often old runs are looked for, in milliseconds. @default 3_600_000, an hour */
  readonly retentionEveryMs?: number;
  /** How often the signs of life of what is under way are stored, in milliseconds. @default 5000 */
  readonly heartbeatMs?: number;
  /** Between SIGTERM and SIGKILL for the processes of a run that must end, in milliseconds. @default 5000 */
  readonly killGraceMs?: number;
  /**
   * How long code may take to end after its signal aborted. After that its run ends without it, and is not tried
   * again, since nobody knows what it still does; its place among `maxConcurrent` stays taken. @default 10_000
   */
  readonly abandonAfterMs?: number;
  /** Longest input and longest result, in bytes of JSON. @default 1_048_576, 1 MiB */
  readonly maxPayloadBytes?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** For run ids and jitter. @default systemRandom */
  readonly random?: Random;
  /** Told of failing listeners and of what the store could not do. @default silentLogger */
  readonly logger?: Logger;
}

type OwnOption = Exclude<keyof RunTrackerOptions, keyof TaskOptions | 'tasks' | 'execute'>;

export interface ResolvedTrackerOptions extends Required<Pick<RunTrackerOptions, OwnOption>> {
  readonly findTask: (name: string) => ResolvedTask | undefined;
  /** @throws UnknownTaskError */
  readonly taskOf: (name: string) => ResolvedTask;
}

const KEYS: readonly (keyof RunTrackerOptions)[] = [
  'store',
  'tasks',
  'execute',
  'maxConcurrent',
  'maxPerKey',
  'maxQueued',
  'timeoutMs',
  'heartbeatTimeoutMs',
  'retry',
  'retentionMs',
  'retentionEveryMs',
  'heartbeatMs',
  'killGraceMs',
  'abandonAfterMs',
  'maxPayloadBytes',
  'clock',
  'random',
  'logger',
];

/** @throws TypeError, RangeError naming the option that is wrong or unknown */
export function resolveTrackerOptions(options: RunTrackerOptions): ResolvedTrackerOptions {
  checkKnownKeys('createRunTracker', options, KEYS);
  const positive = { min: 1 } as const;
  const killGraceMs = checkDurationMs('killGraceMs', options.killGraceMs ?? 5_000);
  const abandonAfterMs = checkDurationMs('abandonAfterMs', options.abandonAfterMs ?? 10_000, {
    infinite: true,
  });
  checkAtMost('killGraceMs', killGraceMs, 'abandonAfterMs', abandonAfterMs);
  return {
    store: checkStore(options.store),
    ...resolveTasks(options),
    maxConcurrent: checkInteger('maxConcurrent', options.maxConcurrent ?? 10, { min: 1, infinite: true }),
    maxPerKey: checkInteger('maxPerKey', options.maxPerKey ?? 1, { min: 1 }),
    maxQueued: checkInteger('maxQueued', options.maxQueued ?? Infinity, { min: 1, infinite: true }),
    retentionMs: checkDurationMs('retentionMs', options.retentionMs ?? 2_592_000_000, { infinite: true }),
    retentionEveryMs: checkDurationMs('retentionEveryMs', options.retentionEveryMs ?? 3_600_000, positive),
    heartbeatMs: checkDurationMs('heartbeatMs', options.heartbeatMs ?? 5_000, positive),
    killGraceMs,
    abandonAfterMs,
    maxPayloadBytes: checkInteger('maxPayloadBytes', options.maxPayloadBytes ?? 1_048_576, positive),
    clock: options.clock ?? systemClock,
    random: checkFunction('random', options.random ?? systemRandom),
    logger: options.logger ?? silentLogger,
  };
}

function resolveTasks(options: RunTrackerOptions): Pick<ResolvedTrackerOptions, 'findTask' | 'taskOf'> {
  const { tasks = {}, execute, timeoutMs, heartbeatTimeoutMs, retry } = options;
  if (execute === undefined && Object.keys(tasks).length === 0) {
    throw new TypeError('Expected `tasks` or `execute` of createRunTracker: there is no code to run.');
  }
  const defaults: TaskOptions = {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(heartbeatTimeoutMs === undefined ? {} : { heartbeatTimeoutMs }),
    ...(retry === undefined ? {} : { retry }),
  };
  const known = new Map(
    Object.entries(tasks).map(([name, task]) => [name, resolveTask(name, task, defaults)]),
  );
  const other =
    execute === undefined ? undefined : resolveTaskOptions(checkFunction('execute', execute), defaults);
  const findTask = (name: string): ResolvedTask | undefined => known.get(name) ?? other;
  return {
    findTask,
    taskOf(name) {
      const task = findTask(name);
      if (task === undefined) throw new UnknownTaskError(name, [...known.keys()]);
      return task;
    },
  };
}

function checkStore(store: RunStore): RunStore {
  if (typeof (store as Partial<RunStore> | undefined)?.claim === 'function') return store;
  throw new TypeError(expectedMessage('store', 'a run store', store));
}
