import { randomUUID } from 'node:crypto';
import {
  checkString,
  createEmitter,
  type EventSource,
  expectedMessage,
  type LinkedAbort,
  linkAbort,
  onAbort,
  PawlError,
} from '@pawl/core';
import { timeout } from '@pawl/resilience';
import { attemptContext, checkExecutionOptions, type ExecutionOptions } from './context.ts';
import type { ExecutorEvents } from './executor-events.ts';
import { type ExecutorOptions, resolveExecutorOptions } from './executor-options.ts';
import { createExecutionCounts, type ExecutorStats } from './execution-counts.ts';
import { classifyError, type Outcome } from './outcome.ts';

export type { ExecutorOptions, RunAttempt } from './executor-options.ts';

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

/** @throws TypeError, RangeError for wrong options */
export function createExecutor(options: ExecutorOptions): Executor {
  const { run: runAttempt, attempts, cache, timeoutMs, clock, logger } = resolveExecutorOptions(options);
  const emitter = createEmitter<ExecutorEvents>({ logger });
  const counts = createExecutionCounts();
  const running = new Map<string, LinkedAbort>();

  /** One attempt, with its span of events. A span that is cut ends with the abort, whatever the attempt does later. */
  async function tryOnce(run: RunState, attempt: number, signal: AbortSignal): Promise<unknown> {
    const span = { runId: run.runId, task: run.task, attempt };
    const startedAt = clock.now();
    let open = true;
    const end = (emit: (durationMs: number) => void): void => {
      if (open) emit(clock.now() - startedAt);
      open = false;
    };
    const failed = (error: unknown): void =>
      end((durationMs) => emitter.emit('attempt:failed', { ...span, durationMs, error }));
    run.attempts += 1;
    emitter.emit('attempt:started', span);
    const stopListening = onAbort(signal, failed);
    try {
      const value = await runAttempt(
        run.task,
        run.input,
        attemptContext(run.runId, attempt, signal, run.options),
      );
      end((durationMs) => emitter.emit('attempt:succeeded', { ...span, durationMs }));
      return value;
    } catch (error) {
      failed(error);
      throw error;
    } finally {
      stopListening();
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
    if (cache === undefined || !deterministic) {
      return compute(signal).then((value) => ({ value, cached: false }));
    }
    return cache.run(run.task, run.input, (_input, context) => compute(context.signal), {
      deterministic,
      force,
      signal,
    });
  }

  async function execute(task: string, input: unknown, how: ExecutionOptions): Promise<Outcome> {
    const runId = how.runId ?? randomUUID();
    const deadline = timeout(how.timeoutMs ?? timeoutMs, { clock });
    if (running.has(runId)) throw new TypeError(expectedMessage('runId', 'the id of no running run', runId));
    const run: RunState = { runId, task, input, options: how, attempts: 0, startedAt: clock.now() };
    using link = linkAbort(how.signal);
    running.set(runId, link);
    emitter.emit('execution:started', { runId, task });
    let outcome: Outcome;
    try {
      const { value, cached } = await deadline.execute(({ signal }) => produce(run, signal), {
        signal: link.signal,
      });
      outcome = { status: 'succeeded', value, cached, ...factsOf(run) };
    } catch (error) {
      outcome = { status: classifyError(error, link.signal), error, cached: false, ...factsOf(run) };
    }
    running.delete(runId);
    counts.add(outcome);
    emitter.emit('execution:ended', { outcome });
    return outcome;
  }

  function factsOf({
    runId,
    task,
    attempts: tried,
    startedAt,
  }: RunState): Pick<Outcome, 'runId' | 'task' | 'attempts' | 'durationMs'> {
    return { runId, task, attempts: tried, durationMs: clock.now() - startedAt };
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    async execute(task, input, how = {}) {
      checkString('task', task);
      checkExecutionOptions(how);
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
