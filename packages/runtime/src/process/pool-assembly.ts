import { checkInteger, createLifecycle, type StopReport, untilAborted } from '@pawl/core';
import type { FailureCause } from '../events.ts';
import { createServiceTimes } from '../scheduling/service-times.ts';
import { createHealthChecks } from './health-checks.ts';
import { createPoisonWatch } from './poison-watch.ts';
import { createPoolEmitter } from './pool-emitter.ts';
import { PoisonRunError, PoolStoppedError, WorkerNotFoundError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { ChunkSink, PoolRun } from './pool-run.ts';
import { createPoolSizing } from './pool-sizing.ts';
import type { ProcessPool } from './process-pool.ts';
import { createRunDispatch } from './run-dispatch.ts';
import { createRunEntry } from './run-entry.ts';
import { createRunExecution } from './run-execution.ts';
import { createRunLedger } from './run-ledger.ts';
import type { RunOptions } from './run-options.ts';
import type { AnyTasks } from './typed-tasks.ts';
import { createWaitingLine } from './waiting-line.ts';
import { WorkerCrashedError, type WorkerEnd } from './worker-errors.ts';
import { createWorkerHealth } from './worker-health.ts';
import type { CreateWorker } from './worker-launch.ts';
import { startWorkerPulse } from './worker-pulse.ts';
import { createWorkerRecycling } from './worker-recycling.ts';
import { createWorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';
import { workerStatus } from './worker-status.ts';

/** What makes the workers of a pool, and ends with it. */
export interface WorkerSource {
  readonly createWorker: CreateWorker;
  stop(): Promise<void>;
}

/** A pool whose workers come from anywhere: a simulation has no processes. */
export function createPoolOf<Tasks = AnyTasks>(
  pool: ResolvedPoolOptions,
  source: WorkerSource,
): ProcessPool<Tasks> {
  const { clock, logger } = pool;
  const emitter = createPoolEmitter(logger);
  const times = createServiceTimes();
  const poison = createPoisonWatch(pool.maxCrashes);
  const ledger = createRunLedger({
    ...pool,
    emitter,
    onCancel: (run, reason) => giveUp(run, 'cancelled', reason),
  });
  const line = createWaitingLine({ ...pool, emitter, ledger, onDue: (run) => place(run, clock.now()) });
  const workers = createWorkerSet({
    pool,
    createWorker: source.createWorker,
    emitter,
    createHealth: () =>
      createWorkerHealth({ limits: pool.healthLimits, usualMs: (task) => times.usualMs(task), clock }),
    baseline: () => sizing.baseline,
    limit: () => sizing.maxWorkers,
    onReady(slot) {
      recycling.watch(slot);
      dispatch.offer(slot);
    },
    onChange: (slot) => dispatch.offer(slot),
    onEnded,
    onHopeless: refuseAll,
  });
  const sizing = createPoolSizing({ pool, line, times, workers, onHopeless: refuseAll });
  const recycling = createWorkerRecycling({
    pool,
    workers,
    isNeeded: () => line.size > 0 || workers.size <= sizing.baseline,
  });
  const execution = createRunExecution({
    pool,
    emitter,
    ledger,
    line,
    workers,
    maxWorkers: () => sizing.maxWorkers,
    onAnswered: (run, _slot, tookMs) => {
      times.observe(run.task, tookMs);
      poison.forget(run.runId);
    },
    onRoom: (slot, now) => dispatch.offer(slot, now),
  });
  const dispatch = createRunDispatch({
    pool,
    emitter,
    ledger,
    line,
    times,
    workers,
    execution,
    onDemand: adjust,
    onSent: (slot) => recycling.noteRun(slot),
  });
  const health = createHealthChecks({ workers, emitter, onChange: (slot) => dispatch.offer(slot) });
  const entry = createRunEntry({
    submit,
    cancel: (run, reason) => giveUp(run, 'cancelled', reason),
    mapConcurrency: () => 4 * sizing.maxWorkers * pool.runsPerWorker,
  });
  let awaitReady = false;
  let endPulse: (() => void) | undefined;

  const lifecycle = createLifecycle({
    name: 'the pool',
    async start(signal) {
      endPulse = startWorkerPulse({
        clock,
        heartbeatMs: pool.heartbeatMs,
        slots: () => workers.slots,
        askAll: pool.healthLimits.maxRssBytes !== Infinity,
        onChecked: (slot) => health.check(slot),
      });
      adjust();
      if (awaitReady && sizing.minWorkers > 0) await untilAborted(workers.whenStarted(), signal);
    },
    stop: ({ graceMs }) => drainAndStop(graceMs),
  });

  const isStopping = (): boolean => lifecycle.state === 'draining' || lifecycle.state === 'stopped';

  function adjust(): void {
    if (!isStopping() || line.size > 0) sizing.adjust();
  }

  function refuseAll(error: Error): void {
    for (const run of line.clear()) ledger.fail(run, 'refused', error);
  }

  function onEnded(slot: Slot, end: WorkerEnd, victims: readonly PoolRun[]): void {
    const memory = { rssBytes: slot.rssBytes, limitBytes: pool.maxWorkerRssBytes };
    for (const run of victims) {
      if (run.options.runId !== undefined) poison.noteCrash(run.runId, end.workerId);
      ledger.fail(run, 'lost', new WorkerCrashedError(run, end, memory, slot.stopCause));
    }
    execution.abandon(slot);
    dispatch.forget(slot);
    dispatch.dispatch();
  }

  function giveUp(run: PoolRun, cause: FailureCause, error: unknown): void {
    execution.giveUp(run, cause, error);
    dispatch.dispatch();
  }

  function place(run: PoolRun, now: number): void {
    if (run.timeoutFrom === 'submit') execution.startTimeout(run, now);
    dispatch.place(run, now);
  }

  function submit(task: string, input: unknown, how: RunOptions, chunks?: ChunkSink): PoolRun {
    // Not awaited, so that runs start in the order of their calls.
    if (lifecycle.state === 'idle' && how.signal?.aborted !== true) {
      void lifecycle.start().catch(() => undefined);
    }
    const run = ledger.open(task, input, how, chunks);
    if (run.settled) return run;
    const { crashLoop } = workers;
    const victims = how.runId === undefined ? undefined : poison.victims(how.runId);
    if (isStopping()) ledger.fail(run, 'stopped', new PoolStoppedError(`Run ${run.runId} was refused`));
    else if (victims !== undefined) ledger.fail(run, 'refused', new PoisonRunError(run, victims));
    else if (crashLoop !== undefined && workers.size === 0) ledger.fail(run, 'refused', crashLoop);
    else if (how.delayMs !== undefined && how.delayMs > 0) line.delay(run, how.delayMs);
    else place(run, run.submittedAt);
    return run;
  }

  async function drainAndStop(graceMs: number): Promise<StopReport> {
    await ledger.whenDone(graceMs);
    const left = [...workers.slots].flatMap((slot) => [
      ...slot.executing,
      ...slot.ahead,
      ...(slot.bound?.clear() ?? []),
    ]);
    left.push(...line.clear());
    const orphaned = left.filter((run) => !run.settled);
    for (const run of orphaned) {
      ledger.fail(run, 'stopped', new PoolStoppedError(`Run ${run.runId} was ended`));
    }
    endPulse?.();
    await workers.stopAll();
    execution.stop();
    await source.stop();
    return { drained: orphaned.length === 0, orphaned: orphaned.map((run) => run.runId) };
  }

  async function scaleTo(count: number): Promise<void> {
    checkInteger('workers', count, { min: 0 });
    if (isStopping()) throw new PoolStoppedError(`Can't scale to ${count} workers`);
    sizing.fix(count);
    if (lifecycle.state === 'idle') await lifecycle.start();
    workers.shrink(count);
    workers.grow(count);
    await workers.whenStarted();
    const { crashLoop } = workers;
    if (workers.size < count && crashLoop !== undefined) throw crashLoop;
  }

  function recycle(workerId?: string): number {
    const asked = [...workers.slots].filter(({ id }) => workerId === undefined || id === workerId);
    // One that starts is new enough.
    return asked.filter((slot) => slot.state !== 'starting' && workers.replace(slot, 'asked')).length;
  }

  async function drain(workerId: string): Promise<void> {
    const slot = [...workers.slots].find(({ id }) => id === workerId);
    if (slot === undefined) throw new WorkerNotFoundError(workerId);
    workers.drain(slot);
    // What it has not begun goes to others.
    execution.recall(slot);
    dispatch.forget(slot);
    dispatch.dispatch();
    await slot.worker.ended;
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
    run: entry.run as ProcessPool<Tasks>['run'],
    stream: entry.stream as ProcessPool<Tasks>['stream'],
    map: entry.map as ProcessPool<Tasks>['map'],
    scaleTo,
    recycle,
    drain,
    get minWorkers() {
      return sizing.minWorkers;
    },
    get maxWorkers() {
      return sizing.maxWorkers;
    },
    runTimeoutMs: pool.runTimeoutMs,
    get size() {
      workers.recount();
      return workers.size;
    },
    get needsDrain() {
      return line.needsDrain;
    },
    stats: () => ({ ...ledger.stats(), ...workers.stats() }),
    workers: () => [...workers.slots].map((slot) => workerStatus(slot, clock.now())),
  };
}
