import { createDeferred } from '@pawl/core';
import type { ExecutorPool } from './pool-routes.ts';

/**
 * Who still needs what a run was admitted for: the run itself, and each attempt until no worker executes it any more. A
 * caller who was cancelled or out of time is answered before its worker is done, which has a grace, or has to be killed.
 */
export class WorkerOccupation {
  readonly #onFree: () => void;
  /** The run itself, at first. */
  #occupants = 1;

  /** @param onFree called once, when nobody is left */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  /** One occupant is gone. */
  readonly leave = (): void => {
    this.#occupants -= 1;
    if (this.#occupants === 0) this.#onFree();
  };

  /** Adds an attempt. @param pool where it is; undefined when it is over as soon as its result is there */
  enter(work: Promise<unknown>, runId: string, pool?: ExecutorPool): void {
    this.#occupants += 1;
    work.then(this.leave, () => {
      if (pool?.on === undefined || !isExecuted(pool, runId)) this.leave();
      else void untilReleased(pool, runId).then(this.leave);
    });
  }
}

async function untilReleased(pool: ExecutorPool, runId: string): Promise<void> {
  const released = createDeferred();
  const stopListening = pool.on?.('run:released', (event) => {
    if (event.runId === runId) released.resolve();
  });
  await released.promise;
  stopListening?.();
}

function isExecuted(pool: ExecutorPool, runId: string): boolean {
  return pool.workers?.().some(({ runIds }) => runIds.includes(runId)) ?? false;
}
