import type { Emitter, Timer } from '@pawl/core';
import { exponentialBackoff } from '@pawl/resilience';
import type { PoolEvents, WorkerStopReason } from '../events.ts';
import { CrashLoopError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { ProcessManager } from './process-manager.ts';
import { createRestartBudget } from './restart-budget.ts';
import type { WorkerEnd } from './worker-errors.ts';
import { createWorkerProcess, type WorkerProcess } from './worker-process.ts';
import { canMove, type WorkerState } from './worker-state.ts';

/** A worker's place in the pool. */
export interface WorkerSlot {
  readonly worker: WorkerProcess;
  readonly state: WorkerState;
  /** The run it is busy with. */
  run: PoolRun | undefined;
  /** Its run was given up and it may still answer in time to be used again; it is not counted meanwhile. */
  cancelling: boolean;
}

export interface WorkerSetOptions {
  readonly pool: ResolvedPoolOptions;
  readonly manager: ProcessManager;
  readonly emitter: Emitter<PoolEvents>;
  /** How many workers there should be when there is nothing to do. */
  readonly baseline: () => number;
  /** A worker became free, or its place did. */
  readonly onIdle: () => void;
  /** A worker died, with `run` on it if it had one. */
  readonly onLost: (end: WorkerEnd, run: PoolRun | undefined) => void;
  /** No worker is left or on its way, and this is why. */
  readonly onHopeless: (error: Error) => void;
}

/** The workers of a pool: how many there are, what each is doing, and what happens when one dies. */
export interface WorkerSet {
  /** Those that count: starting, ready or busy. */
  readonly size: number;
  count(state: WorkerState): number;
  readonly slots: readonly WorkerSlot[];
  /** Starts workers until `wanted` count, unless they keep failing. */
  grow(wanted: number): void;
  /** Lets go of the idle, then of those that start, then of the busy once they are done, until `wanted` count. */
  shrink(wanted: number): void;
  /** Takes an idle worker for a run, the one used last. */
  checkOut(run: PoolRun): WorkerSlot | undefined;
  /** Gives it back: it is used again, or recycled. `limit` is how many may count. */
  checkIn(slot: WorkerSlot, limit: number): void;
  /** Its run was given up: it no longer counts, and is ended unless it comes back within the grace. */
  giveUp(slot: WorkerSlot, cancelGraceMs: number): void;
  /** The error of a crash loop, while no worker may be started. */
  readonly crashLoop: CrashLoopError | undefined;
  /** Resolves when no worker is starting. @throws the first start failure since the call */
  whenStarted(): Promise<void>;
  /** Ends all of them at the same time. Resolves when the last one is gone. */
  stopAll(): Promise<void>;
}

interface Slot extends WorkerSlot {
  state: WorkerState;
  stopReason: WorkerStopReason | undefined;
  idleTimer: Timer | undefined;
  readonly starting: Promise<void>;
}

/** How long a worker without work gets to exit by itself. */
const IDLE_STOP_GRACE_MS = 1_000;

export function createWorkerSet(options: WorkerSetOptions): WorkerSet {
  const { pool, manager, emitter } = options;
  const { clock } = pool;
  const slots = new Set<Slot>();
  const abandoned = new AbortController();
  const budget = createRestartBudget(pool.maxRestarts, pool.restartWithinMs, clock);
  const backoff = exponentialBackoff({ initialMs: 100, maxMs: 5_000 });
  let crashLoop: CrashLoopError | undefined;
  let failuresInRow = 0;
  let retryTimer: Timer | undefined;
  let lastId = 0;

  const counts = (slot: Slot): boolean => slot.state !== 'draining' && !slot.cancelling;
  const size = (): number => [...slots].filter(counts).length;

  function move(slot: Slot, to: WorkerState): void {
    if (!canMove(slot.state, to)) throw new TypeError(`A worker can't go from ${slot.state} to ${to}.`);
    slot.state = to;
  }

  function add(): void {
    lastId += 1;
    const id = `worker-${lastId}`;
    const bootedFrom = clock.now();
    const runOf = (): { readonly runId?: string } =>
      slot.run === undefined ? {} : { runId: slot.run.runId };
    const worker = createWorkerProcess({
      ...pool,
      id,
      manager,
      onOutput: (stream, chunk) => slot.run?.options.onOutput?.(stream, chunk),
      onLine: (stream, line) => emitter.emit('worker:output', { workerId: id, stream, line, ...runOf() }),
      linesWanted: () => emitter.listenerCount('worker:output') > 0,
      onStrayOutput: (preview, sizeBytes) =>
        emitter.emit('worker:stray-output', { workerId: id, preview, sizeBytes, ...runOf() }),
    });
    const starting = worker.start(abandoned.signal).then(
      () => {
        failuresInRow = 0;
        crashLoop = undefined;
        budget.reset();
        emitter.emit('worker:ready', { workerId: id, pid: worker.pid, bootMs: clock.now() - bootedFrom });
        if (slot.state === 'starting') becomeIdle(slot);
      },
      (error: Error) => startFailed(slot, error),
    );
    const slot: Slot = {
      worker,
      state: 'starting',
      run: undefined,
      cancelling: false,
      stopReason: undefined,
      idleTimer: undefined,
      starting,
    };
    slots.add(slot);
    void worker.ended.then((end) => ended(slot, end));
  }

  function becomeIdle(slot: Slot): void {
    move(slot, 'ready');
    slot.worker.setPhase('idle');
    // An idle pool does not keep its host running.
    slot.worker.unref();
    slot.idleTimer = clock.setTimer(pool.idleTimeoutMs, () => idleTooLong(slot), { keepAlive: false });
    options.onIdle();
  }

  function idleTooLong(slot: Slot): void {
    if (slot.state === 'ready' && size() > options.baseline()) retire(slot, 'idle', IDLE_STOP_GRACE_MS);
  }

  function startFailed(slot: Slot, error: Error): void {
    slots.delete(slot);
    if (slot.state === 'draining') return;
    slot.state = 'failed';
    emitter.emit('worker:start-failed', { workerId: slot.worker.id, error });
    noteFailure(error);
  }

  function ended(slot: Slot, end: WorkerEnd): void {
    if (slot.state === 'starting' || slot.state === 'failed') return;
    slot.idleTimer?.cancel();
    slots.delete(slot);
    const { run, stopReason } = slot;
    const facts = { workerId: end.workerId, pid: end.pid, exitCode: end.exitCode, signal: end.signal };
    if (stopReason !== undefined) {
      slot.state = 'stopped';
      emitter.emit('worker:stopped', { ...facts, reason: stopReason });
      options.onLost(end, run);
      return;
    }
    slot.state = 'failed';
    emitter.emit('worker:crashed', run === undefined ? facts : { ...facts, runId: run.runId });
    options.onLost(end, run);
    // A worker that died of its run says nothing about the next one; one that died idle may do so again at once.
    if (run === undefined) noteFailure(new Error(`Worker ${end.workerId} died while idle.`));
  }

  function noteFailure(error: Error): void {
    failuresInRow += 1;
    if (budget.spend()) {
      crashLoop = new CrashLoopError(failuresInRow, pool.restartWithinMs, budget.retryAfterMs, error);
      emitter.emit('pool:crash-loop', {
        failures: failuresInRow,
        retryAfterMs: budget.retryAfterMs,
        error: crashLoop,
      });
    }
    if (size() === 0) options.onHopeless(crashLoop ?? error);
    scheduleRetry();
  }

  /** Workers that should be there without any run asking are tried again later. */
  function scheduleRetry(): void {
    retryTimer?.cancel();
    if (abandoned.signal.aborted || size() >= options.baseline()) return;
    const delayMs = budget.spent ? budget.retryAfterMs : backoff(failuresInRow);
    retryTimer = clock.setTimer(delayMs, () => set.grow(options.baseline()), { keepAlive: false });
  }

  function retire(slot: Slot, reason: WorkerStopReason, graceMs: number): void {
    if (slot.state === 'draining') return;
    move(slot, 'draining');
    slot.cancelling = false;
    slot.stopReason = reason;
    slot.idleTimer?.cancel();
    void slot.worker.stop(graceMs, pool.killGraceMs);
  }

  const set: WorkerSet = {
    get size() {
      return size();
    },
    count: (state) => [...slots].filter((slot) => slot.state === state).length,
    get slots() {
      return [...slots];
    },
    grow(wanted) {
      if (abandoned.signal.aborted || budget.spent) return;
      retryTimer?.cancel();
      // After a crash loop one worker is tried before all are.
      const limit = budget.onProbation ? Math.min(wanted, Math.max(1, size())) : wanted;
      for (let missing = limit - size(); missing > 0; missing -= 1) add();
    },
    shrink(wanted) {
      const order: readonly WorkerState[] = ['ready', 'starting'];
      for (const state of order) {
        for (const slot of slots) {
          if (size() <= wanted) return;
          if (slot.state === state && !slot.cancelling) retire(slot, 'scaled-down', IDLE_STOP_GRACE_MS);
        }
      }
    },
    checkOut(run) {
      const slot = [...slots].findLast((each) => each.state === 'ready');
      if (slot === undefined) return undefined;
      move(slot, 'busy');
      slot.idleTimer?.cancel();
      slot.run = run;
      slot.worker.setPhase('run');
      slot.worker.ref();
      return slot;
    },
    checkIn(given, limit) {
      const slot = given as Slot;
      slot.run = undefined;
      slot.worker.countRun();
      slot.worker.setPhase('idle');
      const returned = slot.cancelling;
      slot.cancelling = false;
      if (slot.state !== 'busy') return;
      if (slot.worker.runsDone >= pool.maxRunsPerWorker) {
        retire(slot, 'runs', IDLE_STOP_GRACE_MS);
        slot.worker.unref();
        options.onIdle();
        return;
      }
      if (returned && size() > limit) {
        // It is warm; its replacement, if still on its way, is the one to go.
        const replacement = [...slots].findLast((each) => each.state === 'starting');
        retire(replacement ?? slot, 'cancelled-run', IDLE_STOP_GRACE_MS);
      }
      if (slot.state === 'busy') becomeIdle(slot);
    },
    giveUp(given, cancelGraceMs) {
      const slot = given as Slot;
      slot.cancelling = true;
      const timer = clock.setTimer(cancelGraceMs, () => {
        if (slot.cancelling && slot.state === 'busy') retire(slot, 'cancelled-run', 0);
      });
      void slot.worker.ended.then(() => timer.cancel());
      options.onIdle();
    },
    get crashLoop() {
      return budget.spent ? crashLoop : undefined;
    },
    async whenStarted() {
      const failures: Error[] = [];
      const stop = emitter.on('worker:start-failed', ({ error }) => failures.push(error));
      await Promise.all([...slots].map((slot) => slot.starting));
      stop();
      const [failure] = failures;
      if (failure !== undefined) throw failure;
    },
    async stopAll() {
      retryTimer?.cancel();
      abandoned.abort(new Error('The pool was stopped.'));
      await Promise.all(
        [...slots].map(async (slot) => {
          slot.worker.ref();
          retire(slot, 'pool-stopped', slot.run === undefined ? IDLE_STOP_GRACE_MS : 0);
          await slot.worker.ended;
        }),
      );
    },
  };
  return set;
}
