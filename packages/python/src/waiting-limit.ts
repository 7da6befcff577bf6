import { type Clock, linkAbort, PawlError } from '@pawl/core';
import type { ProcessPool } from '@pawl/runtime';

/** No worker began with the program in the time it was given: it was not run. */
export class WaitTooLongError extends PawlError {
  declare readonly code: 'WAIT_TOO_LONG';
  readonly maxWaitMs: number;

  constructor(maxWaitMs: number) {
    super(`No worker was free for the program within ${maxWaitMs} ms, so it was not run.`, {
      code: 'WAIT_TOO_LONG',
    });
    this.maxWaitMs = maxWaitMs;
  }
}

export interface WaitingLimit {
  /** How long it may wait until a worker begins with it, in milliseconds. */
  readonly maxWaitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Told when a worker begins with it. */
  readonly onStart: (() => void) | undefined;
}

/** Runs something in a pool that has to begin in time. */
export interface WaitingLimits {
  /** @throws WaitTooLongError, or what `run` throws, which gets the run's name and signal */
  limit<T>(
    limit: WaitingLimit,
    run: (how: { readonly runId: string; readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T>;
}

export function createWaitingLimits(pool: Pick<ProcessPool, 'on'>, clock: Clock): WaitingLimits {
  const waiting = new Map<string, () => void>();
  let count = 0;
  pool.on('run:started', ({ runId }) => waiting.get(runId)?.());

  return {
    async limit({ maxWaitMs, signal, onStart }, run) {
      using cut = linkAbort(signal);
      count += 1;
      const runId = `program-${count}`;
      const timer = clock.setTimer(maxWaitMs, () => cut.abort(new WaitTooLongError(maxWaitMs)));
      waiting.set(runId, () => {
        timer.cancel();
        // A second attempt is no second start.
        if (waiting.delete(runId)) onStart?.();
      });
      try {
        return await run({ runId, signal: cut.signal });
      } finally {
        timer.cancel();
        waiting.delete(runId);
      }
    },
  };
}
