import type { WorkerStopReason } from '../events.ts';
import type { IdleWorkers } from './idle-workers.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { WorkerCount } from './worker-count.ts';
import type { Slot } from './worker-slot.ts';

export interface WorkerRetirementOptions {
  readonly pool: ResolvedPoolOptions;
  readonly count: WorkerCount;
  readonly idle: IdleWorkers;
  /** How many workers may count. */
  readonly limit: () => number;
  /** Whether a worker takes runs may have changed, or whether it counts. */
  readonly onChange: (slot: Slot) => void;
}

/** How workers leave the pool by its own wish: when they are idle, when their work is done, or now. */
export interface WorkerRetirement {
  /** Ends it: what it has may finish for `graceMs`. */
  readonly retire: (slot: Slot, reason: WorkerStopReason, graceMs: number) => void;
  /** Takes it out of service: it counts no more, finishes the runs it has, and ends. Twice is once. */
  readonly drain: (slot: Slot) => void;
  /** Ends it by force, now: nothing good is to be expected of it. */
  readonly kill: (slot: Slot, reason: 'unresponsive' | 'memory') => void;
  /** It is gone, or about to go: its replacement, if there is one, has its place now. */
  readonly giveWay: (slot: Slot) => void;
}

/** How long a worker without work gets to exit by itself. */
export const IDLE_STOP_GRACE_MS = 1_000;

export function createWorkerRetirement(options: WorkerRetirementOptions): WorkerRetirement {
  const { pool, count, idle } = options;

  function retire(slot: Slot, reason: WorkerStopReason, graceMs: number): void {
    if (slot.stopReason !== undefined) return;
    slot.move('draining');
    stop(slot, reason, graceMs, pool.killGraceMs);
  }

  function stop(slot: Slot, reason: WorkerStopReason, graceMs: number, killGraceMs: number): void {
    slot.stopReason = reason;
    slot.stoppingSince = pool.clock.now();
    count.recount();
    idle.leave(slot);
    slot.ageTimer?.cancel();
    void slot.worker.stop(graceMs, killGraceMs);
    giveWay(slot);
    options.onChange(slot);
  }

  function giveWay(slot: Slot): void {
    const { replacement } = slot;
    if (replacement === undefined) return;
    slot.replacement = undefined;
    replacement.replaces = undefined;
    count.recount();
    // The place may have gone to another already, when the run of the one it replaces was given up.
    if (count.size > options.limit()) retire(replacement, 'scaled-down', IDLE_STOP_GRACE_MS);
    else options.onChange(replacement);
  }

  return {
    retire,
    drain(slot) {
      slot.worker.ref();
      if (slot.stopReason !== undefined || slot.isOutOfService) return;
      slot.closing = 'drained';
      count.recount();
      giveWay(slot);
      if (slot.load === 0) retire(slot, 'drained', IDLE_STOP_GRACE_MS);
      else options.onChange(slot);
    },
    kill(slot, reason) {
      if (slot.stopReason !== undefined) return;
      slot.move(reason === 'unresponsive' ? 'unresponsive' : 'draining');
      stop(slot, reason, 0, 0);
    },
    giveWay,
  };
}
