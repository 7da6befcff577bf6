import type { Clock, Emitter } from '@pawl/core';
import { ScheduleEntry } from './schedule-entry.ts';
import type { ScheduleState, ScheduleStore } from './schedule-store.ts';
import type { SchedulerEvents, SlotSkipReason, SlotTrigger } from './scheduler-events.ts';
import {
  createPendingRun,
  type PendingRun,
  type SlotEnd,
  type SlotRun,
  type SlotRuns,
  supersededError,
} from './slot-runs.ts';
import type { CompiledSchedule, Slot } from './slots.ts';
import { toDate } from './time-zone.ts';

/** How soon a slot is tried again that was held, or that the store could not claim. */
export const RETRY_MS = 1_000;

export interface SlotDispatcherOptions {
  readonly store: ScheduleStore;
  readonly clock: Clock;
  readonly emitter: Emitter<SchedulerEvents>;
  readonly runs: SlotRuns;
  /** Whether new runs may start. */
  readonly isActive: () => boolean;
  /** Whether another may just now. */
  readonly mayFire: () => boolean | Promise<boolean>;
  /** A run of a slot is over; the entry's state has changed in `changes`. */
  readonly onSlotEnd: (entry: ScheduleEntry, changes: Partial<ScheduleState>) => void;
}

/** One look at the wall clock. */
export interface Look {
  readonly now: number;
  readonly lateMs: number;
}

/** Takes the slots that are due from their schedules, and gives each of them one run. */
export interface SlotDispatcher {
  createEntry(compiled: CompiledSchedule, state: ScheduleState): ScheduleEntry;
  /** Sees to the slots that are due by the look's `now`; those later than its `lateMs` were missed. */
  dispatch(entry: ScheduleEntry, look: Look): Promise<void>;
  /** Drops what waits. */
  clear(entry: ScheduleEntry, reason: SlotSkipReason): void;
  /** Writes the changes of an entry's state down. A store that fails is told of; nothing else depends on it. */
  persist(entry: ScheduleEntry, changes: Partial<ScheduleState>): Promise<void>;
}

export function createSlotDispatcher(options: SlotDispatcherOptions): SlotDispatcher {
  const { store, clock, emitter, runs } = options;
  /** The slot of each that was held last. */
  const held = new WeakMap<ScheduleEntry, number>();

  function createEntry(compiled: CompiledSchedule, state: ScheduleState): ScheduleEntry {
    const entry: ScheduleEntry = new ScheduleEntry(compiled, state, clock, {
      start: (run) => {
        void runs.start(run).then((end) => {
          const changes = isOfSlot(run) ? closeRun(entry, end) : undefined;
          entry.gate.ended(run);
          if (changes !== undefined) options.onSlotEnd(entry, changes);
        });
      },
      cancel: (run) => run.cancel(supersededError(run.key)),
      onDropped: (run, reason) => drop(entry, run, reason),
    });
    return entry;
  }

  function closeRun(entry: ScheduleEntry, { status }: SlotEnd): Partial<ScheduleState> {
    const { failuresInARow } = entry.state;
    const failures = { succeeded: 0, failed: failuresInARow + 1, cancelled: failuresInARow }[status];
    const changes = { lastEndedAt: clock.wallTime(), failuresInARow: failures };
    entry.closed(changes);
    return changes;
  }

  function skip(entry: ScheduleEntry, nominalAt: number, reason: SlotSkipReason): void {
    emitter.emit('slot:skipped', { scheduleId: entry.schedule.id, nominalAt, reason });
  }

  function drop(entry: ScheduleEntry, run: PendingRun, reason: SlotSkipReason): void {
    if (isOfSlot(run)) entry.closed();
    skip(entry, run.nominalAt, reason);
  }

  async function dispatch(entry: ScheduleEntry, look: Look): Promise<void> {
    if (entry.rewind()) {
      const { handledUntil, lastEndedAt } = entry.state;
      await persist(entry, { handledUntil, lastEndedAt });
    }
    const plan = entry.plan(look.now, look.lateMs);
    if (plan === undefined) return;
    const { catchUp, onTime, missed } = plan;
    const [first] = [...catchUp, ...onTime];
    try {
      if (first !== undefined && (await isHeld(entry, first))) return;
      if (missed !== undefined) {
        emitter.emit('slots:missed', { scheduleId: entry.schedule.id, ...missed, caughtUp: catchUp.length });
        // Those to catch up with are the latest, so that handling them settles the ones before.
        if (catchUp.length === 0) await persist(entry, entry.handled(missed.lastAt));
      }
      for (const slot of catchUp) {
        if (slot !== first && (await isHeld(entry, slot))) return;
        await give(entry, slot, 'catch-up');
      }
      for (const slot of onTime) {
        if (slot !== first && (await isHeld(entry, slot))) return;
        await give(entry, slot, 'schedule');
      }
    } catch (error) {
      emitter.emit('store:failed', { scheduleId: entry.schedule.id, error });
      entry.holdOff(RETRY_MS);
    }
  }

  /** Whether no run may start now: then the slot is not claimed, and comes back as if it had just been found. */
  async function isHeld(entry: ScheduleEntry, { nominalAt }: Slot): Promise<boolean> {
    if (await options.mayFire()) return false;
    if (held.get(entry) !== nominalAt) {
      held.set(entry, nominalAt);
      emitter.emit('slot:held', { scheduleId: entry.schedule.id, nominalAt });
    }
    entry.holdOff(RETRY_MS);
    return true;
  }

  /** Gives a slot its run. The claim comes first: whoever has it decides what becomes of the slot. */
  async function give(entry: ScheduleEntry, slot: Slot, trigger: SlotTrigger): Promise<void> {
    if (!options.isActive() || !entry.mayRun) return;
    const { nominalAt } = slot;
    const { id } = entry.schedule;
    const isClaimed = await store.claimSlot(id, nominalAt);
    const reason = entry.isSkipped(slot) ? 'asked' : 'already-claimed';
    let changes = entry.handled(nominalAt);
    if (!isClaimed || reason === 'asked') skip(entry, nominalAt, reason);
    else {
      const run = createPendingRun({
        ...slotRunInfo(id, nominalAt, trigger),
        payload: entry.schedule.payload,
      });
      const result = entry.gate.offer(run, trigger === 'catch-up' ? entry.catchUpRules : entry.resolved);
      if (result === 'started' || result === 'waiting') changes = { ...changes, ...entry.opened(slot) };
      else skip(entry, nominalAt, result);
    }
    await persist(entry, changes);
  }

  async function persist(entry: ScheduleEntry, changes: Partial<ScheduleState>): Promise<void> {
    try {
      await store.update(entry.schedule.id, changes);
    } catch (error) {
      emitter.emit('store:failed', { scheduleId: entry.schedule.id, error });
    }
  }

  return {
    createEntry,
    dispatch,
    clear(entry, reason) {
      held.delete(entry);
      for (const run of entry.gate.clear()) drop(entry, run, reason);
    },
    persist,
  };
}

/** The identity of a slot's run. */
export function slotRunInfo(
  scheduleId: string,
  nominalAt: number,
  trigger: SlotTrigger,
): Omit<SlotRun, 'payload' | 'signal'> {
  return { scheduleId, nominalAt, trigger, key: `${scheduleId}@${toDate(nominalAt).toISOString()}` };
}

function isOfSlot({ trigger }: PendingRun): boolean {
  return trigger === 'schedule' || trigger === 'catch-up';
}
