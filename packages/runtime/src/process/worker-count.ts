import { createDurationHistogram, type DurationHistogram } from './duration-histogram.ts';
import type { WorkerStats } from './pool-stats.ts';
import type { Slot } from './worker-slot.ts';
import type { WorkerState } from './worker-state.ts';

/** How many workers there are, and how long they took to boot and to stop. */
export interface WorkerCount {
  /** Those that count: starting, ready or busy, alive, and no replacement that waits for its place. */
  readonly size: number;
  /** Those of them that have a run. */
  readonly busy: number;
  readonly boots: DurationHistogram;
  readonly stops: DurationHistogram;
  /** A worker ended without being asked to. */
  noteCrash(): void;
  /** Call it when a slot may have begun or ceased to count. */
  recount(): void;
  stats(): WorkerStats;
}

export function createWorkerCount(slots: ReadonlySet<Slot>): WorkerCount {
  const boots = createDurationHistogram();
  const stops = createDurationHistogram();
  /** -1 after something has changed that it depends on. */
  let counted = -1;
  let crashed = 0;

  function size(): number {
    if (counted === -1) {
      counted = 0;
      for (const slot of slots) if (slot.counts) counted += 1;
    }
    return counted;
  }

  const inState = (state: WorkerState): number =>
    [...slots].filter((slot) => slot.shownState === state).length;

  return {
    get size() {
      return size();
    },
    get busy() {
      let busy = 0;
      for (const slot of slots) if (slot.state === 'busy' && slot.counts) busy += 1;
      return busy;
    },
    boots,
    stops,
    noteCrash() {
      crashed += 1;
    },
    recount() {
      counted = -1;
    },
    stats() {
      counted = -1;
      return {
        size: size(),
        workers: {
          starting: inState('starting'),
          ready: inState('ready'),
          busy: inState('busy'),
          draining: inState('draining'),
          unresponsive: inState('unresponsive'),
          stopped: inState('stopped'),
          failed: inState('failed'),
        },
        crashed,
        bootMs: boots.summary(),
        stopMs: stops.summary(),
      };
    },
  };
}
