import type { ServiceTimes } from '../scheduling/service-times.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { WaitingLine } from './waiting-line.ts';
import type { WorkerSet } from './worker-set.ts';

export interface PoolSizingOptions {
  readonly pool: ResolvedPoolOptions;
  readonly line: WaitingLine;
  readonly times: ServiceTimes;
  readonly workers: WorkerSet;
  /** Runs wait, and no worker may be started for them. */
  readonly onHopeless: (error: Error) => void;
}

/** How many workers there should be. */
export interface PoolSizing {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** How many there should be when there is nothing to do. */
  readonly baseline: number;
  /** Starts what is missing and lets go of what is too many. O(1) when there is nothing to change. */
  adjust(): void;
  /** Fixes the number from now on. */
  fix(workers: number): void;
}

/** What a worker needs to boot, about. A backlog that is gone by then is not worth another. */
const BOOT_MS = 30;

/**
 * Grows at once for work that is slow or not known, and for a backlog that lasts; shrinks by the idle timeout alone: so
 * that bursts of tiny runs do not start a worker for each CPU, and none is let go and started anew in turns.
 */
export function createPoolSizing(options: PoolSizingOptions): PoolSizing {
  const { pool, line, times, workers } = options;
  const { clock, runsPerWorker } = pool;
  let { minWorkers, maxWorkers, spareWorkers } = pool;
  /** Since when runs have been waiting; NaN when none does. */
  let waitingSince = Number.NaN;
  let isLookPending = false;

  function isWorthAnother(waiting: number): boolean {
    if (workers.size === 0) return true;
    const expectedMs = times.expectedMs(line.first?.task ?? '');
    if (Number.isNaN(expectedMs) || (expectedMs * waiting) / workers.size >= BOOT_MS) return true;
    return clock.now() - waitingSince >= BOOT_MS;
  }

  function lookAgain(): void {
    if (isLookPending) return;
    isLookPending = true;
    const look = (): void => {
      isLookPending = false;
      sizing.adjust();
    };
    clock.setTimer(BOOT_MS, look, { keepAlive: false });
  }

  const sizing: PoolSizing = {
    get minWorkers() {
      return minWorkers;
    },
    get maxWorkers() {
      return maxWorkers;
    },
    get baseline() {
      return Math.min(Math.max(minWorkers, spareWorkers), maxWorkers);
    },
    adjust() {
      const waiting = line.size;
      if (waiting === 0) waitingSince = Number.NaN;
      else if (Number.isNaN(waitingSince)) waitingSince = clock.now();
      const { size } = workers;
      if (size === maxWorkers) return;
      if (waiting === 0 && spareWorkers === 0 && size >= minWorkers && size < maxWorkers) return;
      if (size > maxWorkers) workers.shrink(maxWorkers);
      let missing = spareWorkers;
      if (waiting > 0) {
        if (isWorthAnother(waiting)) missing += Math.ceil(waiting / runsPerWorker);
        else lookAgain();
      }
      workers.grow(Math.min(maxWorkers, Math.max(minWorkers, workers.busy + missing)));
      // The last worker may have died of its run while no other may be started.
      const { crashLoop } = workers;
      if (waiting > 0 && crashLoop !== undefined && workers.size === 0) options.onHopeless(crashLoop);
    },
    fix(count) {
      minWorkers = count;
      if (count === 0) spareWorkers = 0;
      else ({ spareWorkers } = pool);
      maxWorkers = Math.max(count, 1);
    },
  };
  return sizing;
}
