import { PawlError } from '@pawl/core';
import type { RunState } from './run-state.ts';

/** There is no run of that id; it may have been removed after its retention. */
export class RunNotFoundError extends PawlError {
  declare readonly code: 'RUN_NOT_FOUND';
  readonly runId: string;

  constructor(runId: string) {
    super(`There is no run ${JSON.stringify(runId)}; it may have been removed.`, { code: 'RUN_NOT_FOUND' });
    this.runId = runId;
  }
}

/** The run is not over, so it can't be removed: cancel it first. */
export class RunNotEndedError extends PawlError {
  declare readonly code: 'RUN_NOT_ENDED';
  readonly runId: string;
  readonly state: RunState;

  constructor(runId: string, state: RunState) {
    super(`The run ${runId} can't be removed: it is ${state}. Cancel it first.`, { code: 'RUN_NOT_ENDED' });
    this.runId = runId;
    this.state = state;
  }
}

/** The idempotency key was used before, for another task or input. Nothing was stored. */
export class IdempotencyConflictError extends PawlError {
  declare readonly code: 'IDEMPOTENCY_CONFLICT';
  readonly idempotencyKey: string;
  /** The run that has the key. */
  readonly runId: string;

  constructor(idempotencyKey: string, runId: string) {
    super(
      `The idempotency key ${JSON.stringify(idempotencyKey)} belongs to run ${runId}, which has another task or input.`,
      { code: 'IDEMPOTENCY_CONFLICT' },
    );
    this.idempotencyKey = idempotencyKey;
    this.runId = runId;
  }
}

/** A run of that id is stored already. Nothing was changed. */
export class RunExistsError extends PawlError {
  declare readonly code: 'RUN_EXISTS';
  readonly runId: string;

  constructor(runId: string) {
    super(`There is a run ${runId} already.`, { code: 'RUN_EXISTS' });
    this.runId = runId;
  }
}

/** As many runs are queued as may be. Nothing was stored; there is room again as soon as one of them begins. */
export class RunQueueFullError extends PawlError {
  declare readonly code: 'RUN_QUEUE_FULL';
  readonly maxQueued: number;

  constructor(maxQueued: number) {
    super(`The run was refused: ${maxQueued} runs are queued already, which is the most.`, {
      code: 'RUN_QUEUE_FULL',
    });
    this.maxQueued = maxQueued;
  }
}

/** An attempt that is over tried to change its run. Nothing was changed. */
export class StaleAttemptError extends PawlError {
  declare readonly code: 'STALE_ATTEMPT';
  readonly runId: string;
  /** The fence of the attempt that tried. */
  readonly fence: number;
  /** The fence of the run's latest attempt. */
  readonly currentFence: number;
  readonly state: RunState;

  constructor(runId: string, fence: number, currentFence: number, state: RunState) {
    super(
      `Attempt with fence ${fence} of run ${runId} is over: the run is ${state}, its latest fence ${currentFence}.`,
      { code: 'STALE_ATTEMPT' },
    );
    this.runId = runId;
    this.fence = fence;
    this.currentFence = currentFence;
    this.state = state;
  }
}

/** The tracker was given no code for this task. */
export class UnknownTaskError extends PawlError {
  declare readonly code: 'UNKNOWN_TASK';
  readonly task: string;

  constructor(task: string, known: readonly string[]) {
    super(`There is no task ${JSON.stringify(task)}. Known: ${known.join(', ')}.`, { code: 'UNKNOWN_TASK' });
    this.task = task;
  }
}

/** The run was not over by its deadline. */
export class RunDeadlineError extends PawlError {
  declare readonly code: 'RUN_DEADLINE';
  readonly runId: string;

  constructor(runId: string, phase: 'queued' | 'running') {
    super(`Run ${runId} was still ${phase} at its deadline.`, { code: 'RUN_DEADLINE' });
    this.runId = runId;
  }
}

/** One attempt took longer than the run's `timeoutMs`. */
export class AttemptTimeoutError extends PawlError {
  declare readonly code: 'RUN_TIMEOUT';
  readonly runId: string;
  readonly attempt: number;
  readonly timeoutMs: number;

  constructor(runId: string, attempt: number, maxAttempts: number, timeoutMs: number) {
    super(`Run ${runId} timed out after ${timeoutMs} ms (attempt ${attempt} of ${maxAttempts}).`, {
      code: 'RUN_TIMEOUT',
    });
    this.runId = runId;
    this.attempt = attempt;
    this.timeoutMs = timeoutMs;
  }
}

/** The reason of an attempt's signal: somebody cancelled the run. */
export class RunCancelledError extends PawlError {
  declare readonly code: 'RUN_CANCELLED';
  readonly runId: string;

  constructor(runId: string, reason: string | undefined) {
    super(`Run ${runId} was cancelled${reason === undefined ? '' : `: ${reason}`}.`, {
      code: 'RUN_CANCELLED',
    });
    this.runId = runId;
  }
}

/** The reason of an attempt's signal: nobody can vouch for the attempt any more. */
export class AttemptLostError extends PawlError {
  declare readonly code: 'ATTEMPT_LOST';
  readonly runId: string;

  constructor(runId: string, why: string) {
    super(`An attempt of run ${runId} was lost: ${why}.`, { code: 'ATTEMPT_LOST' });
    this.runId = runId;
  }
}

/** The tracker stops: what it runs is queued again, and it takes nothing new. */
export class TrackerStoppedError extends PawlError {
  declare readonly code: 'TRACKER_STOPPED';

  constructor() {
    super('The run tracker was stopped.', { code: 'TRACKER_STOPPED' });
  }
}
