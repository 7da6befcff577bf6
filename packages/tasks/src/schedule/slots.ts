import { createCronSlots } from './cron-slots.ts';
import { parseCron } from './cron.ts';
import { type ResolvedSchedule, resolveSchedule, type Schedule } from './schedule.ts';
import { createTimeZone, type TimeZone } from './time-zone.ts';

/** One time at which a schedule is due. Its nominal instant is its identity. */
export interface Slot {
  /** Milliseconds since the epoch, without jitter. */
  readonly nominalAt: number;
  /** What changes of the clocks did to it, in words. */
  readonly notes: readonly string[];
}

/** The slots of a schedule, whatever has happened to them. */
export interface SlotSource {
  /** The first slot at or after an instant, or undefined when there is none. */
  firstFrom(from: number): Slot | undefined;
  /** An instant as the schedule's zone shows it. */
  format(at: number): string;
}

/** Finds the time zone of a name. @throws RangeError when there is none */
export type ZoneFinder = (name: string) => TimeZone;

/** Makes each zone once: making one takes long, and much memory. */
export function createZoneCache(): ZoneFinder {
  const zones = new Map<string, TimeZone>();
  return (name) => {
    const zone = zones.get(name) ?? createTimeZone(name);
    zones.set(name, zone);
    return zone;
  };
}

/** @throws TypeError, RangeError for a wrong cron expression or zone */
export function createSlotSource(
  schedule: ResolvedSchedule,
  findZone: ZoneFinder = createTimeZone,
): SlotSource {
  const { startAt, endAt } = schedule;
  const zone = findZone(schedule.timeZone);
  const firstFrom =
    schedule.cron === undefined
      ? (from: number) => ({ nominalAt: nextOnGrid(schedule, from), notes: [] })
      : createCronSlots(parseCron(schedule.cron), zone, schedule);
  return {
    firstFrom(from) {
      const slot = firstFrom(Math.max(from, startAt));
      return slot === undefined || slot.nominalAt >= endAt ? undefined : slot;
    },
    format: (at) => zone.format(at),
  };
}

function nextOnGrid({ everyMs, pace, startAt }: ResolvedSchedule, from: number): number {
  if (pace === 'fixed-delay') return Math.ceil(from);
  const anchor = startAt === -Infinity ? 0 : startAt;
  return anchor + Math.ceil((from - anchor) / everyMs) * everyMs;
}

/** A schedule that was checked, with its slots. */
export interface CompiledSchedule {
  readonly schedule: Schedule;
  readonly resolved: ResolvedSchedule;
  readonly source: SlotSource;
}

/** @throws TypeError, RangeError for a wrong schedule */
export function compileSchedule(schedule: Schedule, findZone?: ZoneFinder): CompiledSchedule {
  const resolved = resolveSchedule(schedule);
  return { schedule, resolved, source: createSlotSource(resolved, findZone) };
}
