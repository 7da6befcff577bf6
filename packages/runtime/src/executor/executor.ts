import { randomUUID } from 'node:crypto';
import type { TaskCache } from '@pawl/caching';
import {
  checkDurationMs,
  checkKnownKeys,
  checkString,
  type Clock,
  createEmitter,
  type EventSource,
  expectedMessage,
  type LinkedAbort,
  linkAbort,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { compose, type ExecuteOptions, type Policy, timeout, type Work } from '@pawl/resilience';
import type { ProcessPool } from '../process/process-pool.ts';
import { type AttemptContext, attemptContext, type ExecutionOptions } from './context.ts';
import type { ExecutorEvents } from './executor-events.ts';
import { createExecutionCounts, type ExecutorStats } from './execution-counts.ts';
import { classifyError, type Outcome } from './outcome.ts';

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

/** The one entry for a run: deadline, cache, retry, breaker, then a pool; and one classified outcome. */
export interface Executor extends EventSource<ExecutorEvents> {
  /**
   * Executes a task. Resolves with its outcome, however it ends.
   * @throws TypeError, RangeError for wrong arguments only
   */
  execute(task: string, input?: unknown, options?: ExecutionOptions): Promise<Outcome>;
  /** Cancels a run that has not ended. @returns whether there was one */
  cancel(runId: string, reason?: string): boolean;
  stats(): ExecutorStats;
}

const EXECUTOR_KEYS: readonly (keyof ExecutorOptions)[] = [
  'pools',
  'run',
  'retry',
  'breaker',
  'cache',
  'timeoutMs',
  'clock',
  'logger',
];
const EXECUTION_KEYS: readonly (keyof ExecutionOptions)[] = [
  'signal',
  'timeoutMs',
  'attemptTimeoutMs',
  'priority',
  'runId',
  'trace',
  'deterministic',
  'force',
  'onProgress',
  'onLog',
  'onOutput',
];

export function createExecutor(options: ExecutorOptions): Executor {
  checkKnownKeys('createExecutor', options, EXECUTOR_KEYS);
  const clock = options.clock ?? systemClock;
  const defaultTimeoutMs = checkDurationMs('timeoutMs', options.timeoutMs ?? Infinity, { infinite: true });
  const emitter = createEmitter<ExecutorEvents>({ logger: options.logger ?? silentLogger });
  const runAttempt = resolveRun(options);
  const attempts = composeAll([options.retry, options.breaker]);
  const counts = createExecutionCounts();
  const running = new Map<string, LinkedAbort>();

  /** One attempt, with its span of events. */
  async function tryOnce(run: RunState, attempt: number, signal: AbortSignal): Promise<unknown> {
    const { runId, task } = run;
    const startedAt = clock.now();
    run.attempts += 1;
    emitter.emit('attempt:started', { runId, task, attempt });
    try {
      const value = await runAttempt(task, run.input, attemptContext(runId, attempt, signal, run.options));
      emitter.emit('attempt:succeeded', { runId, task, attempt, durationMs: clock.now() - startedAt });
      return value;
    } catch (error) {
      emitter.emit('attempt:failed', { runId, task, attempt, durationMs: clock.now() - startedAt, error });
      throw error;
    }
  }

  /** Cache, then retry, then breaker, then the attempt. */
  function produce(
    run: RunState,
    signal: AbortSignal,
  ): Promise<{ readonly value: unknown; readonly cached: boolean }> {
    const compute = (within: AbortSignal): Promise<unknown> =>
      attempts.execute(({ attempt, signal: attemptSignal }) => tryOnce(run, attempt, attemptSignal), {
        signal: within,
      });
    const { deterministic = false, force = false } = run.options;
    if (options.cache === undefined || !deterministic) {
      return compute(signal).then((value) => ({ value, cached: false }));
    }
    return options.cache.run(run.task, run.input, (_input, context) => compute(context.signal), {
      deterministic,
      force,
      signal,
    });
  }

  async function execute(task: string, input: unknown, how: ExecutionOptions): Promise<Outcome> {
    const runId = how.runId ?? randomUUID();
    const deadline = timeout(how.timeoutMs ?? defaultTimeoutMs, { clock });
    if (running.has(runId)) throw new TypeError(expectedMessage('runId', 'the id of no running run', runId));
    const run: RunState = { runId, task, input, options: how, attempts: 0, startedAt: clock.now() };
    using link = linkAbort(how.signal);
    running.set(runId, link);
    emitter.emit('execution:started', { runId, task });
    let outcome: Outcome;
    try {
      const { value, cached } = await deadline.execute(({ signal }) => produce(run, signal), { signal: link.signal });
      outcome = { status: 'succeeded', value, cached, ...factsOf(run) };
    } catch (error) {
      outcome = { status: classifyError(error, link.signal), error, cached: false, ...factsOf(run) };
    }
    running.delete(runId);
    counts.add(outcome);
    emitter.emit('execution:ended', { outcome });
    return outcome;
  }

  function factsOf({ runId, task, attempts: tried, startedAt }: RunState): Pick<Outcome, 'runId' | 'task' | 'attempts' | 'durationMs'> {
    return { runId, task, attempts: tried, durationMs: clock.now() - startedAt };
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    async execute(task, input, how = {}) {
      checkString('task', task);
      checkKnownKeys('execute', how, EXECUTION_KEYS);
      return execute(task, input, how);
    },
    cancel(runId, reason = 'The run was cancelled.') {
      const link = running.get(runId);
      link?.abort(new PawlError(reason, { code: 'CANCELLED' }));
      return link !== undefined;
    },
    stats: () => counts.stats(running.size),
  };
}

/** A run on its way. */
interface RunState {
  readonly runId: string;
  readonly task: string;
  readonly input: unknown;
  readonly options: ExecutionOptions;
  readonly startedAt: number;
  attempts: number;
}

/** No policy at all. */
const PASS: Policy = {
  execute: async <T>(fn: Work<T>, { signal, attempt = 1 }: ExecuteOptions = {}) =>
    fn({ signal: signal ?? new AbortController().signal, attempt }),
};

function composeAll(policies: readonly (Policy | undefined)[]): Policy {
  const [first, ...rest] = policies.filter((policy) => policy !== undefined);
  return first === undefined ? PASS : compose(first, ...rest);
}

function resolveRun({ pools, run }: ExecutorOptions): RunAttempt {
  if (run !== undefined && pools === undefined) return run;
  if (run !== undefined || pools === undefined) {
    throw new TypeError('An executor needs either `pools` or `run`, and not both.');
  }
  const byTask = new Map(Object.entries(pools));
  return (task, input, context) => {
    const pool = byTask.get(task) ?? byTask.get('*');
    if (pool !== undefined) return pool.run(task, input, context);
    throw new PawlError(`No pool runs "${task}". There are pools for: ${[...byTask.keys()].join(', ')}.`, {
      code: 'NO_SUCH_TASK',
    });
  };
}
