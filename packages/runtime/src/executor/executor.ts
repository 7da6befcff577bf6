import { randomUUID } from 'node:crypto';
import {
  checkInteger,
  checkString,
  createEmitter,
  createLifecycle,
  type EventSource,
  expectedMessage,
  ownOptions,
  PawlError,
  type Service,
  startAll,
  stopAll,
  type StopReport,
} from '@pawl/core';
import { contextWithin } from '@pawl/resilience';
import { createDeadlines } from '../scheduling/deadlines.ts';
import { createAttempt } from './attempt.ts';
import { Execution } from './execution.ts';
import type { ExecutorStats } from './execution-counts.ts';
import { resolveExecutionOptions, type ExecutionOptions } from './execution-options.ts';
import {
  createExecutionStream,
  type ExecutionStream,
  type ExecutionStreamOptions,
} from './execution-stream.ts';
import { createExecutionRegister } from './execution-register.ts';
import { ExecutorStoppedError } from './executor-errors.ts';
import type { ExecutorEvents } from './executor-events.ts';
import { type ExecutorOptions, resolveExecutorOptions } from './executor-options.ts';
import type { Outcome } from './outcome.ts';
import { createPipeline } from './pipeline.ts';
import { isService } from './pool-routes.ts';
import type { Step } from './stage.ts';

export type { ExecutorOptions, RunAttempt } from './executor-options.ts';

/** The one entry for a run: deadline, cache, admission, retry, breaker, then a pool; and one classified outcome. */
export interface Executor extends Service, EventSource<ExecutorEvents> {
  /**
   * Executes a task. Resolves with its outcome, however it ends.
   * @throws TypeError, RangeError for wrong arguments only
   */
  execute(task: string, input?: unknown, options?: ExecutionOptions): Promise<Outcome>;
  /**
   * Executes a task and gives its value.
   * @throws what ended it, as it stands in the outcome; TypeError, RangeError for wrong arguments
   */
  run(task: string, input?: unknown, options?: ExecutionOptions): Promise<unknown>;
  /**
   * Executes a task that sends chunks, with all stages but the cache and the retry: what was read can't be taken back.
   * @throws TypeError, RangeError for wrong arguments
   */
  stream(task: string, input?: unknown, options?: ExecutionStreamOptions): ExecutionStream;
  /** Cancels a run that has not ended, in whatever stage it is. @returns whether there was one */
  cancel(runId: string, reason?: string): boolean;
  stats(): ExecutorStats;
}

const NO_OPTIONS: ExecutionOptions = Object.freeze(ownOptions({}));

