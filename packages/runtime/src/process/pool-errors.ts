import { PawlError } from '@pawl/core';

/** The run took longer than allowed once it had a worker. */
export class RunTimeoutError extends PawlError {
  declare readonly code: 'RUN_TIMEOUT';
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
  readonly timeoutMs: number;

  constructor(
    run: { readonly runId: string; readonly task: string; readonly attempt: number },
    timeoutMs: number,
  ) {
    super(`Run ${run.runId} of "${run.task}" timed out after ${timeoutMs} ms (attempt ${run.attempt}).`, {
      code: 'RUN_TIMEOUT',
    });
    this.runId = run.runId;
    this.task = run.task;
    this.attempt = run.attempt;
    this.timeoutMs = timeoutMs;
  }
}

/** As many runs wait as may wait. */
export class QueueFullError extends PawlError {
  declare readonly code: 'QUEUE_FULL';
  readonly maxQueue: number;

  constructor(maxQueue: number) {
    super(`The queue is full: ${maxQueue} runs wait already.`, { code: 'QUEUE_FULL' });
    this.maxQueue = maxQueue;
  }
}

/** The pool takes no more runs, or ended this one because it stopped. */
export class PoolStoppedError extends PawlError {
  declare readonly code: 'POOL_STOPPED';

  constructor(what: string) {
    super(`${what}: the pool was stopped.`, { code: 'POOL_STOPPED' });
  }
}

/** Workers keep failing to start, so the pool starts no more for a while and refuses runs at once. */
export class CrashLoopError extends PawlError {
  declare readonly code: 'CRASH_LOOP';
  /** When the pool tries again, in milliseconds from now. */
  readonly retryAfterMs: number;

  constructor(failures: number, withinMs: number, retryAfterMs: number, cause: unknown) {
    super(
      `Workers failed ${failures} times within ${withinMs} ms: the pool starts no more for ${Math.ceil(retryAfterMs)} ms.`,
      { code: 'CRASH_LOOP', cause },
    );
    this.retryAfterMs = retryAfterMs;
  }
}
