import { createDeferred, PawlError } from '@pawl/core';
import type { RunStream } from '../process/run-stream.ts';
import type { RunInPool } from './attempt.ts';
import type { ExecutionOptions } from './execution-options.ts';
import type { Outcome } from './outcome.ts';

export interface ExecutionStreamOptions extends Omit<ExecutionOptions, 'deterministic' | 'force'> {
  /** Chunks the task may be ahead of its reader; then it waits. @default 16 */
  readonly buffer?: number | undefined;
}

/**
 * The chunks of a run, as they come. Read it once: the run begins when the first chunk is asked for, and is cancelled
 * when the reading ends early. What ends the run without a result is thrown at its end.
 */
export interface ExecutionStream extends AsyncIterable<unknown, unknown, undefined> {
  /** How the run ended, once it was read. */
  readonly outcome: Promise<Outcome>;
}

/** @param conduct takes the run through the executor; `runInPool` is its only attempt */
export function createExecutionStream(
  buffer: number | undefined,
  conduct: (runInPool: RunInPool) => Promise<Outcome>,
): ExecutionStream {
  const outcome = createDeferred<Outcome>();
  let isRead = false;

  async function* read(): AsyncGenerator<unknown, unknown, undefined> {
    if (isRead) throw new PawlError('A stream can be read once.', { code: 'STREAM_READ_TWICE' });
    isRead = true;
    const opened = createDeferred<RunStream<unknown, unknown> | undefined>();
    const ended = conduct((pool, { task, input }, options) => {
      if (pool.stream === undefined) {
        throw new PawlError(`The pool for "${task}" has no streams.`, { code: 'NO_STREAMS' });
      }
      const chunks = pool.stream(task, input, { ...options, buffer });
      opened.resolve(chunks);
      return chunks.result;
    });
    outcome.resolve(ended);
    // Whatever keeps it from an attempt at all.
    void ended.then(() => opened.resolve(undefined));
    const chunks = await opened.promise;
    try {
      if (chunks !== undefined) yield* chunks;
    } catch {
      // The outcome says what it was.
    }
    const end = await ended;
    if (end.status === 'succeeded') return end.value;
    throw end.error;
  }

  return { [Symbol.asyncIterator]: read, outcome: outcome.promise };
}
