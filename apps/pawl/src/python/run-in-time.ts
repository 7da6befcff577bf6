import { hasCode } from '@pawl/core';
import type { ExecuteOptions, ExecutionRequest, ExecutionResult } from '@pawl/python';
import { HttpError } from '../http-errors.ts';
import type { DelayControl } from './delay-control.ts';

/** More programs come than can be run: this one was not. */
class OverloadedError extends HttpError {
  readonly retryAfterMs: number;

  constructor(maxWaitMs: number, retryAfterMs: number) {
    const waited = `It was not run, because its turn would not have come within ${Math.ceil(maxWaitMs)} ms.`;
    super(503, 'OVERLOADED', `More programs come than can be run. ${waited}`);
    this.retryAfterMs = retryAfterMs;
  }
}

type Run = (request: ExecutionRequest, options: ExecuteOptions) => Promise<ExecutionResult>;

/** Runs programs of clients who wait for them: each begins in time, or is refused. @throws OverloadedError */
export function runInTime(run: Run, delays: DelayControl): Run {
  return async (request, { signal }) => {
    const turn = delays.enter();
    const { maxWaitMs } = turn;
    try {
      const result = await run(request, { signal, maxWaitMs, onStart: () => turn.begin() });
      // What a limit ended tells nothing of how long programs take.
      if (result.status === 'ok' || result.status === 'failed') turn.end();
      return result;
    } catch (error) {
      if (hasCode(error, 'WAIT_TOO_LONG', 'QUEUE_FULL')) throw new OverloadedError(maxWaitMs, turn.refuse());
      throw error;
    } finally {
      turn.leave();
    }
  };
}
