import type { Clock } from '@pawl/core';
import type { Slot } from './worker-slot.ts';

export interface StallWatchOptions {
  readonly clock: Clock;
  readonly slots: () => Iterable<Slot>;
  /** What waits in this worker has waited too long. */
  readonly onStall: (slot: Slot) => void;
}

/** Finds workers that keep runs waiting which were sent ahead. Its timer runs only while there are such runs. */
export interface StallWatch {
  /** A run was sent ahead. */
  start(): void;
}

/**
 * A worker that gave no answer between two looks is stalled, so a run waits for twice as long at most. The clock alone
 * would not do: after a pause of this process its timers fire before the answers that came meanwhile are read.
 */
const LOOK_EVERY_MS = 3;

export function createStallWatch({ clock, slots, onStall }: StallWatchOptions): StallWatch {
  let isPending = false;

  function start(): void {
    if (isPending) return;
    isPending = true;
    clock.setTimer(LOOK_EVERY_MS, look, { keepAlive: false });
  }

  function look(): void {
    isPending = false;
    for (const slot of slots()) {
      if (slot.ahead.length === 0 || slot.stalled) continue;
      if (slot.answered === slot.answeredBefore) onStall(slot);
      else {
        slot.answeredBefore = slot.answered;
        start();
      }
    }
  }

  return { start };
}
