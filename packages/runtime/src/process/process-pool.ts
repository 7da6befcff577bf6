import { randomBytes } from 'node:crypto';
import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  createDeferred,
  createEmitter,
  createLifecycle,
  type EventSource,
  hasCode,
  type Service,
  type StopReport,
} from '@pawl/core';
import type { FailureCause, PoolEvents } from '../events.ts';
import { checkPriority } from '../scheduling/priority.ts';
import { createRunQueue } from '../scheduling/run-queue.ts';
import { PoolStoppedError, QueueFullError, RunTimeoutError } from './pool-errors.ts';
import { type PoolOptions, resolvePoolOptions } from './pool-options.ts';
import { createPoolRun, type PoolRun, type RunOptions } from './pool-run.ts';
import { createProcessManager } from './process-manager.ts';
import { createRunMessages } from './run-messages.ts';
import { WorkerCrashedError } from './worker-errors.ts';
import { createWorkerSet, type WorkerSlot } from './worker-set.ts';
import type { WorkerState } from './worker-state.ts';

/** Every submitted run is in exactly one of `queued`, `running` and the ended counts. */
export interface PoolStats {
  readonly submitted: number;
  readonly queued: number;
  readonly running: number;
  readonly succeeded: number;
  /** The task threw. */
  readonly failed: number;
  readonly timedOut: number;
  readonly cancelled: number;
  /** The worker died with the run on it. */
  readonly lost: number;
  /** The queue was full, or no worker could be started for it. */
  readonly refused: number;
  /** Ended by the pool's stop. */
  readonly stopped: number;
  /** Workers that start, are ready, or busy. */
  readonly size: number;
  readonly workers: Readonly<Record<WorkerState, number>>;
}

export interface WorkerStatus {
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly state: WorkerState;
  readonly runId: string | undefined;
  readonly runsDone: number;
}

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

const RUN_KEYS: readonly (keyof RunOptions)[] = [
  'signal',
  'timeoutMs',
  'priority',
  'runId',
  'attempt',
  'trace',
  'onProgress',
  'onLog',
  'onOutput',
];

const CAUSE_COUNTS = {
  failed: 'failed',
  'timed-out': 'timedOut',
  cancelled: 'cancelled',
  lost: 'lost',
  refused: 'refused',
  stopped: 'stopped',
} as const satisfies Record<FailureCause, keyof PoolStats>;

