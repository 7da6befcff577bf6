import { randomBytes } from 'node:crypto';
import { type Clock, createDeferred, type Emitter } from '@pawl/core';
import type { FailureCause, PoolEvents } from '../events.ts';
import { createRunQueue } from '../scheduling/run-queue.ts';
import { createPoolRun, type PoolRun, type RunOptions } from './pool-run.ts';
import { createRunCounts, type PoolStats } from './pool-stats.ts';

export interface RunLedgerOptions {
  readonly maxQueue: number;
  readonly runTimeoutMs: number;
  readonly clock: Clock;
  readonly emitter: Emitter<PoolEvents>;
  /** The caller's signal aborted before the run settled. */
  readonly onCancel: (run: PoolRun, reason: unknown) => void;
}

/** Where every submitted run stands: it waits, it runs, or it has ended, and never in two places. */
export interface RunLedger {
  /** Opens a run. It is in neither place until `wait` or `begin`, in the same turn, unless it has ended already. */
  open(task: string, input: unknown, how: RunOptions): PoolRun;
  /** Lets it wait for its turn. @returns false when the queue is full */
  wait(run: PoolRun): boolean;
  /** Takes a run out of the queue wherever it stands, if it is there. */
  unqueue(run: PoolRun): void;
  /** Takes the next one out. */
  next(): PoolRun | undefined;
  /** Notes that it runs, until it settles. */
  begin(run: PoolRun): void;
  readonly waiting: number;
  readonly running: number;
  /** Ends those that wait now, one by one, so that the counts add up for whoever looks meanwhile. */
  failWaiting(cause: FailureCause, errorFor: (run: PoolRun) => Error): readonly PoolRun[];
  /** The same for those that run and those that wait. */
  failAll(cause: FailureCause, errorFor: (run: PoolRun) => Error): readonly PoolRun[];
  /** Resolves when no run is left, or after `graceMs`. */
  whenDone(graceMs: number): Promise<void>;
  stats(): Omit<PoolStats, 'size' | 'workers'>;
}

export function createRunLedger(options: RunLedgerOptions): RunLedger {
  const { clock, emitter } = options;
  const queue = createRunQueue<PoolRun>({ maxSize: options.maxQueue });
  const running = new Set<PoolRun>();
  const counts = createRunCounts();
  const idlers = new Set<() => void>();
  const prefix = randomBytes(4).toString('hex');
  let submitted = 0;

  function release(run: PoolRun): void {
    running.delete(run);
    if (running.size === 0 && queue.size === 0) for (const idle of idlers) idle();
  }

  const ledger: RunLedger = {
    open(task, input, how) {
      submitted += 1;
      return createPoolRun({
        runId: how.runId ?? `${prefix}-${submitted}`,
        task,
        input,
        options: how,
        timeoutMs: how.timeoutMs ?? options.runTimeoutMs,
        clock,
        onCancel: options.onCancel,
        onSucceeded: (run) => {
          counts.succeeded();
          release(run);
          emitter.emit('run:succeeded', { runId: run.runId, task, durationMs: run.elapsedMs() });
        },
        onFailed: (run, cause, error) => {
          counts.failed(cause);
          release(run);
          const durationMs = run.elapsedMs();
          emitter.emit('run:failed', { runId: run.runId, task, cause, error, durationMs });
        },
      });
    },
    wait(run) {
      run.queued = queue.add(run, run.options.priority);
      return run.queued !== undefined;
    },
    unqueue(run) {
      if (run.queued !== undefined) queue.remove(run.queued);
      run.queued = undefined;
    },
    next() {
      const run = queue.take();
      if (run !== undefined) run.queued = undefined;
      return run;
    },
    begin: (run) => void running.add(run),
    get waiting() {
      return queue.size;
    },
    get running() {
      return running.size;
    },
    failWaiting(cause, errorFor) {
      const failed: PoolRun[] = [];
      for (let left = queue.size; left > 0; left -= 1) {
        const run = ledger.next();
        if (run === undefined) break;
        failed.push(run);
        run.fail(cause, errorFor(run));
      }
      return failed;
    },
    failAll(cause, errorFor) {
      const busy = [...running];
      for (const run of busy) run.fail(cause, errorFor(run));
      return [...busy, ...ledger.failWaiting(cause, errorFor)];
    },
    async whenDone(graceMs) {
      if (graceMs === 0 || running.size + queue.size === 0) return;
      const done = createDeferred();
      idlers.add(done.resolve);
      const timer = clock.setTimer(graceMs, done.resolve);
      await done.promise;
      timer.cancel();
      idlers.delete(done.resolve);
    },
    stats: () => ({ submitted, queued: queue.size, running: running.size, ...counts.ended }),
  };
  return ledger;
}
