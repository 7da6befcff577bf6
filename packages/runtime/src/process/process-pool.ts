import {
  checkInteger,
  checkString,
  createEmitter,
  createLifecycle,
  type EventSource,
  type Service,
  showValue,
  type StopReport,
  untilAborted,
} from '@pawl/core';
import { ConnectionClosedError } from '@pawl/ipc';
import type { FailureCause, PoolEvents } from '../events.ts';
import { PoolStoppedError, QueueFullError, RunTimeoutError } from './pool-errors.ts';
import { type PoolOptions, resolvePoolOptions } from './pool-options.ts';
import { checkRunOptions, type PoolRun, type RunOptions } from './pool-run.ts';
import type { PoolStats, WorkerStatus } from './pool-stats.ts';
import { createProcessManager } from './process-manager.ts';
import { withCode } from './run-faults.ts';
import { createRunLedger } from './run-ledger.ts';
import { createRunMessages } from './run-messages.ts';
import { WorkerCrashedError } from './worker-errors.ts';
import { createWorkerSet } from './worker-set.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** Runs tasks in worker processes. Every run settles, whatever becomes of its worker. */
export interface ProcessPool extends Service, EventSource<PoolEvents> {
  /**
   * Runs a task in a worker; waits in the queue when none is free. Starts the pool if need be.
   * @throws what the task threw (as RemoteError), WorkerCrashedError, RunTimeoutError, WorkerStartError, CrashLoopError,
   * QueueFullError, PoolStoppedError, or the reason of `options.signal`
   */
  run(task: string, input?: unknown, options?: RunOptions): Promise<unknown>;
  /** Fixes the number of workers. Resolves when new ones are ready; surplus busy ones finish their run first. */
  scaleTo(workers: number): Promise<void>;
  /** Workers that start, are ready, or busy. */
  readonly size: number;
  stats(): PoolStats;
  workers(): readonly WorkerStatus[];
}

