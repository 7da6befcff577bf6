import type { CronTimes } from './cron.ts';
import type { ResolvedSchedule } from './schedule.ts';
import type { Slot } from './slots.ts';
import { type TimeZone, toDate, type ZoneSegment } from './time-zone.ts';

const DAY_MS = 86_400_000;
/** Where the search ends, as croner's does. */
const YEAR_9999 = 253_370_764_800_000;

/**
 * Lays wall times on the time line of a zone. Within a segment of even clocks the two run side by side, so that a
 * rhythm like `0,30 * * * *` keeps its pace by itself: nothing in a gap, twice in a repeated hour. The policies then say what
 * becomes of the wall times that fall in the gap, and which pass of a repeated one counts.
 */
export function createCronSlots(
  times: CronTimes,
  zone: TimeZone,
  schedule: Pick<ResolvedSchedule, 'dstGap' | 'dstOverlap'>,
): (from: number) => Slot | undefined {
  const gapPolicy = schedule.dstGap ?? (times.isTimeOfDay ? 'next-valid' : 'skip');
  const overlapPolicy = schedule.dstOverlap ?? (times.isTimeOfDay ? 'first' : 'both');

  /** The wall times that the jump at the segment's start leaves out: the first at or after `from`, if there is one. */
  function missingFrom(segment: ZoneSegment, from: number): number | undefined {
    const missing = times.firstFrom(Math.max(from, segment.start + segment.offsetBeforeMs));
    return missing !== undefined && missing < segment.start + segment.offsetMs ? missing : undefined;
  }

  function gapNote(segment: ZoneSegment, missing: number, result: string): string {
    const day = dayText(missing);
    if (missingFrom(segment, missing + 1) === undefined && missingFrom(segment, -Infinity) === missing) {
      return `${timeText(missing)} does not exist on ${day}: ${result} by policy.`;
    }
    const first = timeText(segment.start + segment.offsetBeforeMs);
    const end = timeText(segment.start + segment.offsetMs);
    return `${first} to ${end} does not exist on ${day}: ${result} by policy.`;
  }

  /** A slot that stands for a wall time in the gap before the segment. */
  function gapSlot(segment: ZoneSegment, from: number): Slot | undefined {
    const { start, offsetMs, offsetBeforeMs } = segment;
    const gapMs = offsetMs - offsetBeforeMs;
    if (gapMs <= 0 || gapMs >= DAY_MS || gapPolicy === 'skip') return undefined;
    if (gapPolicy === 'next-valid' && from > start) return undefined;
    const missing = missingFrom(segment, from + offsetBeforeMs);
    if (missing === undefined) return undefined;
    const nominalAt = gapPolicy === 'next-valid' ? start : missing - offsetBeforeMs;
    return { nominalAt, notes: [gapNote(segment, missing, timeText(nominalAt + offsetMs))] };
  }

  /** A slot at a wall time that the segment's clocks show. */
  function ordinarySlot(segment: ZoneSegment, from: number): Slot | undefined {
    const { start, end, offsetMs, offsetBeforeMs, offsetAfterMs } = segment;
    // Wall times below this were shown before the clocks went back.
    const repeatsUntil = start + offsetBeforeMs;
    // Wall times from this one on will be shown once more.
    const shownAgainFrom = end + offsetAfterMs;
    const wallFrom = Math.max(from, start) + offsetMs;
    const wall = times.firstFrom(overlapPolicy === 'first' ? Math.max(wallFrom, repeatsUntil) : wallFrom);
    if (wall === undefined || wall >= end + offsetMs) return undefined;
    if (overlapPolicy === 'second' && wall >= shownAgainFrom) return undefined;
    const pass = wall < repeatsUntil ? 'second' : 'first';
    const isRepeated = wall < repeatsUntil || wall >= shownAgainFrom;
    const notes = isRepeated ? [overlapNote(wall, pass)] : [];
    return { nominalAt: wall - offsetMs, notes };
  }

  function overlapNote(wall: number, pass: string): string {
    const chosen =
      overlapPolicy === 'both' ? `both times by policy, this is the ${pass}` : `the ${pass} by policy`;
    return `${timeText(wall)} comes twice on ${dayText(wall)}: ${chosen}.`;
  }

  /** What the policy leaves out at the start of the segment, told with the slot that comes next. */
  function omissions(segment: ZoneSegment): readonly string[] {
    const gapMs = segment.offsetMs - segment.offsetBeforeMs;
    if (gapMs <= 0 || (gapPolicy !== 'skip' && gapMs < DAY_MS)) return [];
    const missing = missingFrom(segment, -Infinity);
    return missing === undefined ? [] : [gapNote(segment, missing, 'skipped')];
  }

  return (from) => {
    const omitted: string[] = [];
    for (let at = from; at < YEAR_9999;) {
      const segment = zone.segmentAt(at);
      if (at <= segment.start) omitted.push(...omissions(segment));
      const slot = earlier(gapSlot(segment, at), ordinarySlot(segment, at));
      if (slot !== undefined)
        return omitted.length === 0 ? slot : { ...slot, notes: [...omitted, ...slot.notes] };
      at = segment.end;
    }
    return undefined;
  };
}

/** The earlier of two slots; at the same instant they are one. */
function earlier(a: Slot | undefined, b: Slot | undefined): Slot | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.nominalAt === b.nominalAt) return { nominalAt: a.nominalAt, notes: [...a.notes, ...b.notes] };
  return a.nominalAt < b.nominalAt ? a : b;
}

/** "02:30", with seconds only when there are some. */
function timeText(wall: number): string {
  const text = toDate(wall).toISOString().slice(11, 19);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });

/** "8 March". */
function dayText(wall: number): string {
  return dayFormat.format(wall);
}
