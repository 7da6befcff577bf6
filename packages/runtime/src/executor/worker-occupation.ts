import { type Clock, sleep } from '@pawl/core';
import type { ExecutorPool } from './pool-routes.ts';

/** A pool does not tell when a worker is done with a run that was given up: it is asked this often, in milliseconds. */
const ASK_MS = 50;

/**
 * Resolves when an attempt has ended and no worker of the pool executes the run any more. A caller who was cancelled
 * or out of time is answered before its worker is, which has a grace, or has to be killed.
 */
export async function whenWorkerIsDone(
  work: Promise<unknown>,
  pool: ExecutorPool,
  runId: string,
  clock: Clock,
): Promise<void> {
  try {
    await work;
  } catch {
    // Looked at by whoever waits for the result.
    while (isExecuted(pool, runId)) await sleep(clock, ASK_MS);
  }
}

function isExecuted(pool: ExecutorPool, runId: string): boolean {
  return pool.workers?.().some(({ runIds }) => runIds.includes(runId)) ?? false;
}
