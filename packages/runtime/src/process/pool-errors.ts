import { PawlError } from '@pawl/core';

/** The run took longer than allowed. */
export class RunTimeoutError extends PawlError {
  declare readonly code: 'RUN_TIMEOUT';
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
  readonly timeoutMs: number;
  /**
   * Where the main thread of its worker was when four fifths of the time were over: a stack trace of a Node worker that
   * was stuck. Undefined for one that waited, and for other languages.
   */
  readonly workerStack: string | undefined;

  constructor(
    run: {
      readonly runId: string;
      readonly task: string;
      readonly attempt: number;
      readonly workerStack?: string | undefined;
    },
    timeoutMs: number,
  ) {
    super(`Run ${run.runId} of "${run.task}" timed out after ${timeoutMs} ms (attempt ${run.attempt}).`, {
      code: 'RUN_TIMEOUT',
    });
    this.runId = run.runId;
    this.task = run.task;
    this.attempt = run.attempt;
    this.timeoutMs = timeoutMs;
    this.workerStack = run.workerStack;
  }
}

/** As many runs wait as may wait. */
export class QueueFullError extends PawlError {
  declare readonly code: 'QUEUE_FULL';
  readonly maxQueue: number;

  /** @param dropped the run that had waited longest and gave way to a newer one; absent when the newest was refused */
  constructor(maxQueue: number, dropped?: string) {
    const what = dropped === undefined ? '' : `Run ${dropped} was dropped for a newer one. `;
    super(`${what}The queue is full: ${maxQueue} runs wait already.`, { code: 'QUEUE_FULL' });
    this.maxQueue = maxQueue;
  }
}

/** The run has killed as many workers as it may: it is not given another. */
export class PoisonRunError extends PawlError {
  declare readonly code: 'POISON_RUN';
  /** To try again is what brought it here. */
  readonly retryable = false;
  readonly runId: string;
  readonly task: string;
  /** The workers that died on it, oldest first. */
  readonly workerIds: readonly string[];

  constructor(run: { readonly runId: string; readonly task: string }, workerIds: readonly string[]) {
    super(
      `Run ${run.runId} of "${run.task}" is given to no worker any more: ${workerIds.length} have died on it ` +
        `(${workerIds.join(', ')}).`,
      { code: 'POISON_RUN' },
    );
    this.runId = run.runId;
    this.task = run.task;
    this.workerIds = workerIds;
  }
}

/** The pool has no worker of that id: it has ended, or there never was one. */
export class WorkerNotFoundError extends PawlError {
  declare readonly code: 'WORKER_NOT_FOUND';
  readonly workerId: string;

  constructor(workerId: string) {
    super(`There is no worker ${JSON.stringify(workerId)} in the pool; it may have ended.`, {
      code: 'WORKER_NOT_FOUND',
    });
    this.workerId = workerId;
  }
}

/** The pool takes no more runs, or ended this one because it stopped. */
export class PoolStoppedError extends PawlError {
  declare readonly code: 'POOL_STOPPED';

  constructor(what: string) {
    super(`${what}: the pool was stopped.`, { code: 'POOL_STOPPED' });
  }
}

/** Who fails, and who gives up starting it for a while. */
export interface CrashLoopParties {
  readonly failing: string;
  readonly starting: string;
}

const WORKERS_OF_POOL: CrashLoopParties = { failing: 'Workers', starting: 'the pool' };

/** What was started keeps failing, so no more is started for a while; a pool refuses runs at once. */
export class CrashLoopError extends PawlError {
  declare readonly code: 'CRASH_LOOP';
  /** When a start is tried again, in milliseconds from now. */
  readonly retryAfterMs: number;

  constructor(
    failures: number,
    withinMs: number,
    retryAfterMs: number,
    cause: unknown,
    { failing, starting }: CrashLoopParties = WORKERS_OF_POOL,
  ) {
    super(
      `${failing} failed ${failures} times within ${withinMs} ms: ${starting} starts no more for ${Math.ceil(retryAfterMs)} ms.`,
      { code: 'CRASH_LOOP', cause },
    );
    this.retryAfterMs = retryAfterMs;
  }
}
