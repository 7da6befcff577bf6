import { randomBytes } from 'node:crypto';
import { type Clock, createDeferred, onAbort } from '@pawl/core';
import type { CancelScope } from '@pawl/resilience';
import type { FailureCause } from '../events.ts';
import { createDurationHistogram } from './duration-histogram.ts';
import type { PoolEmitter } from './pool-emitter.ts';
import { type ChunkSink, PoolRun } from './pool-run.ts';
import { createRunCounts, type RunStats } from './pool-stats.ts';
import type { RunOptions, TimeoutFrom } from './run-options.ts';
import { ScopedRunOptions } from './scoped-run-options.ts';

export interface RunLedgerOptions {
  readonly runTimeoutMs: number;
  readonly timeoutFrom: TimeoutFrom;
  readonly clock: Clock;
  readonly emitter: PoolEmitter;
  /** The caller's signal, or the scope it is in, aborted before the run settled. */
  readonly onCancel: (run: PoolRun, reason: unknown) => void;
}

/** Opens runs and settles them, and so knows how many wait, run and have ended: the counts add up at every moment. */
export interface RunLedger {
  open(task: string, input: unknown, how: RunOptions, chunks?: ChunkSink): PoolRun;
  /** A worker executes it from now on. */
  begin(run: PoolRun, now: number): void;
  /** It was given back unbegun after all. */
  unbegin(run: PoolRun): void;
  succeed(run: PoolRun, value: unknown, now: number): void;
  fail(run: PoolRun, cause: FailureCause, error: unknown): void;
  readonly submitted: number;
  /** Runs that no worker executes yet, wherever they wait. */
  readonly queued: number;
  readonly running: number;
  /** Resolves when no run is left, or after `graceMs`. */
  whenDone(graceMs: number): Promise<void>;
  stats(): RunStats;
}

export function createRunLedger(options: RunLedgerOptions): RunLedger {
  const { clock, emitter } = options;
  const counts = createRunCounts();
  const waits = createDurationHistogram();
  const durations = createDurationHistogram();
  const idlers = new Set<() => void>();
  const prefix = randomBytes(4).toString('hex');
  let submitted = 0;
  let queued = 0;
  let running = 0;

  function follow(run: PoolRun, scope: CancelScope): void {
    const cancel = (reason: unknown): void => options.onCancel(run, reason);
    scope.listen(cancel);
    run.stopListening = () => scope.unlisten(cancel);
  }

  function leave(run: PoolRun, now: number): void {
    if (run.hasBegun) {
      running -= 1;
      durations.record(now - run.begunAt);
    } else queued -= 1;
    if (idlers.size > 0 && queued + running === 0) for (const idle of idlers) idle();
  }

  return {
    open(task, input, how, chunks) {
      submitted += 1;
      queued += 1;
      const plan = {
        runId: how.runId ?? `${prefix}-${submitted}`,
        task,
        input,
        options: how,
        timeoutMs: how.timeoutMs ?? options.runTimeoutMs,
        timeoutFrom: how.timeoutFrom ?? options.timeoutFrom,
        chunks,
      };
      const run = new PoolRun(plan, clock.now());
      const scope = ScopedRunOptions.takeScope(how, run.promise);
      if (scope !== undefined) follow(run, scope);
      else if (how.signal !== undefined) {
        run.stopListening = onAbort(how.signal, (reason) => options.onCancel(run, reason));
      }
      return run;
    },
    begin(run, now) {
      run.hasBegun = true;
      run.begunAt = now;
      queued -= 1;
      running += 1;
      waits.record(now - run.submittedAt);
    },
    unbegin(run) {
      run.hasBegun = false;
      queued += 1;
      running -= 1;
    },
    succeed(run, value, now) {
      if (!run.resolve(value)) return;
      counts.succeeded();
      leave(run, now);
      if (!emitter.hears['run:succeeded']) return;
      const durationMs = now - run.submittedAt;
      emitter.emit('run:succeeded', { runId: run.runId, task: run.task, durationMs });
    },
    fail(run, cause, error) {
      if (!run.reject(error)) return;
      const now = clock.now();
      counts.failed(cause);
      leave(run, now);
      const durationMs = now - run.submittedAt;
      emitter.emit('run:failed', { runId: run.runId, task: run.task, cause, error, durationMs });
    },
    get submitted() {
      return submitted;
    },
    get queued() {
      return queued;
    },
    get running() {
      return running;
    },
    async whenDone(graceMs) {
      if (graceMs === 0 || queued + running === 0) return;
      const done = createDeferred();
      idlers.add(done.resolve);
      const timer = clock.setTimer(graceMs, done.resolve);
      await done.promise;
      timer.cancel();
      idlers.delete(done.resolve);
    },
    stats: () => ({
      submitted,
      queued,
      running,
      ...counts.ended,
      waitMs: waits.summary(),
      runMs: durations.summary(),
    }),
  };
}
