import type { ResolvedPoolOptions } from './pool-options.ts';
import type { WorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';

export interface WorkerRecyclingOptions {
  readonly pool: ResolvedPoolOptions;
  readonly workers: WorkerSet;
  /** Whether the place of a worker that leaves would be filled again. */
  readonly isNeeded: () => boolean;
}

/** Replaces workers that have lived long enough, by age or runs: the new one is ready before the old one goes. */
export interface WorkerRecycling {
  /** A worker is ready for its first run. */
  watch(slot: Slot): void;
  /** It was sent a run. */
  noteRun(slot: Slot): void;
}

export function createWorkerRecycling(options: WorkerRecyclingOptions): WorkerRecycling {
  const { pool, workers, isNeeded } = options;
  const { clock, random, recycleJitter, maxRunsPerWorker, maxWorkerAgeMs } = pool;

  /** A share of the limit that is cut off by chance, so that workers that started together leave apart. */
  const cut = (limit: number): number => limit * recycleJitter * random();

  function setAge(slot: Slot, ageMs: number): void {
    if (ageMs === Infinity) return;
    const recycle = (): void => {
      workers.replace(slot, 'age');
      // Its replacement may fail to start; then it is tried anew.
      setAge(slot, pool.restartWithinMs);
    };
    slot.ageTimer = clock.setTimer(ageMs, recycle, { keepAlive: false });
  }

  return {
    watch(slot) {
      setAge(slot, maxWorkerAgeMs === Infinity ? Infinity : maxWorkerAgeMs - cut(maxWorkerAgeMs));
      if (maxRunsPerWorker !== Infinity) slot.replaceAtRunsLeft = Math.floor(cut(maxRunsPerWorker));
    },
    noteRun(slot) {
      // What serves one run is hidden by spare workers: twice as many processes would be the price of this.
      if (slot.runsLeft > slot.replaceAtRunsLeft || maxRunsPerWorker === 1) return;
      if (isNeeded()) workers.replace(slot, 'runs');
    },
  };
}
