import type { Emitter } from '@pawl/core';
import type { PoolEvents, WorkerStopReason } from '../events.ts';
import type { CrashLoopError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { ProcessManager } from './process-manager.ts';
import { createRestartPolicy, type WorkerFault } from './restart-policy.ts';
import type { WorkerEnd } from './worker-errors.ts';
import { createWorkerProcess, type WorkerProcess } from './worker-process.ts';
import { counts, createSlot, isIdle, move, type Slot, type WorkerSlot } from './worker-slot.ts';
import type { WorkerState } from './worker-state.ts';

export interface WorkerSetOptions {
  readonly pool: ResolvedPoolOptions;
  readonly manager: ProcessManager;
  readonly emitter: Emitter<PoolEvents>;
  /** How many workers there should be when there is nothing to do. */
  readonly baseline: () => number;
  /** A worker became free, or its place did. */
  readonly onIdle: () => void;
  /** A worker died, with `run` on it if it had one that it did not answer. */
  readonly onLost: (end: WorkerEnd, run: PoolRun | undefined) => void;
  /** No worker is left or on its way, and this is why. */
  readonly onHopeless: (error: Error) => void;
}

/** The workers of a pool: how many there are, what each is doing, and what happens when one dies. */
export interface WorkerSet {
  /** Those that count: starting, ready or busy, and alive. */
  readonly size: number;
  count(state: WorkerState): number;
  readonly slots: readonly WorkerSlot[];
  /** Whether one waits for work. */
  readonly hasIdle: boolean;
  /** Starts workers until `wanted` count, unless they keep failing. */
  grow(wanted: number): void;
  /** Lets go of the idle, then of those that start, until `wanted` count. The busy follow as they check in. */
  shrink(wanted: number): void;
  /** Takes an idle worker for a run: the youngest, so that the others can time out. */
  checkOut(run: PoolRun): WorkerSlot | undefined;
  /** Gives it back: it is used again, recycled, or let go when more than `limit` count. */
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

/** How long a worker without work gets to exit by itself. */
const IDLE_STOP_GRACE_MS = 1_000;

export function createWorkerSet(options: WorkerSetOptions): WorkerSet {
  const { pool, manager, emitter } = options;
  const { clock, logger } = pool;
  const slots = new Set<Slot>();
  const abandoned = new AbortController();
  const restarts = createRestartPolicy({
    maxRestarts: pool.maxRestarts,
    withinMs: pool.restartWithinMs,
    clock,
    onCrashLoop: (error, failures) =>
      emitter.emit('pool:crash-loop', { failures, retryAfterMs: error.retryAfterMs, error }),
  });
  let lastId = 0;

  const size = (): number => [...slots].filter(counts).length;

  function add(): void {
    lastId += 1;
    const id = `worker-${lastId}`;
    const bootedFrom = clock.now();
    const slot: Slot = createSlot(
      createWorker(id, () => slot.run),
      restarts.generation,
    );
    slots.add(slot);
    slot.starting = slot.worker.start(abandoned.signal).then(
      () => {
        restarts.noteReady();
        const { pid } = slot.worker;
        emitter.emit('worker:ready', { workerId: id, pid, bootMs: clock.now() - bootedFrom });
        if (slot.state === 'starting') becomeIdle(slot);
      },
      (error: Error) => startFailed(slot, error),
    );
    void slot.worker.ended.then((end) => ended(slot, end));
  }

  function createWorker(id: string, run: () => PoolRun | undefined): WorkerProcess {
    const runOf = (): { readonly runId?: string } => {
      const runId = run()?.runId;
      return runId === undefined ? {} : { runId };
    };
    return createWorkerProcess({
      ...pool,
      id,
      manager,
      onOutput: (stream, chunk) => {
        try {
          run()?.options.onOutput?.(stream, chunk);
        } catch (error) {
          logger.error({ err: error, workerId: id }, 'The output callback of a run failed.');
        }
      },
      onLine: (stream, line) => emitter.emit('worker:output', { workerId: id, stream, line, ...runOf() }),
      linesWanted: () => emitter.listenerCount('worker:output') > 0,
      onStrayOutput: (preview, sizeBytes) =>
        emitter.emit('worker:stray-output', { workerId: id, preview, sizeBytes, ...runOf() }),
    });
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
    if (slot.stopReason !== undefined) return;
    slot.state = 'failed';
    emitter.emit('worker:start-failed', { workerId: slot.worker.id, error });
    noteFailure('start', slot, error);
  }

  function ended(slot: Slot, end: WorkerEnd): void {
    if (slot.state === 'starting' || slot.state === 'failed') return;
    slot.idleTimer?.cancel();
    slot.cancelTimer?.cancel();
    slots.delete(slot);
    const { stopReason } = slot;
    const run = slot.run?.isAnswered === true ? undefined : slot.run;
    const facts = { workerId: end.workerId, pid: end.pid, exitCode: end.exitCode, signal: end.signal };
    if (stopReason !== undefined) {
      slot.state = 'stopped';
      emitter.emit('worker:stopped', { ...facts, reason: stopReason });
      options.onLost(end, run);
      return;
    }
    slot.state = 'failed';
    emitter.emit('worker:crashed', run === undefined ? facts : { ...facts, runId: run.runId });
    // A worker that died of its run says nothing about the next one; one that died idle may do so again at once.
    if (run === undefined) noteFailure('idle', slot, new Error(`Worker ${end.workerId} died while idle.`));
    options.onLost(end, run);
  }

  function noteFailure(fault: WorkerFault, slot: Slot, error: Error): void {
    restarts.noteFailure(fault, slot.generation, error);
    if (fault === 'start' && size() === 0) options.onHopeless(restarts.crashLoop ?? error);
    // Workers that should be there without any run asking are tried again later.
    if (!abandoned.signal.aborted && size() < options.baseline()) {
      restarts.retryLater(() => set.grow(options.baseline()));
    }
  }

  function retire(slot: Slot, reason: WorkerStopReason, graceMs: number): void {
    if (slot.state === 'draining') return;
    move(slot, 'draining');
    slot.cancelling = false;
    slot.stopReason = reason;
    slot.idleTimer?.cancel();
    slot.cancelTimer?.cancel();
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
    get hasIdle() {
      return [...slots].some(isIdle);
    },
    grow(wanted) {
      if (abandoned.signal.aborted || restarts.isBlocked) return;
      // After a crash loop one worker is tried before all are.
      const limit = restarts.onProbation ? Math.min(wanted, Math.max(1, size())) : wanted;
      const missing = limit - size();
      if (missing > 0) restarts.cancelRetry();
      for (let count = 0; count < missing; count += 1) add();
    },
    shrink(wanted) {
      const order: readonly WorkerState[] = ['ready', 'starting'];
      for (const state of order) {
        for (const slot of slots) {
          if (size() <= wanted) return;
          if (slot.state === state && counts(slot)) retire(slot, 'scaled-down', IDLE_STOP_GRACE_MS);
        }
      }
    },
    checkOut(run) {
      const slot = [...slots].findLast(isIdle);
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
      slot.cancelTimer?.cancel();
      if (slot.state !== 'busy') return;
      if (slot.worker.runsDone >= pool.maxRunsPerWorker) retire(slot, 'runs', IDLE_STOP_GRACE_MS);
      else if (size() > limit) {
        // One whose run was given up is warm; its replacement, if still on its way, is the one to go.
        const replacement = returned
          ? [...slots].findLast((each) => each.state === 'starting' && counts(each))
          : undefined;
        retire(replacement ?? slot, returned ? 'cancelled-run' : 'scaled-down', IDLE_STOP_GRACE_MS);
      }
      if (slot.state === 'busy') becomeIdle(slot);
      else {
        slot.worker.unref();
        options.onIdle();
      }
    },
    giveUp(given, cancelGraceMs) {
      const slot = given as Slot;
      slot.cancelling = true;
      slot.cancelTimer = clock.setTimer(cancelGraceMs, () => {
        if (slot.state === 'busy') retire(slot, 'cancelled-run', 0);
      });
      options.onIdle();
    },
    get crashLoop() {
      return restarts.crashLoop;
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
      restarts.cancelRetry();
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
