import { createAffinity } from '../scheduling/affinity.ts';
import { createBalancedDispatcher, createDispatcher } from '../scheduling/dispatcher.ts';
import { comesBefore, createRunQueue, type RunQueue } from '../scheduling/run-queue.ts';
import type { ServiceTimes } from '../scheduling/service-times.ts';
import type { PoolEmitter } from './pool-emitter.ts';
import { MOST_AHEAD, type ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { RunExecution } from './run-execution.ts';
import type { RunLedger } from './run-ledger.ts';
import { createStallWatch } from './stall-watch.ts';
import type { WaitingLine } from './waiting-line.ts';
import type { WorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';

export interface RunDispatchOptions {
  readonly pool: ResolvedPoolOptions;
  readonly emitter: PoolEmitter;
  readonly ledger: RunLedger;
  readonly line: WaitingLine;
  readonly times: ServiceTimes;
  readonly workers: WorkerSet;
  readonly execution: RunExecution;
  /** Runs wait, or do so no longer: there may be too few workers, or too many. */
  readonly onDemand: () => void;
  /** The worker was just sent a run. */
  readonly onSent: (slot: Slot) => void;
}

/** Decides which run goes to which worker, and when. */
export interface RunDispatch {
  /** Gives a run to a worker with room, or lets it wait. */
  place(run: PoolRun, now: number): void;
  /** Hands waiting runs to workers with room. */
  dispatch(now?: number): void;
  /** A worker may have room, or have none any more. */
  offer(slot: Slot, now?: number): void;
  /** A worker is gone: what waited for it alone waits for any other. */
  forget(slot: Slot): void;
}

/** Runs are sent ahead to a worker until it is expected to be busy for so long, in milliseconds. */
const AHEAD_MS = 1;
/** One is sent ahead if it will begin within that time: it hides the round trip of a run of some milliseconds. */
const NEXT_MS = 4;
/**
 * Runs go to the worker that got the last one, though another is idle, until it is expected to be busy for so long, in
 * milliseconds: to wake another up takes as long, and its time from those that work.
 */
const AWAKE_MS = 0.2;
/** With so many runs one worker has enough: then two work at a time. */
const MOST_FOLLOWING = 12;
/** What a run is taken to last while nothing is known of its task, in milliseconds: nothing is sent ahead of it. */
const UNKNOWN_MS = 1_000;
/** Affinities that are remembered. */
const MOST_AFFINITIES = 10_000;

export function createRunDispatch(options: RunDispatchOptions): RunDispatch {
  const { pool, emitter, ledger, line, times, workers, execution } = options;
  const { prefetch, clock } = pool;
  const dispatcher =
    pool.balancer === undefined
      ? createDispatcher<Slot>()
      : createBalancedDispatcher<Slot>(pool.balancer, pool.random);
  const affinity = createAffinity<Slot>(MOST_AFFINITIES);
  /** The worker that got the last run, and so is awake. */
  let awake: Slot | undefined;
  const stalls = createStallWatch({
    clock,
    slots: () => workers.slots,
    onStall: (slot) => {
      execution.recall(slot);
      update(slot);
    },
  });

  function hasRoom(slot: Slot): boolean {
    if (!slot.isOpen || slot.onlyRun?.isAlone === true) return false;
    return slot.executing.length < slot.runsAtOnce || hasRoomAhead(slot);
  }

  function hasRoomAhead(slot: Slot): boolean {
    if (prefetch === false || !slot.takesAhead || slot.stalled || slot.givenUp > 0) return false;
    // What is printed belongs to the run that is executed: with another on its heels nobody could tell.
    if (emitter.hears['worker:output']) return false;
    const { length } = slot.ahead;
    if (prefetch !== 'auto') return length < prefetch;
    return length < MOST_AHEAD && slot.plannedMs < (length === 0 ? NEXT_MS : AHEAD_MS) * slot.runsAtOnce;
  }

  function update(slot: Slot): void {
    dispatcher.update(slot, hasRoom(slot));
  }

  /** The worker that the runs of this affinity go to. */
  function boundTo(run: PoolRun): Slot | undefined {
    const key = run.options.affinity;
    const slot = key === undefined ? undefined : affinity.get(key);
    return slot?.isOpen === true ? slot : undefined;
  }

  /** Whether a run had better follow the last one than wake another worker up. A balancer of the user's decides itself. */
  function followsLast(run: PoolRun, slot: Slot): boolean {
    if (slot.level === -1 || slot.worker.isLost || slot.healthClass === 'degraded' || run.isAlone)
      return false;
    if (pool.balancer !== undefined || slot.load >= MOST_FOLLOWING) return false;
    return slot.plannedMs + times.expectedMs(run.task) < AWAKE_MS;
  }

  function freeFor(run: PoolRun): Slot | undefined {
    if (awake !== undefined && followsLast(run, awake)) return awake;
    for (;;) {
      const slot = dispatcher.next(run);
      if (slot === undefined) return undefined;
      if (!slot.worker.isLost) return run.isAlone && slot.load > 0 ? undefined : slot;
      // Its end was seen, though not yet told.
      dispatcher.update(slot, false);
      workers.recount();
    }
  }

  function send(run: PoolRun, slot: Slot, now: number): void {
    const expectedMs = times.expectedMs(run.task);
    run.expectedMs = Number.isNaN(expectedMs) ? UNKNOWN_MS : expectedMs;
    const { affinity: key } = run.options;
    if (key !== undefined) affinity.bind(key, slot);
    awake = slot;
    execution.send(run, slot, now);
    if (slot.ahead.length > 0) stalls.start();
    update(slot);
    options.onSent(slot);
  }

  /** What waits for this worker alone comes first if it would have come first among all. */
  function feed(slot: Slot, bound: RunQueue<PoolRun>, now: number): void {
    for (let entry = bound.first; entry !== undefined && canTake(slot, entry.item); entry = bound.first) {
      const other = line.first?.entry;
      if (other !== undefined && comesBefore(other, entry)) return;
      bound.take();
      entry.item.queue = undefined;
      send(entry.item, slot, now);
    }
  }

  function sendFirst(now: number): boolean {
    const run = line.first;
    if (run === undefined) return false;
    const bound = boundTo(run);
    const slot = bound ?? freeFor(run);
    if (slot === undefined) return false;
    line.take();
    if (bound !== undefined && !canTake(bound, run)) {
      waitFor(run, bound);
      return true;
    }
    send(run, slot, now);
    if (line.size === 0 && emitter.hears['queue:drained']) {
      emitter.emit('queue:drained', { runsDone: ledger.submitted - ledger.running });
    }
    return true;
  }

  function dispatch(now = clock.now()): void {
    do while (sendFirst(now));
    while (line.admit());
    options.onDemand();
  }

  return {
    place(run, now) {
      // Past the queue, so that a queue of 0 still lets an idle pool work; but nobody is sent ahead past its bound.
      if (line.size === 0) {
        const bound = boundTo(run);
        const slot = bound ?? freeFor(run);
        if (
          slot !== undefined &&
          canTake(slot, run) &&
          (slot.executing.length < slot.runsAtOnce || line.hasSpace)
        ) {
          send(run, slot, now);
          options.onDemand();
          return;
        }
      }
      line.enter(run);
      dispatch(now);
    },
    dispatch,
    offer(slot, now = clock.now()) {
      update(slot);
      const { bound } = slot;
      if (bound === undefined || bound.size === 0) return dispatch(now);
      feed(slot, bound, now);
      dispatch(now);
      // What came before is on its way now.
      return feed(slot, bound, now);
    },
    forget(slot) {
      if (awake === slot) awake = undefined;
      update(slot);
      affinity.forget(slot);
      for (const run of slot.bound?.clear() ?? []) line.restore(run);
    },
  };
}

function canTake(slot: Slot, run: PoolRun): boolean {
  return slot.level !== -1 && !(run.isAlone && slot.load > 0);
}

function waitFor(run: PoolRun, slot: Slot): void {
  slot.bound ??= createRunQueue<PoolRun>({ maxSize: Infinity });
  if (run.entry !== undefined) slot.bound.restore(run.entry);
  run.queue = slot.bound;
}