/** Makes a pool of worker processes. @throws TypeError, RangeError for wrong options */
export function createPool(options: PoolOptions): ProcessPool {
  const resolved = resolvePoolOptions(options);
  const { clock, logger } = resolved;
  const emitter = createEmitter<PoolEvents>({ logger });
  const manager = createProcessManager({ clock });
  const runs = createRunLedger({
    ...resolved,
    emitter,
    onCancel: (run, reason) => giveUp(run, 'cancelled', reason, reasonText(reason)),
  });
  const cancelOnWorker = new WeakMap<PoolRun, (reason: string) => void>();
  let { minWorkers, maxWorkers } = resolved;
  let awaitReady = false;

  const workers = createWorkerSet({
    pool: resolved,
    manager,
    emitter,
    baseline: () => Math.min(Math.max(minWorkers, resolved.spareWorkers), maxWorkers),
    onIdle: dispatch,
    onLost: (end, run) => {
      if (run !== undefined) run.fail('lost', new WorkerCrashedError(run, end));
      dispatch();
    },
    onHopeless: refuseAll,
  });

  const lifecycle = createLifecycle({
    name: 'the pool',
    async start(signal) {
      growToDemand();
      if (awaitReady && minWorkers > 0) await untilAborted(workers.whenStarted(), signal);
    },
    stop: ({ graceMs }) => drainAndStop(graceMs),
  });

  const isStopping = (): boolean => lifecycle.state === 'draining' || lifecycle.state === 'stopped';

  /** Hands waiting runs to free workers, then makes sure that enough workers are on their way. */
  function dispatch(): void {
    while (runs.waiting > 0 && workers.hasIdle) {
      const run = runs.next();
      if (run === undefined) break;
      execute(run);
      if (runs.waiting === 0) {
        emitter.emit('queue:drained', { runsDone: runs.stats().submitted - runs.running });
      }
    }
    growToDemand();
  }

  function growToDemand(): void {
    if (isStopping() && runs.waiting === 0) return;
    if (workers.size > maxWorkers) workers.shrink(maxWorkers);
    const busy = runs.running + runs.waiting;
    workers.grow(Math.min(maxWorkers, Math.max(minWorkers, busy + resolved.spareWorkers)));
    // The last worker may have died of its run while no other may be started.
    if (runs.waiting > 0 && workers.size === 0 && workers.crashLoop !== undefined)
      refuseAll(workers.crashLoop);
  }

  function refuseAll(error: Error): void {
    runs.failWaiting('refused', () => error);
  }

  function execute(run: PoolRun): void {
    const slot = workers.checkOut(run);
    if (slot === undefined) throw new TypeError('A run was dispatched without a worker.');
    runs.begin(run);
    const queuedMs = run.elapsedMs();
    const call = slot.worker.call(
      {
        task: run.task,
        input: run.input,
        runId: run.runId,
        attempt: run.attempt,
        ...(run.timeoutMs === Infinity ? {} : { budgetMs: run.timeoutMs }),
        ...(run.options.trace === undefined ? {} : { trace: run.options.trace }),
      },
      { onNotification: createRunMessages(run.options, logger) },
    );
    cancelOnWorker.set(run, (reason) => {
      call.cancel(reason, resolved.cancelGraceMs);
      workers.giveUp(slot, resolved.cancelGraceMs);
    });
    run.begin(() => {
      const error = new RunTimeoutError(run, run.timeoutMs);
      giveUp(run, 'timed-out', error, error.message);
    });
    call.response.then(
      (value) => checkIn(run, slot, () => run.succeed(value)),
      (error: unknown) => {
        // The worker's end tells more than the closed connection does: `onLost` settles the run.
        if (error instanceof ConnectionClosedError) return undefined;
        return checkIn(run, slot, () => run.fail('failed', withCode(error)));
      },
    );
    // Last, because a listener may cancel the run.
    emitter.emit('run:started', {
      runId: run.runId,
      task: run.task,
      attempt: run.attempt,
      workerId: slot.worker.id,
      queuedMs,
    });
  }

  /** The answer of a run is here. What it printed before comes first. */
  async function checkIn(run: PoolRun, slot: WorkerSlot, settle: () => void): Promise<void> {
    run.answer();
    const outputWanted = run.options.onOutput !== undefined || emitter.listenerCount('worker:output') > 0;
    if (outputWanted) await slot.worker.settleOutput();
    settle();
    workers.checkIn(slot, maxWorkers);
  }

  /** The caller is answered now; the worker gets its grace. */
  function giveUp(run: PoolRun, cause: FailureCause, error: unknown, reason: string): void {
    runs.unqueue(run);
    run.fail(cause, error);
    cancelOnWorker.get(run)?.(reason);
  }

  function submit(task: string, input: unknown, how: RunOptions): PoolRun {
    const run = runs.open(task, input, how);
    if (run.settled) return run;
    const { crashLoop } = workers;
    if (isStopping()) run.fail('stopped', new PoolStoppedError(`Run ${run.runId} was refused`));
    else if (crashLoop !== undefined && workers.size === 0) run.fail('refused', crashLoop);
    else {
      // An idle worker takes the run past the queue, so that a queue of 0 still lets an idle pool work.
      if (runs.waiting === 0 && workers.hasIdle) execute(run);
      else if (!runs.wait(run)) run.fail('refused', new QueueFullError(resolved.maxQueue));
      growToDemand();
    }
    return run;
  }

  async function drainAndStop(graceMs: number): Promise<StopReport> {
    await runs.whenDone(graceMs);
    const left = runs.failAll('stopped', endedError);
    await workers.stopAll();
    await manager.stop({ graceMs: 0 });
    return { drained: left.length === 0, orphaned: left.map((run) => run.runId) };
  }

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    get state() {
      return lifecycle.state;
    },
    start() {
      awaitReady = true;
      return lifecycle.start();
    },
    stop: (stopOptions) => lifecycle.stop(stopOptions),
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
    async run(task, input, how = {}) {
      checkString('task', task);
      checkRunOptions(how);
      // Not awaited, so that runs start in the order of their calls.
      if (lifecycle.state === 'idle' && how.signal?.aborted !== true)
        void lifecycle.start().catch(() => undefined);
      return submit(task, input, how).promise;
    },
    async scaleTo(count) {
      checkInteger('workers', count, { min: 0 });
      if (isStopping()) throw new PoolStoppedError(`Can't scale to ${count} workers`);
      minWorkers = count;
      maxWorkers = Math.max(count, 1);
      if (lifecycle.state === 'idle') await lifecycle.start();
      workers.shrink(count);
      workers.grow(count);
      await workers.whenStarted();
      if (workers.size < count && workers.crashLoop !== undefined) throw workers.crashLoop;
    },
    get size() {
      return workers.size;
    },
    stats: () => ({
      ...runs.stats(),
      size: workers.size,
      workers: {
        starting: workers.count('starting'),
        ready: workers.count('ready'),
        busy: workers.count('busy'),
        draining: workers.count('draining'),
        stopped: workers.count('stopped'),
        failed: workers.count('failed'),
      },
    }),
    workers: () =>
      workers.slots.map(({ worker, state, run }) => ({
        workerId: worker.id,
        pid: worker.pid,
        state,
        runId: run?.runId,
        runsDone: worker.runsDone,
      })),
  };
}

function endedError(run: PoolRun): Error {
  return new PoolStoppedError(`Run ${run.runId} was ended`);
}

/** A cancel's reason as the task is told it. */
function reasonText(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === 'string' ? reason : showValue(reason);
}
