import { PawlError } from '@pawl/core';

/** Every state of a run, in the order of its life. */
export const RUN_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'timed-out',
  'cancelled',
  'lost',
] as const;

/**
 * `queued` waits for its time, its turn, or its next attempt; `running` has an attempt under way; the others are
 * final. `lost`: nobody can say how its last attempt ended, and the policy allows no other.
 */
export type RunState = (typeof RUN_STATES)[number];

/** The states a run never leaves. */
export type FinalRunState = Exclude<RunState, 'queued' | 'running'>;

/**
 * Every legal move. `running → queued` is the way to the next attempt: after a failure or a loss that the policy
 * retries, or because the host stopped.
 */
export const RUN_MOVES: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['running', 'cancelled', 'timed-out'],
  running: ['queued', 'succeeded', 'failed', 'timed-out', 'cancelled', 'lost'],
  succeeded: [],
  failed: [],
  'timed-out': [],
  cancelled: [],
  lost: [],
};

export function isFinal(state: RunState): state is FinalRunState {
  return RUN_MOVES[state].length === 0;
}

/** A run was asked to make a move that {@link RUN_MOVES} does not have. Nothing was changed. */
export class IllegalMoveError extends PawlError {
  declare readonly code: 'ILLEGAL_MOVE';
  readonly runId: string;
  readonly from: RunState;
  readonly to: RunState;

  constructor(runId: string, from: RunState, to: RunState) {
    super(`Run ${runId} can't go from ${from} to ${to}.`, { code: 'ILLEGAL_MOVE' });
    this.runId = runId;
    this.from = from;
    this.to = to;
  }
}

/** @throws IllegalMoveError */
export function checkMove(runId: string, from: RunState, to: RunState): void {
  if (!RUN_MOVES[from].includes(to)) throw new IllegalMoveError(runId, from, to);
}
