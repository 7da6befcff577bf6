/** What a promise became, so that a test can move the clock before it looks. */
export interface Settled<T> {
  readonly status: 'pending' | 'fulfilled' | 'rejected';
  readonly value?: T;
  readonly error?: unknown;
}

/** Watches a promise from now on; also keeps its rejection from being unhandled. */
export function watch<T>(promise: Promise<T>): { readonly now: Settled<T> } {
  let now: Settled<T> = { status: 'pending' };
  promise.then(
    (value) => {
      now = { status: 'fulfilled', value };
    },
    (error: unknown) => {
      now = { status: 'rejected', error };
    },
  );
  return {
    get now() {
      return now;
    },
  };
}