/** Makes a pool of worker processes. @throws TypeError, RangeError for wrong options */
export function createPool(options: PoolOptions): ProcessPool {
  const resolved = resolvePoolOptions(options);
  const { clock, logger } = resolved;
  const emitter = createEmitter<PoolEvents>({ logger });
  const manager = createProcessManager({ clock });
  const queue = createRunQueue<PoolRun>({ maxSize: resolved.maxQueue });
  const running = new Map<PoolRun, WorkerSlot>();
  const idlers = new Set<() => void>();
  const ended = { succeeded: 0, failed: 0, timedOut: 0, cancelled: 0, lost: 0, refused: 0, stopped: 0 };
  const prefix = randomBytes(4).toString('hex');
  let { minWorkers, maxWorkers } = resolved;
  let submitted = 0;
  let refusing = false;
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
    onHopeless: (error) => {
      for (const run of queue.clear()) run.fail('refused', error);
    },
  });

  const lifecycle = createLifecycle({
    name: 'the pool',
    async start() {
      growToDemand();
      if (awaitReady && minWorkers > 0) await workers.whenStarted();
    },
    stop: ({ graceMs }) => drainAndStop(graceMs),
  });

  /** Hands waiting runs to free workers, then makes sure that enough workers are on their way. */
  function dispatch(): void {
    while (queue.size > 0 && workers.count('ready') > 0) {
      const run = queue.take();
      if (run === undefined) break;
      run.queued = undefined;
      execute(run);
      if (queue.size === 0) emitter.emit('queue:drained', { runsDone: submitted - running.size });
    }
    growToDemand();
  }

  function growToDemand(): void {
    if (refusing && queue.size === 0) return;
    if (workers.size > maxWorkers) workers.shrink(maxWorkers);
    const busy = running.size + queue.size;
    workers.grow(Math.min(maxWorkers, Math.max(minWorkers, busy + resolved.spareWorkers)));
  }

  function execute(run: PoolRun): void {
    const slot = workers.checkOut(run);
    if (slot === undefined) throw new TypeError('A run was dispatched without a worker.');
    running.set(run, slot);
    emitter.emit('run:started', {
      runId: run.runId,
      task: run.task,
      attempt: run.attempt,
      workerId: slot.worker.id,
      queuedMs: run.elapsedMs(),
    });
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
      async (value) => {
        if (run.options.onOutput !== undefined) await slot.worker.settleOutput();
        run.succeed(value);
        workers.checkIn(slot, maxWorkers);
      },
      async (error: unknown) => {
        // The worker's end tells more than the closed connection does: `onLost` settles the run.
        if (hasCode(error, 'CONNECTION_CLOSED')) return;
        if (run.options.onOutput !== undefined) await slot.worker.settleOutput();
        run.fail('failed', error);
        workers.checkIn(slot, maxWorkers);
      },
    );
  }

  const cancelOnWorker = new WeakMap<PoolRun, (reason: string) => void>();

  /** The caller is answered now; the worker gets its grace. */
  function giveUp(run: PoolRun, cause: FailureCause, error: unknown, reason: string): void {
    if (run.queued !== undefined) queue.remove(run.queued);
    run.fail(cause, error);
    cancelOnWorker.get(run)?.(reason);
  }

  function release(run: PoolRun): void {
    running.delete(run);
    if (running.size === 0 && queue.size === 0) for (const idle of idlers) idle();
  }

  function submit(task: string, input: unknown, how: RunOptions): PoolRun {
    submitted += 1;
    const run = createPoolRun({
      runId: how.runId ?? `${prefix}-${submitted}`,
      task,
      input,
      options: how,
      timeoutMs: how.timeoutMs ?? resolved.runTimeoutMs,
      clock,
      onCancel: (cancelled, reason) => {
        giveUp(cancelled, 'cancelled', reason, reason instanceof Error ? reason.message : String(reason));
      },
      onSucceeded: (done) => {
        ended.succeeded += 1;
        emitter.emit('run:succeeded', { runId: done.runId, task, durationMs: done.elapsedMs() });
        release(done);
      },
      onFailed: (failed, cause, error) => {
        ended[CAUSE_COUNTS[cause]] += 1;
        emitter.emit('run:failed', {
          runId: failed.runId,
          task,
          cause,
          error,
          durationMs: failed.elapsedMs(),
        });
        release(failed);
      },
    });
    if (run.settled) return run;
    const { crashLoop } = workers;
    if (refusing) run.fail('stopped', new PoolStoppedError(`Run ${run.runId} was refused`));
    else if (crashLoop !== undefined && workers.size === 0) run.fail('refused', crashLoop);
    else {
      // An idle worker takes the run past the queue, so that a queue of 0 still lets an idle pool work.
      const direct = queue.size === 0 && workers.count('ready') > 0;
      if (direct) execute(run);
      else run.queued = queue.add(run, how.priority);
      if (!direct && run.queued === undefined) run.fail('refused', new QueueFullError(resolved.maxQueue));
      else growToDemand();
    }
    return run;
  }

  async function drainAndStop(graceMs: number): Promise<StopReport> {
    refusing = true;
    if (graceMs > 0 && running.size + queue.size > 0) {
      const drained = createDeferred();
      idlers.add(drained.resolve);
      const timer = clock.setTimer(graceMs, drained.resolve);
      await drained.promise;
      timer.cancel();
      idlers.delete(drained.resolve);
    }
    const left = [...queue.clear(), ...running.keys()];
    for (const run of left) run.fail('stopped', new PoolStoppedError(`Run ${run.runId} was ended`));
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
    stop(stopOptions) {
      refusing = true;
      return lifecycle.stop(stopOptions);
    },
    async [Symbol.asyncDispose]() {
      refusing = true;
      await lifecycle.stop();
    },
    async run(task, input, how = {}) {
      checkString('task', task);
      checkRunOptions(how);
      if (lifecycle.state === 'idle' && !refusing) await lifecycle.start();
      return await submit(task, input, how).promise;
    },
    async scaleTo(count) {
      checkInteger('workers', count, { min: 0 });
      minWorkers = count;
      maxWorkers = Math.max(count, 1);
      if (lifecycle.state === 'idle') await lifecycle.start();
      workers.shrink(count);
      workers.grow(count);
      await workers.whenStarted();
    },
    get size() {
      return workers.size;
    },
    stats: () => ({
      submitted,
      queued: queue.size,
      running: running.size,
      ...ended,
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

function checkRunOptions(how: RunOptions): void {
  checkKnownKeys('run', how, RUN_KEYS);
  if (how.timeoutMs !== undefined) checkDurationMs('timeoutMs', how.timeoutMs, { infinite: true });
  if (how.priority !== undefined) checkPriority(how.priority);
  if (how.attempt !== undefined) checkInteger('attempt', how.attempt, { min: 1 });
}
