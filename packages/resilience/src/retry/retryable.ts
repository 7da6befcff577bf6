import { PawlError } from '@pawl/core';

/** Fields by which an error says itself whether another attempt makes sense. All are optional. */
export interface RetryableContract {
  /** The last word, if it is there. */
  readonly retryable?: boolean;
  /** Whether the trouble passes by itself; asked when `retryable` is absent. */
  readonly transient?: boolean;
  /** How long the other side asks to wait before the next attempt, in milliseconds ≥ 0. */
  readonly retryAfterMs?: number;
}

/**
 * Thrown by the work to end a retry at once: the call rejects with `cause`, unwrapped.
 * @example throw new StopRetryError(error)
 */
export class StopRetryError extends PawlError {
  declare readonly code: 'STOP_RETRY';

  constructor(cause: unknown) {
    super('Stopped retrying.', { code: 'STOP_RETRY', cause });
  }
}

/**
 * The default of `shouldRetry`: what the error's `retryable` says, else its `transient`, else yes for everything
 * but an `AbortError`, which means that somebody cancelled the work.
 */
export function isRetryable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return true;
  const { retryable, transient } = error as RetryableContract;
  if (typeof retryable === 'boolean') return retryable;
  if (typeof transient === 'boolean') return transient;
  return (error as Partial<Error>).name !== 'AbortError';
}

/** The error's own `retryAfterMs`, or undefined when it has none or one that is no delay. */
export function retryAfterOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  return validDelay((error as RetryableContract).retryAfterMs);
}

/** `value` if it is a number ≥ 0. */
export function validDelay(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
