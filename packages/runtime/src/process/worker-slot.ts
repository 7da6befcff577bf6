import type { Timer } from '@pawl/core';
import type { WorkerStopReason } from '../events.ts';
import type { PoolRun } from './pool-run.ts';
import type { WorkerProcess } from './worker-process.ts';
import { canMove, type WorkerState } from './worker-state.ts';

/** A worker's place in the pool, as others see it. */
export interface WorkerSlot {
  readonly worker: WorkerProcess;
  readonly state: WorkerState;
  /** The run it is busy with. */
  readonly run: PoolRun | undefined;
}

/** The same for those who keep it. */
export interface Slot extends WorkerSlot {
  state: WorkerState;
  run: PoolRun | undefined;
  /** Its run was given up and it may still answer in time to be used again; it is not counted meanwhile. */
  cancelling: boolean;
  /** Set once it was asked to end. */
  stopReason: WorkerStopReason | undefined;
  idleTimer: Timer | undefined;
  /** Runs while `cancelling`. */
  cancelTimer: Timer | undefined;
  /** The restart policy's when it was started. */
  readonly generation: number;
  /** Resolves when it is ready, or will never be. */
  starting: Promise<void>;
}

export function createSlot(worker: WorkerProcess, generation: number): Slot {
  return {
    worker,
    state: 'starting',
    run: undefined,
    cancelling: false,
    stopReason: undefined,
    idleTimer: undefined,
    cancelTimer: undefined,
    generation,
    starting: Promise.resolve(),
  };
}

/** Whether it is one of the workers that a pool may have so many of. */
export function counts(slot: Slot): boolean {
  return slot.state !== 'draining' && !slot.cancelling && !slot.worker.isLost;
}

/** Whether it waits for work. */
export function isIdle(slot: Slot): boolean {
  return slot.state === 'ready' && !slot.worker.isLost;
}

/** @throws TypeError for a move the state machine does not know */
export function move(slot: Slot, to: WorkerState): void {
  if (!canMove(slot.state, to)) throw new TypeError(`A worker can't go from ${slot.state} to ${to}.`);
  slot.state = to;
}
