import { checkString, ownOptions } from '@pawl/core';
import type { ChunkSink, PoolRun } from './pool-run.ts';
import { type MapOptions, mapRuns } from './run-map.ts';
import { resolveRunOptions, type RunOptions } from './run-options.ts';
import { createRunStream, type RunStream, type StreamOptions } from './run-stream.ts';

export interface RunEntryOptions {
  readonly submit: (task: string, input: unknown, how: RunOptions, chunks?: ChunkSink) => PoolRun;
  readonly cancel: (run: PoolRun, reason: unknown) => void;
  /** How many runs of a map are under way when it does not say. */
  readonly mapConcurrency: () => number;
}

/** The ways in which users ask for runs: one, one with chunks, one for each of many inputs. Checks what they say. */
export interface RunEntry {
  readonly run: (task: string, input?: unknown, how?: RunOptions) => Promise<unknown>;
  readonly stream: (task: string, input?: unknown, how?: StreamOptions) => RunStream<unknown, unknown>;
  readonly map: (
    task: string,
    inputs: Iterable<unknown> | AsyncIterable<unknown>,
    how?: MapOptions,
  ) => AsyncIterable<unknown>;
}

const NO_OPTIONS: RunOptions = Object.freeze(ownOptions({}));

export function createRunEntry({ submit, cancel, mapConcurrency }: RunEntryOptions): RunEntry {
  return {
    run(task, input, how = NO_OPTIONS) {
      try {
        checkString('task', task);
        return submit(task, input, how === NO_OPTIONS ? how : resolveRunOptions(how)).promise;
      } catch (error) {
        return Promise.reject(error);
      }
    },
    stream(task, input, how = {}) {
      checkString('task', task);
      return createRunStream(how, (runOptions, sink) => {
        const streamed = submit(task, input, runOptions, sink);
        return {
          promise: streamed.promise,
          grant(n) {
            if (streamed.call !== undefined) streamed.slot?.worker.grantCredit(streamed.call, n);
          },
          cancel: (reason) => cancel(streamed, reason),
        };
      });
    },
    map(task, inputs, how = {}) {
      checkString('task', task);
      return mapRuns(
        inputs,
        how,
        mapConcurrency(),
        (input, runOptions) => submit(task, input, runOptions).promise,
      );
    },
  };
}
