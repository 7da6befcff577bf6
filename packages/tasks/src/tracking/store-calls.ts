import { type Clock, hasCode, type Logger } from '@pawl/core';
import { exponentialBackoff, retry } from '@pawl/resilience';

/** Asks a store again and again for what must not be lost, until it does it or is about to be closed. */
export interface StoreCalls {
  /**
   * Once the store is about to be closed, what it is doing then counts, or one last try.
   * @throws what is no fault of the store; any error once `signal` has aborted
   */
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

const BACKOFF = exponentialBackoff({ initialMs: 200, maxMs: 10_000 });

/** Whether a store was sound and only refused: asking again would change nothing. */
function isRefusal(error: unknown): boolean {
  return hasCode(error, 'STALE_ATTEMPT', 'RUN_NOT_FOUND', 'ILLEGAL_MOVE', 'STORE_CLOSED');
}

export function createStoreCalls({ clock, logger, signal, onFailure }: StoreCallsOptions): StoreCalls {
  return {
    async untilDone<T>(operation: string, call: () => Promise<T>) {
      /** The attempt that is under way. */
      let attempt: Promise<T> | undefined;
      const persistence = retry({
        maxAttempts: Infinity,
        backoff: BACKOFF,
        jitter: false,
        shouldRetry: (error) => !isRefusal(error),
        // What a store has tried for long itself is tried on all the same.
        retryNested: true,
        clock,
        onRetry: ({ error, delayMs: retryInMs }) => {
          attempt = undefined;
          logger.error({ err: error, operation, retryInMs }, `The run store could not ${operation}.`);
          onFailure({ operation, error, retryInMs });
        },
      });
      try {
        return await persistence.execute(() => (attempt = call()), { signal });
      } catch (error) {
        if (!signal.aborted) throw error;
        return attempt ?? call();
      }
    },
  };
}
