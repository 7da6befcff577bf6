import { slotDelay } from './jitter.ts';
import type { ResolvedSchedule } from './schedule.ts';
import type { Slot, SlotSource } from './slots.ts';

/**
 * What becomes of missed slots: `skip` forgets them, `once` runs the latest of them unless another one is due just
 * now, `all` runs the latest `maxCatchUp` one after another, or all at once when they may overlap.
 */
export type MisfirePolicy = (typeof misfirePolicies)[number];

export const misfirePolicies = ['skip', 'once', 'all'] as const;

/** Missed slots are counted up to this; a second's schedule after a year would have 30 million. */
const MAX_COUNTED = 1_000;

/** What to do with the slots that have come due. */
export interface DuePlan {
  /** Those that were missed and are brought back, oldest first. */
  readonly catchUp: readonly Slot[];
  /** Those that are due now, oldest first. */
  readonly onTime: readonly Slot[];
  /** All that were missed, those included that are brought back; undefined when none was. */
  readonly missed: { readonly count: number; readonly firstAt: number; readonly lastAt: number } | undefined;
}

export interface DueSpan {
  /** Slots after this instant have not been dealt with. */
  readonly after: number;
  readonly now: number;
  /** A slot is missed when it is later than this. */
  readonly lateMs: number;
}

/** Sorts the due slots of a schedule into those on time, those to catch up with and those to drop. */
export function planDueSlots(schedule: ResolvedSchedule, source: SlotSource, span: DueSpan): DuePlan {
  const all = walk(schedule, source, span, MAX_COUNTED);
  if (all.missed.length < MAX_COUNTED) return { ...planOf(schedule, all, span), missed: summary(all.missed) };
  // Far too many to look at each: all that matters now lies at the end.
  const latest = walkBack(schedule, source, span);
  const missed = summary([...all.missed, ...latest.missed]);
  return { ...planOf(schedule, latest, span), missed: missed && { ...missed, count: MAX_COUNTED } };
}

interface Walk {
  readonly missed: readonly Slot[];
  readonly onTime: readonly Slot[];
}

/** The due slots after `span.after` in order, until `maxMissed` were missed. */
function walk(
  schedule: ResolvedSchedule,
  source: SlotSource,
  { after, now, lateMs }: DueSpan,
  maxMissed: number,
): Walk {
  const missed: Slot[] = [];
  const onTime: Slot[] = [];
  for (let from = after + 1; missed.length < maxMissed;) {
    const slot = source.firstFrom(from);
    if (slot === undefined) break;
    const dueAt = slot.nominalAt + slotDelay(schedule, slot.nominalAt);
    if (dueAt > now) break;
    // What follows a slot on time is on time too, whatever its jitter: slots stay in order.
    if (onTime.length === 0 && dueAt < now - lateMs) missed.push(slot);
    else onTime.push(slot);
    from = slot.nominalAt + 1;
  }
  return { missed, onTime };
}

/** Looks back from now, further and further, until it has as many missed slots as may be caught up with. */
function walkBack(schedule: ResolvedSchedule, source: SlotSource, span: DueSpan): Walk {
  const enough = schedule.misfire === 'all' ? schedule.maxCatchUp : 1;
  for (let reachMs = span.lateMs + schedule.jitterMs + 1_000; ; reachMs *= 2) {
    const after = Math.max(span.after, span.now - reachMs);
    const found = walk(schedule, source, { ...span, after }, Infinity);
    if (found.missed.length >= enough || after === span.after) return found;
  }
}

function planOf(
  schedule: ResolvedSchedule,
  { missed, onTime }: Walk,
  { now }: DueSpan,
): Omit<DuePlan, 'missed'> {
  const { misfire, misfireWindowMs, maxCatchUp } = schedule;
  const recent = missed.filter((slot) => slot.nominalAt >= now - misfireWindowMs);
  const once = onTime.length > 0 ? [] : recent.slice(-1);
  return { catchUp: { skip: [], once, all: recent.slice(-maxCatchUp) }[misfire], onTime };
}

function summary(missed: readonly Slot[]): DuePlan['missed'] {
  const [first] = missed;
  const last = missed.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return { count: missed.length, firstAt: first.nominalAt, lastAt: last.nominalAt };
}
