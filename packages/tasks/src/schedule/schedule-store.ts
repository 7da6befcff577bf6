import type { Schedule } from './schedule.ts';

/** Why a schedule fires no more until it is resumed. */
export interface Pause {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Somebody asked for it, or too many runs failed. */
  readonly cause: 'asked' | 'failures';
}

/** How far a schedule has come. All instants are milliseconds since the epoch. Plain data: it survives JSON. */
export interface ScheduleState {
  readonly createdAt: number;
  /** Slots up to this instant have been dealt with: run, skipped or dropped. */
  readonly handledUntil: number;
  /** The latest slot that was given a run. */
  readonly lastSlotAt: number | null;
  /** When the latest run ended. */
  readonly lastEndedAt: number | null;
  /** Slots that were given a run. */
  readonly runs: number;
  /** Runs of slots that failed since the last one that succeeded. */
  readonly failuresInARow: number;
  readonly pause: Pause | null;
  /** The first slot at or after this instant is to be skipped. */
  readonly skipFrom: number | null;
}

/** How far a schedule is that begins now; a slot at this very moment counts. */
export function freshState(now: number): ScheduleState {
  return {
    createdAt: now,
    handledUntil: now - 1,
    lastSlotAt: null,
    lastEndedAt: null,
    runs: 0,
    failuresInARow: 0,
    pause: null,
    skipFrom: null,
  };
}

export interface ScheduleRecord {
  readonly schedule: Schedule;
  readonly state: ScheduleState;
}

/**
 * Where schedules are kept. Each method is one transaction; what a durable store has answered is on the disk.
 * `scheduleStoreContract` of `@pawl/tasks/testing` checks an implementation.
 */
export interface ScheduleStore {
  /** Creates the schedule, or replaces it with its state. The slots that were claimed stay so. */
  save(record: ScheduleRecord): Promise<void>;
  load(id: string): Promise<ScheduleRecord | undefined>;
  /** All schedules, ordered by id. */
  list(): Promise<readonly ScheduleRecord[]>;
  /** Changes the given parts of the state. Does nothing when there is no such schedule. */
  update(id: string, changes: Partial<ScheduleState>): Promise<void>;
  /** Forgets the schedule and its slots. @returns whether there was one */
  remove(id: string): Promise<boolean>;
  /**
   * Takes the slot of an existing schedule, for good: of any number of calls for the same slot, by whatever host and
   * after whatever crash, one alone is told `true`. The latest 1000 slots of a schedule at least are remembered.
   * @returns false also when there is no such schedule
   */
  claimSlot(id: string, nominalAt: number): Promise<boolean>;
}
