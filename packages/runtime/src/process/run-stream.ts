import { checkInteger, createDeferred, ownOptions, PawlError } from '@pawl/core';
import type { ChunkSink } from './pool-run.ts';
import { resolveRunOptions, type RunOptions } from './run-options.ts';

export interface StreamOptions extends RunOptions {
  /** Chunks the task may be ahead of its reader; then it waits. @default 16 */
  readonly buffer?: number | undefined;
}

/**
 * The chunks of a run, as they come. Read it once: the run begins when the first chunk is asked for, and is cancelled
 * when the reading ends early.
 */
export interface RunStream<Chunk, Result> extends AsyncIterable<Chunk, Result, undefined> {
  /** What the task returns, once its last chunk was read. @throws what ended the run */
  readonly result: Promise<Result>;
}

/** A run that was begun for a stream. */
export interface StreamedRun {
  readonly promise: Promise<unknown>;
  /** The reader has taken `n` chunks. */
  grant(n: number): void;
  /** The reader wants no more. */
  cancel(reason: Error): void;
}

const DEFAULT_BUFFER = 16;

/** @throws TypeError, RangeError for wrong options */
export function createRunStream<Chunk, Result>(
  options: StreamOptions,
  begin: (how: RunOptions, sink: ChunkSink) => StreamedRun,
): RunStream<Chunk, Result> {
  const { buffer = DEFAULT_BUFFER, ...forRun } = ownOptions(options);
  checkInteger('buffer', buffer, { min: 1 });
  const how = resolveRunOptions(forRun);
  const result = createDeferred<Result>();
  // Whoever only reads the chunks learns of a failure there.
  result.promise.catch(() => undefined);
  let isRead = false;

  async function* read(): AsyncGenerator<Chunk, Result, undefined> {
    if (isRead) throw new PawlError('A stream can be read once.', { code: 'STREAM_READ_TWICE' });
    isRead = true;
    const chunks: Chunk[] = [];
    let wake = createDeferred();
    let hasEnded = false;
    const run = begin(how, {
      credit: buffer,
      push(chunk) {
        chunks.push(chunk as Chunk);
        wake.resolve();
      },
    });
    run.promise.then(
      () => {
        hasEnded = true;
        wake.resolve();
      },
      () => {
        hasEnded = true;
        wake.resolve();
      },
    );
    let taken = 0;
    try {
      for (;;) {
        while (chunks.length > 0) {
          const [chunk] = chunks.splice(0, 1);
          taken += 1;
          // In halves of the buffer: a grant for each chunk would be a frame for each.
          if (taken * 2 >= buffer) {
            run.grant(taken);
            taken = 0;
          }
          yield chunk as Chunk;
        }
        if (hasEnded) break;
        await wake.promise;
        wake = createDeferred();
      }
      const value = (await run.promise) as Result;
      result.resolve(value);
      return value;
    } catch (error) {
      result.reject(error);
      throw error;
    } finally {
      const stopped = new PawlError('The reader of the stream wants no more of it.', { code: 'CANCELLED' });
      result.reject(stopped);
      if (!hasEnded) run.cancel(stopped);
    }
  }

  return { [Symbol.asyncIterator]: read, result: result.promise };
}
