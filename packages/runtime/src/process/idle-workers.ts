import type { Clock } from '@pawl/core';
import { createDeadlines } from '../scheduling/deadlines.ts';
import type { Slot } from './worker-slot.ts';

export interface IdleWorkersOptions {
  readonly clock: Clock;
  readonly idleTimeoutMs: number;
  readonly slots: ReadonlySet<Slot>;
  /** It has been idle for the whole timeout. */
  readonly onTooLong: (slot: Slot) => void;
}

/** The workers that wait for runs: how long each has, and that they do not keep this process running. */
export interface IdleWorkers {
  enter(slot: Slot): void;
  leave(slot: Slot): void;
  stop(): void;
}

/** How long an idle worker still keeps the process running: it costs a few system calls to change that. */
const UNREF_AFTER_MS = 20;

export function createIdleWorkers(options: IdleWorkersOptions): IdleWorkers {
  const { clock, slots } = options;
  const deadlines = createDeadlines<Slot>({ clock, keepAlive: false, onDue: options.onTooLong });
  let unrefPending = false;

  function unrefSoon(): void {
    if (unrefPending) return;
    unrefPending = true;
    clock.setTimer(UNREF_AFTER_MS, unrefIdle, { keepAlive: false });
  }

  function unrefIdle(): void {
    unrefPending = false;
    const before = clock.now() - UNREF_AFTER_MS;
    for (const slot of slots) {
      if (slot.state !== 'ready' || !slot.isRef) continue;
      if (slot.busySince > before) unrefSoon();
      else unref(slot);
    }
  }

  return {
    enter(slot) {
      slot.busySince = clock.now();
      slot.dueAt = slot.busySince + options.idleTimeoutMs;
      deadlines.add(slot);
      unrefSoon();
    },
    leave: (slot) => deadlines.remove(slot),
    stop: () => deadlines.stop(),
  };
}

/** It does not keep this process running any more. */
export function unref(slot: Slot): void {
  slot.isRef = false;
  slot.worker.unref();
}
