/** An iterator, as a generator function returns it. */
export type ChunkIterator =
  | Iterator<unknown, unknown, undefined>
  | AsyncIterator<unknown, unknown, undefined>;

/** Whether a task returned an iterator to be streamed, and not a value such as an array. */
export function isChunkIterator(value: unknown): value is ChunkIterator {
  if (typeof value !== 'object' || value === null || !('next' in value)) return false;
  return typeof value.next === 'function' && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Emits what the iterator yields, one after the other. @returns what it returns at its end */
export async function sendChunks(
  iterator: ChunkIterator,
  emit: (chunk: unknown) => Promise<void>,
): Promise<unknown> {
  for (;;) {
    const step = await iterator.next();
    if (step.done === true) return step.value;
    try {
      await emit(await step.value);
    } catch (error) {
      // Its `finally` blocks run, as in a loop that is left.
      await iterator.return?.(undefined);
      throw error;
    }
  }
}
