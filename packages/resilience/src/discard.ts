/**
 * Disposes of a result that nobody will get, if it knows how (`Symbol.asyncDispose`, `Symbol.dispose`), so that a
 * connection opened by an abandoned attempt is closed. What the disposal throws is swallowed: no caller is left.
 */
export function discard(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { [Symbol.asyncDispose]: disposeAsync, [Symbol.dispose]: disposeSync } = value as Partial<
    AsyncDisposable & Disposable
  >;
  const dispose: (() => PromiseLike<void> | void) | undefined = disposeAsync ?? disposeSync;
  if (typeof dispose !== 'function') return;
  try {
    void Promise.resolve(dispose.call(value)).catch(() => undefined);
  } catch {
    // See above.
  }
}
