// Calls the executor: each attempt has a time limit, failed ones are repeated, and a breaker spares an executor that
// is down, and the clients the wait for it.
import { CircuitOpenError, exponentialBackoff, parseRetryAfter, standardPolicy } from '@pawl/resilience';

/** The executor could not be asked, or could not answer: `status` is what the client gets. */
export class ExecutorError extends Error {
  constructor(message, { status, code, retryAfterMs, cause }) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What another attempt may change: no connection, no answer in time, and an executor that is full or starts. */
const REPEATED = new Set([429, 502, 503, 504]);

/** @param options.attemptTimeoutMs above the longest program, 10 s, and its wait for a place */
export function createExecutorClient(
  url,
  { attemptTimeoutMs = 15_000, totalTimeoutMs = 30_000, openMs = 5_000 } = {},
) {
  const policy = standardPolicy({
    totalTimeoutMs,
    attemptTimeoutMs,
    // Six seconds in all: an executor that restarts is back by then.
    retry: {
      maxAttempts: 6,
      backoff: exponentialBackoff({ initialMs: 200 }),
      shouldRetry: (error) => !(error instanceof ExecutorError) || REPEATED.has(error.status),
      delayFor: (error) => error.retryAfterMs,
    },
    // An executor that is full, or refuses one client, is not down.
    breaker: {
      failureThreshold: 10,
      minCalls: 10,
      openMs,
      isFailure: (error) =>
        !(error instanceof ExecutorError) || (error.status >= 502 && error.code !== 'OVERLOADED'),
    },
  });
  const address = new URL('/execute', url);

  async function post(program, signal) {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(program),
      signal,
    });
    const answer = await response.json();
    if (response.ok) return answer;
    throw new ExecutorError(answer.detail ?? response.statusText, {
      status: response.status,
      code: answer.code,
      retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
    });
  }

  return {
    breaker: policy.breaker,
    /** Runs a program: gives the executor's answer. @throws ExecutorError */
    async execute(program, { signal } = {}) {
      try {
        return await policy.execute((attempt) => post(program, attempt.signal), { signal });
      } catch (error) {
        if (error instanceof ExecutorError || signal?.aborted) throw error;
        const retryAfterMs = error instanceof CircuitOpenError ? error.retryAfterMs : openMs;
        throw new ExecutorError('Programs can not be run at the moment.', {
          status: 503,
          retryAfterMs,
          cause: error,
        });
      }
    },
  };
}
