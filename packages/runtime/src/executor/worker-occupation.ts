import { createDeferred } from '@pawl/core';
import type { ExecutorPool } from './pool-routes.ts';

/**
 * Resolves when an attempt has ended and no worker of the pool executes the run any more. A caller who was cancelled
 * or out of time is answered before its worker is, which has a grace, or has to be killed.
 */
export async function whenWorkerIsDone(
  work: Promise<unknown>,
  pool: ExecutorPool,
  runId: string,
): Promise<void> {
  try {
    await work;
  } catch {
    // Looked at by whoever waits for the result.
    if (pool.on === undefined || !isExecuted(pool, runId)) return;
    const released = createDeferred();
    const stopListening = pool.on('run:released', (event) => {
      if (event.runId === runId) released.resolve();
    });
    await released.promise;
    stopListening();
  }
}

function isExecuted(pool: ExecutorPool, runId: string): boolean {
  return pool.workers?.().some(({ runIds }) => runIds.includes(runId)) ?? false;
}