/** @throws TypeError, RangeError for wrong options */
export function createExecutor(options: ExecutorOptions): Executor {
  const resolved = resolveExecutorOptions(options);
  const { routes, admission, clock, logger } = resolved;
  const emitter = createEmitter<ExecutorEvents>({ logger });
  const register = createExecutionRegister(clock);
  const deadlines = createDeadlines<Execution>({
    clock,
    keepAlive: true,
    onDue: (execution) => execution.expire(),
  });
  const pipeline = createPipeline({ ...resolved, emitter }, createAttempt({ ...resolved, emitter }));
  const ownedPools = resolved.ownsPools ? routes.pools.filter(isService) : [];
  let startsPools = false;

  const stopListening = routes.pools.map((pool) =>
    pool.on?.('run:started', ({ runId, attempt: number, workerId, queuedMs }) => {
      const execution = register.get(runId);
      if (execution === undefined) return;
      execution.stage = 'worker';
      if (emitter.listenerCount('attempt:executing') === 0) return;
      const { task } = execution;
      execution.inContext(() =>
        emitter.emit('attempt:executing', { runId, task, attempt: number, workerId, queuedMs }),
      );
    }),
  );

  const lifecycle = createLifecycle({
    name: 'the executor',
    async start() {
      if (startsPools) await startAll(ownedPools);
    },
    stop: ({ graceMs }) => drainAndStop(graceMs),
  });

  async function drainAndStop(graceMs: number): Promise<StopReport> {
    if (graceMs > 0) await register.whenIdle(graceMs);
    const orphaned = register.running();
    for (const { runId, scope } of orphaned) scope.abort(new ExecutorStoppedError(`Run ${runId} was ended`));
    await stopAll(ownedPools, { graceMs: 0 });
    await register.whenIdle(Infinity);
    for (const stop of stopListening) stop?.();
    return { drained: orphaned.length === 0, orphaned: orphaned.map(({ runId }) => runId) };
  }

  /** @throws TypeError for the id of a run under way */
  function open(task: string, input: unknown, how: ExecutionOptions): Execution {
    const runId = how.runId ?? randomUUID();
    if (register.get(runId) !== undefined) {
      throw new TypeError(expectedMessage('runId', 'the id of no running run', runId));
    }
    return new Execution({
      runId,
      task,
      input,
      options: how,
      timeoutMs: how.timeoutMs ?? resolved.timeoutMs,
      trace: how.trace ?? resolved.trace(),
      startedAt: clock.now(),
      keepsContext: emitter.listenerCount('attempt:executing') > 0,
    });
  }

  /** Takes a run from its beginning to its outcome. */
  function conduct(execution: Execution, way: Step): Promise<Outcome> {
    const { runId, task, trace } = execution;
    if (lifecycle.state === 'idle') void lifecycle.start();
    register.begin(execution);
    deadlines.add(execution);
    emitter.emit('execution:started', { runId, task, trace });
    return advance(execution, way).then(
      (value) => end(execution, execution.succeeded(value, clock.now())),
      (error: unknown) => end(execution, execution.failed(error, clock.now())),
    );
  }

  function advance(execution: Execution, way: Step): Promise<unknown> {
    const { runId, scope } = execution;
    try {
      if (isStopping()) throw new ExecutorStoppedError(`Run ${runId} was refused`);
      if (scope.aborted) throw scope.reason as Error;
      return way(execution, contextWithin(scope));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  function end(execution: Execution, outcome: Outcome): Outcome {
    deadlines.remove(execution);
    register.end(execution, outcome);
    emitter.emit('execution:ended', { outcome });
    return outcome;
  }

  const isStopping = (): boolean => lifecycle.state === 'draining' || lifecycle.state === 'stopped';

  /** @throws TypeError, RangeError for wrong arguments */
  function resolve(task: string, how: ExecutionOptions): ExecutionOptions {
    checkString('task', task);
    return how === NO_OPTIONS ? how : resolveExecutionOptions(how, admission);
  }

  function execute(task: string, input?: unknown, how: ExecutionOptions = NO_OPTIONS): Promise<Outcome> {
    try {
      return conduct(open(task, input, resolve(task, how)), pipeline);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  function stream(task: string, input?: unknown, given: ExecutionStreamOptions = {}): ExecutionStream {
    const { buffer, ...forExecution } = ownOptions(given);
    const how = resolve(task, forExecution);
    if (buffer !== undefined) checkInteger('buffer', buffer, { min: 1 });
    return createExecutionStream(buffer, async (runInPool) => {
      const attempt = createAttempt({ ...resolved, emitter }, runInPool);
      const way = createPipeline({ ...resolved, cache: undefined, retry: undefined, emitter }, attempt);
      return conduct(open(task, input, how), way);
    });
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    get state() {
      return lifecycle.state;
    },
    start() {
      startsPools = true;
      return lifecycle.start();
    },
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    execute,
    stream,
    async run(task, input, how) {
      const outcome = await execute(task, input, how);
      if (outcome.status === 'succeeded') return outcome.value;
      throw outcome.error;
    },
    cancel(runId, reason = 'The run was cancelled.') {
      const execution = register.get(runId);
      execution?.scope.abort(new PawlError(reason, { code: 'CANCELLED' }));
      return execution !== undefined;
    },
    stats: () => register.stats(),
  };
}
