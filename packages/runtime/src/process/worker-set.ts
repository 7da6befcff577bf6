import type { WorkerStopReason } from '../events.ts';
import { createIdleWorkers, unref } from './idle-workers.ts';
import type { PoolEmitter } from './pool-emitter.ts';
import type { CrashLoopError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { WorkerStats } from './pool-stats.ts';
import { createRestartPolicy, type WorkerFault } from './restart-policy.ts';
import { createWorkerCount } from './worker-count.ts';
import type { WorkerEnd } from './worker-errors.ts';
import type { WorkerHealth } from './worker-health.ts';
import { type CreateWorker, createWorkerLaunch } from './worker-launch.ts';
import { createWorkerRetirement, IDLE_STOP_GRACE_MS, type WorkerRetirement } from './worker-retirement.ts';
import { Slot } from './worker-slot.ts';
import type { WorkerState } from './worker-state.ts';

export interface WorkerSetOptions {
  readonly pool: ResolvedPoolOptions;
  readonly createWorker: CreateWorker;
  readonly emitter: PoolEmitter;
  /** What will be known of a new worker. */
  readonly createHealth: () => WorkerHealth;
  /** How many workers there should be when there is nothing to do. */
  readonly baseline: () => number;
  /** How many may count. */
  readonly limit: () => number;
  /** A worker is ready for its first run. */
  readonly onReady: (slot: Slot) => void;
  /** Whether a worker takes runs may have changed, or whether it counts. */
  readonly onChange: (slot: Slot) => void;
  /** A worker is gone. `victims` are the runs it took along. */
  readonly onEnded: (slot: Slot, end: WorkerEnd, victims: readonly PoolRun[]) => void;
  /** No worker is left or on its way, and this is why. */
  readonly onHopeless: (error: Error) => void;
}

/** The workers of a pool: how many there are, what state each is in, and what happens when one dies. */
export interface WorkerSet extends Pick<WorkerRetirement, 'retire' | 'drain' | 'kill'> {
  /** Those that count: starting, ready or busy, alive, and no replacement that waits for its place. */
  readonly size: number;
  /** Those of them that have a run. */
  readonly busy: number;
  readonly slots: ReadonlySet<Slot>;
  /** Call it when a slot may have begun or ceased to count for a reason of its own. */
  recount(): void;
  /** Starts workers until `wanted` count, unless they keep failing. */
  grow(wanted: number): void;
  /** Lets go of the idle, then of those that start, until `wanted` count. The busy follow as they check in. */
  shrink(wanted: number): void;
  /** It is about to get a run, and had none. */
  checkOut(slot: Slot): void;
  /**
   * It has no run any more: it is used again, recycled, or let go when too many count.
   * @param returned whether its last run had been given up, so that another was started in its place
   */
  checkIn(slot: Slot, returned: boolean): void;
  /**
   * Starts another that takes its place once that is ready and this one is done with its runs.
   * @returns whether it is being replaced for this reason, and was not before
   */
  replace(slot: Slot, reason: WorkerStopReason): boolean;
  /** The error of a crash loop, while no worker may be started. */
  readonly crashLoop: CrashLoopError | undefined;
  /** Resolves when no worker is starting. @throws the first start failure since the call */
  whenStarted(): Promise<void>;
  /** Ends all of them at the same time. Resolves when the last one is gone. */
  stopAll(): Promise<void>;
  stats(): WorkerStats;
}

export function createWorkerSet(options: WorkerSetOptions): WorkerSet {
  const { pool, emitter } = options;
  const { clock } = pool;
  const slots = new Set<Slot>();
  const abandoned = new AbortController();
  const count = createWorkerCount(slots);
  const launch = createWorkerLaunch(options);
  const idle = createIdleWorkers({
    clock,
    idleTimeoutMs: pool.idleTimeoutMs,
    slots,
    onTooLong(slot) {
      if (slot.state !== 'ready' || slot.replaces !== undefined) return;
      if (count.size > options.baseline()) retire(slot, 'idle', IDLE_STOP_GRACE_MS);
    },
  });
  const retirement = createWorkerRetirement({ ...options, count, idle });
  const { retire } = retirement;
  const restarts = createRestartPolicy({
    maxRestarts: pool.maxRestarts,
    withinMs: pool.restartWithinMs,
    clock,
    onCrashLoop: (error, failures) =>
      emitter.emit('pool:crash-loop', { failures, retryAfterMs: error.retryAfterMs, error }),
  });
  let lastId = 0;

  function add(replaces?: Slot): void {
    lastId += 1;
    const id = `worker-${lastId}`;
    const startedAt = clock.now();
    const slot: Slot = new Slot(
      launch(id, () => slot),
      options.createHealth(),
      { generation: restarts.generation, startedAt, runsLeft: pool.maxRunsPerWorker },
    );
    slots.add(slot);
    count.recount();
    if (replaces !== undefined) {
      slot.replaces = replaces;
      replaces.replacement = slot;
    }
    slot.starting = slot.worker.start(abandoned.signal).then(
      ({ features }) => {
        restarts.noteReady();
        const now = clock.now();
        count.boots.record(now - startedAt);
        slot.health.noteSign(now);
        slot.runsAtOnce = features.includes('concurrent') ? pool.runsPerWorker : 1;
        slot.takesAhead = features.includes('queue');
        slot.answersBesideRuns = slot.takesAhead || features.includes('control');
        emitter.emit('worker:ready', { workerId: id, pid: slot.worker.pid, bootMs: now - startedAt });
        if (slot.state === 'starting') ready(slot);
      },
      (error: Error) => startFailed(slot, error),
    );
    void slot.worker.ended.then((end) => ended(slot, end));
  }

  function ready(slot: Slot): void {
    becomeIdle(slot);
    const { replaces } = slot;
    if (replaces?.recycleFor !== undefined) {
      replaces.closing = replaces.recycleFor;
      if (replaces.load === 0) retire(replaces, replaces.closing, IDLE_STOP_GRACE_MS);
      else options.onChange(replaces);
    }
    options.onReady(slot);
  }

  function becomeIdle(slot: Slot): void {
    slot.move('ready');
    slot.worker.setPhase('idle');
    idle.enter(slot);
  }

  function startFailed(slot: Slot, error: Error): void {
    leave(slot);
    if (slot.stopReason !== undefined) return;
    slot.state = 'failed';
    emitter.emit('worker:start-failed', { workerId: slot.worker.id, error });
    noteFailure('start', slot, error);
  }

  /** It is gone, and so is what waits for its end. */
  function leave(slot: Slot): void {
    slots.delete(slot);
    count.recount();
    idle.leave(slot);
    slot.ageTimer?.cancel();
    const { replaces } = slot;
    if (replaces !== undefined) replaces.replacement = undefined;
    retirement.giveWay(slot);
  }

  function ended(slot: Slot, end: WorkerEnd): void {
    if (slot.state === 'starting' || slot.state === 'failed') return;
    leave(slot);
    const victims = slot.executing.filter((run) => run.call !== undefined);
    const { stopReason } = slot;
    const facts = { workerId: end.workerId, pid: end.pid, exitCode: end.exitCode, signal: end.signal };
    if (stopReason !== undefined) {
      slot.state = 'stopped';
      count.stops.record(clock.now() - slot.stoppingSince);
      emitter.emit('worker:stopped', { ...facts, reason: stopReason });
    } else {
      slot.state = 'failed';
      count.noteCrash();
      const [victim] = victims;
      emitter.emit('worker:crashed', victim === undefined ? facts : { ...facts, runId: victim.runId });
      // A worker that died of its run says nothing about the next one; one that died idle may do so again at once.
      if (victim === undefined) {
        noteFailure('idle', slot, new Error(`Worker ${end.workerId} died while idle.`));
      }
    }
    options.onEnded(slot, end, victims);
  }

  function noteFailure(fault: WorkerFault, slot: Slot, error: Error): void {
    restarts.noteFailure(fault, slot.generation, error);
    if (fault === 'start' && count.size === 0) options.onHopeless(restarts.crashLoop ?? error);
    // Workers that should be there without any run asking are tried again later.
    if (!abandoned.signal.aborted && count.size < options.baseline()) {
      restarts.retryLater(() => set.grow(options.baseline()));
    }
  }

  /** One whose run was given up is warm; the one that was started in its stead, if still on its way, is the one to go. */
  function surplus(slot: Slot, returned: boolean): Slot {
    if (!returned) return slot;
    return [...slots].findLast((each) => each.state === 'starting' && each.counts) ?? slot;
  }

  const set: WorkerSet = {
    get size() {
      return count.size;
    },
    get busy() {
      return count.busy;
    },
    slots,
    recount: () => count.recount(),
    grow(wanted) {
      if (abandoned.signal.aborted || restarts.isBlocked) return;
      // After a crash loop one worker is tried before all are.
      const limit = restarts.onProbation ? Math.min(wanted, Math.max(1, count.size)) : wanted;
      const missing = limit - count.size;
      if (missing > 0) restarts.cancelRetry();
      for (let added = 0; added < missing; added += 1) add();
    },
    shrink(wanted) {
      const order: readonly WorkerState[] = ['ready', 'starting'];
      for (const state of order) {
        // Those of this moment: letting one go may start another.
        for (const slot of [...slots].filter((each) => each.state === state && each.counts)) {
          if (count.size <= wanted) return;
          retire(slot, 'scaled-down', IDLE_STOP_GRACE_MS);
        }
      }
    },
    checkOut(slot) {
      slot.move('busy');
      idle.leave(slot);
      slot.worker.setPhase('run');
      if (slot.isRef) return;
      slot.isRef = true;
      slot.worker.ref();
    },
    checkIn(slot, returned) {
      slot.worker.setPhase('idle');
      if (returned) count.recount();
      if (slot.state !== 'busy') {
        if (slot.stopReason !== undefined) unref(slot);
        return;
      }
      if (slot.runsLeft <= 0) retire(slot, 'runs', IDLE_STOP_GRACE_MS);
      else if (slot.closing !== undefined) retire(slot, slot.closing, IDLE_STOP_GRACE_MS);
      else if (count.size > options.limit()) {
        retire(surplus(slot, returned), returned ? 'cancelled-run' : 'scaled-down', IDLE_STOP_GRACE_MS);
      }
      // Another may have been the one to go.
      if ((slot.state as WorkerState) === 'busy') becomeIdle(slot);
      else unref(slot);
    },
    retire,
    drain: retirement.drain,
    kill: retirement.kill,
    replace(slot, reason) {
      if (slot.replacement !== undefined || slot.replaces !== undefined || slot.closing !== undefined)
        return false;
      if (slot.stopReason !== undefined || restarts.isBlocked || abandoned.signal.aborted) return false;
      slot.recycleFor = reason;
      add(slot);
      return true;
    },
    get crashLoop() {
      return restarts.crashLoop;
    },
    async whenStarted() {
      const failures: Error[] = [];
      const stopListening = emitter.on('worker:start-failed', ({ error }) => failures.push(error));
      await Promise.all([...slots].map((slot) => slot.starting));
      stopListening();
      const [failure] = failures;
      if (failure !== undefined) throw failure;
    },
    async stopAll() {
      restarts.cancelRetry();
      idle.stop();
      abandoned.abort(new Error('The pool was stopped.'));
      await Promise.all(
        [...slots].map(async (slot) => {
          slot.worker.ref();
          retire(slot, 'pool-stopped', slot.load === 0 ? IDLE_STOP_GRACE_MS : 0);
          await slot.worker.ended;
        }),
      );
    },
    stats: () => count.stats(),
  };
  return set;
}
