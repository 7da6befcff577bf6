import type { ScheduleEntry } from './schedule-entry.ts';
import type { Pause } from './schedule-store.ts';
import type { Schedule } from './schedule.ts';

/** A schedule as it stands. Instants are milliseconds since the epoch. */
export interface ScheduleStatus {
  readonly schedule: Schedule;
  /** When the next run is to start, jitter included; undefined when paused, ended, or waiting for the end of a run. */
  readonly nextAt: number | undefined;
  /** The slot that will be skipped because somebody asked. */
  readonly skipsAt: number | undefined;
  readonly lastSlotAt: number | undefined;
  readonly running: number;
  readonly waiting: number;
  /** Slots that were given a run, ever. */
  readonly runs: number;
  readonly failuresInARow: number;
  readonly pause: Pause | undefined;
  readonly ended: boolean;
}

export function statusOf(entry: ScheduleEntry): ScheduleStatus {
  const { schedule, state, gate, nextAt, ended } = entry;
  return {
    schedule,
    nextAt,
    skipsAt: state.skipFrom ?? undefined,
    lastSlotAt: state.lastSlotAt ?? undefined,
    running: gate.running.size,
    waiting: gate.waiting,
    runs: state.runs,
    failuresInARow: state.failuresInARow,
    pause: state.pause ?? undefined,
    ended,
  };
}
