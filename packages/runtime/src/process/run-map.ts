import {
  checkBoolean,
  checkInteger,
  createDeferred,
  ownOptions,
  expectedMessage,
  linkAbort,
  PawlError,
} from '@pawl/core';
import { resolveRunOptions, type RunOptions } from './run-options.ts';

export interface MapOptions extends RunOptions {
  /** Inputs that are taken and whose results are not yet read, at most. @default 4 for each run the pool may execute at once */
  readonly concurrency?: number | undefined;
  /** Whether results come in the order of the inputs, or as they are there. @default true */
  readonly ordered?: boolean | undefined;
}

/** A result on its way: in order of inputs, or of arrival. */
type Settled<Result> =
  | { readonly ok: true; readonly value: Result }
  | { readonly ok: false; readonly error: unknown };

/**
 * Runs a task for each input and gives the results, a bounded number ahead of the reader. The first failure ends it, at
 * its place, and so does a reader that leaves: the runs under way are cancelled, and no more inputs are taken.
 * @throws TypeError, RangeError for wrong options, at once
 */
export function mapRuns<Input, Result>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  options: MapOptions,
  defaultConcurrency: number,
  run: (input: Input, how: RunOptions) => Promise<Result>,
): AsyncIterable<Result> {
  const { concurrency, ordered = true, ...forRuns } = ownOptions(options);
  const limit = checkInteger('concurrency', concurrency ?? defaultConcurrency, { min: 1 });
  checkBoolean('ordered', ordered);
  const how = resolveRunOptions(forRuns);
  const iterate = iteratorOf(inputs);

  async function* results(): AsyncGenerator<Result, void, undefined> {
    using link = linkAbort(how.signal);
    const iterator = iterate();
    const pending: (Settled<Result> | undefined)[] = [];
    let taken = 0;
    let given = 0;
    let isExhausted = false;
    let isPulling = false;
    let wake = createDeferred();

    const put = (index: number, settled: Settled<Result>): void => {
      if (ordered) pending[index - given] = settled;
      else pending.push(settled);
      wake.resolve();
    };

    /** Takes inputs while there is room, one after another: a slow source does not hold up results. */
    async function pull(): Promise<void> {
      isPulling = true;
      try {
        while (!isExhausted && taken - given < limit && !link.signal.aborted) {
          const next = await iterator.next();
          if (next.done === true) {
            isExhausted = true;
            break;
          }
          const index = taken;
          taken += 1;
          if (ordered) pending.push(undefined);
          run(next.value, { ...how, signal: link.signal }).then(
            (value) => put(index, { ok: true, value }),
            (error: unknown) => put(index, { ok: false, error }),
          );
        }
      } catch (error) {
        // What the source throws comes where its next input would have been.
        isExhausted = true;
        const index = taken;
        taken += 1;
        if (ordered) pending.push(undefined);
        put(index, { ok: false, error });
      }
      isPulling = false;
      wake.resolve();
    }

    try {
      for (;;) {
        if (!isPulling && !isExhausted && taken - given < limit) void pull();
        const [settled] = pending;
        if (settled !== undefined) {
          pending.shift();
          given += 1;
          if (!settled.ok) throw settled.error;
          yield settled.value;
        } else if (isExhausted && given === taken) return;
        else {
          await wake.promise;
          wake = createDeferred();
        }
      }
    } finally {
      link.abort(new PawlError('The reader of the results wants no more of them.', { code: 'CANCELLED' }));
      if (!isExhausted) await iterator.return?.();
    }
  }

  return { [Symbol.asyncIterator]: results };
}

/** @throws TypeError when it can't be iterated */
function iteratorOf<Input>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
): () => Iterator<Input> | AsyncIterator<Input> {
  if (typeof inputs === 'object' && inputs !== null) {
    if (Symbol.asyncIterator in inputs) return () => inputs[Symbol.asyncIterator]();
    if (Symbol.iterator in inputs) return () => inputs[Symbol.iterator]();
  }
  throw new TypeError(expectedMessage('inputs', 'an iterable or async iterable', inputs));
}
