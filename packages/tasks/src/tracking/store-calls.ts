import { type Clock, hasCode, type Logger, sleep } from '@pawl/core';
import { exponentialBackoff } from '@pawl/resilience';

/** Asks a store again and again for what must not be lost, until it does it. */
export interface StoreCalls {
  /** @throws what is no fault of the store; any error once `signal` has aborted */
  untilDone<T>(operation: string, call: () => Promise<T>): Promise<T>;
}

export interface StoreCallsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the store is about to be closed. */
  readonly signal: AbortSignal;
  readonly onFailure: (failure: {
    readonly operation: string;
    readonly error: unknown;
    readonly retryInMs: number;
  }) => void;
}

/** Whether a store was sound and only refused: asking again would change nothing. */
function isRefusal(error: unknown): boolean {
  return hasCode(error, 'STALE_ATTEMPT', 'RUN_NOT_FOUND', 'ILLEGAL_MOVE', 'STORE_CLOSED');
}

export function createStoreCalls({ clock, logger, signal, onFailure }: StoreCallsOptions): StoreCalls {
  const backoff = exponentialBackoff({ initialMs: 200, maxMs: 10_000 });
  return {
    async untilDone(operation, call) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await call();
        } catch (error) {
          if (isRefusal(error) || signal.aborted) throw error;
          const retryInMs = backoff(attempt);
          logger.error({ err: error, operation, retryInMs }, `The run store could not ${operation}.`);
          onFailure({ operation, error, retryInMs });
          // The wait ends early when the store is to be closed: one last try.
          await sleep(clock, retryInMs, { signal }).catch(() => undefined);
        }
      }
    },
  };
}
