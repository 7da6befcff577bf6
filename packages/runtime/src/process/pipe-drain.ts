import type { Readable } from 'node:stream';
import { type Clock, createDeferred } from '@pawl/core';

/** How long the pipes of a dead process are read: a grandchild that holds one open must not delay anyone. */
const PIPE_DRAIN_MS = 250;

/** Resolves when all that a process left in its pipes was read, and `others` have settled, or 250 ms later. */
export async function drainPipes(
  readables: readonly (Readable | null)[],
  others: readonly Promise<unknown>[],
  clock: Clock,
): Promise<void> {
  const limit = createDeferred();
  const timer = clock.setTimer(PIPE_DRAIN_MS, limit.resolve);
  await Promise.race([Promise.all([...others, ...readables.map(streamEnd)]), limit.promise]);
  timer.cancel();
}

function streamEnd(readable: Readable | null): Promise<void> {
  if (readable === null || readable.readableEnded || readable.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    readable.once('end', resolve);
    readable.once('close', resolve);
  });
}
