export interface PawlErrorOptions {
  /** Names the kind of failure, in capitals with underscores: `RUN_TIMEOUT`. Callers branch on it. */
  readonly code: string;
  /** What led to this error. */
  readonly cause?: unknown;
}

/**
 * The base of every error that Pawl makes. Branch on `code`, not on the class: an error that crossed a process
 * keeps its code and loses its class.
 */
export class PawlError extends Error {
  readonly code: string;

  constructor(message: string, options: PawlErrorOptions) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = options.code;
    // Not an own enumerable field, so that it is not printed or serialised a second time.
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
  }
}

/** Whether `error` carries one of the `codes`, whatever its class: a PawlError, a Node system error, a remote error. */
export function hasCode<const Code extends string>(
  error: unknown,
  ...codes: readonly Code[]
): error is Error & { readonly code: Code } {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return (codes as readonly unknown[]).includes(error.code);
}
