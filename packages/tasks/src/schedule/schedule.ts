import { checkDurationMs, checkInteger, checkKnownKeys, checkOneOf, checkString } from '@pawl/core';
import type { OverlapPolicy } from './overlap.ts';
import { overlapPolicies } from './overlap.ts';
import { type MisfirePolicy, misfirePolicies } from './misfire.ts';

/** What becomes of a local time that the clocks jump over. */
export type DstGapPolicy = (typeof dstGapPolicies)[number];
/** Which of the two passes counts when the clocks show a local time twice. */
export type DstOverlapPolicy = (typeof dstOverlapPolicies)[number];
/** From what the distance of an interval counts. */
export type IntervalPace = (typeof paces)[number];
/** Whose the random delay is: the schedule's, the same for all its slots, or each slot's own. */
export type JitterMode = (typeof jitterModes)[number];

const dstGapPolicies = ['next-valid', 'shift', 'skip'] as const;
const dstOverlapPolicies = ['first', 'second', 'both'] as const;
const paces = ['fixed-rate', 'fixed-delay'] as const;
const jitterModes = ['per-schedule', 'per-slot'] as const;

/** When a slot comes due, what becomes of it, and what it stands for. Plain data: it survives JSON. */
export interface Schedule {
  /** Names it in the store. */
  readonly id: string;
  /** Five cron fields, or six with seconds. Either this or `everyMs`. */
  readonly cron?: string;
  /** The interval in whole milliseconds. */
  readonly everyMs?: number;
  /**
   * With `everyMs`: `fixed-rate` puts slots on the grid `startAt + n × everyMs`, where an absent `startAt` is the
   * epoch, so that 15 minutes mean :00, :15, :30 and :45 on every host. `fixed-delay` runs at once, and then
   * `everyMs` after each end.
   * @default 'fixed-rate'
   */
  readonly pace?: IntervalPace;
  /** A zone of the tz database, for `cron`. @default 'UTC' */
  readonly timeZone?: string;
  /**
   * A local time that does not exist because the clocks go forward: `next-valid` is the moment they have jumped,
   * `shift` is as long after the jump as it would have been, `skip` leaves it out. Times of a day that is missing as
   * a whole are always left out.
   * @default 'next-valid' for times of day; 'skip' when seconds, minutes or hours hold `*` or `/`
   */
  readonly dstGap?: DstGapPolicy;
  /**
   * A local time that exists twice because the clocks go back.
   * @default 'first' for times of day; 'both' when seconds, minutes or hours hold `*` or `/`
   */
  readonly dstOverlap?: DstOverlapPolicy;
  /** What becomes of a slot that is due while a run of this schedule goes on. @default 'skip' */
  readonly overlap?: OverlapPolicy;
  /** Slots that `queue-all` keeps waiting; more are skipped. @default 1000 */
  readonly maxQueued?: number;
  /** What becomes of slots nobody was there for: the host was down, asleep, or the schedule paused. @default 'once' */
  readonly misfire?: MisfirePolicy;
  /** Slots missed longer ago than this are dropped, in milliseconds. @default Infinity */
  readonly misfireWindowMs?: number;
  /** Slots that `misfire: 'all'` brings back, the latest ones. @default 100 */
  readonly maxCatchUp?: number;
  /** The longest random delay of a slot, in whole milliseconds. @default 0 */
  readonly jitterMs?: number;
  /** Both modes are reproducible: the delay is drawn from the `id`, and the slot. @default 'per-schedule' */
  readonly jitterMode?: JitterMode;
  /** No slot before this instant, in milliseconds since the epoch. */
  readonly startAt?: number;
  /** No slot at or after this instant. */
  readonly endAt?: number;
  /** Slots that are given a run; then the schedule has ended. @default Infinity */
  readonly maxRuns?: number;
  /** Runs that fail one after another until the schedule is paused. @default Infinity */
  readonly pauseAfterFailures?: number;
  /** Handed to the run. Must survive JSON if the store is a durable one. */
  readonly payload?: unknown;
}

/** A schedule without gaps. */
export interface ResolvedSchedule {
  readonly id: string;
  readonly cron: string | undefined;
  /** 0 with `cron`. */
  readonly everyMs: number;
  readonly pace: IntervalPace;
  readonly timeZone: string;
  readonly dstGap: DstGapPolicy | undefined;
  readonly dstOverlap: DstOverlapPolicy | undefined;
  readonly overlap: OverlapPolicy;
  readonly maxQueued: number;
  readonly misfire: MisfirePolicy;
  readonly misfireWindowMs: number;
  readonly maxCatchUp: number;
  readonly jitterMs: number;
  readonly jitterMode: JitterMode;
  readonly startAt: number;
  readonly endAt: number;
  readonly maxRuns: number;
  readonly pauseAfterFailures: number;
  readonly payload: unknown;
}

const KEYS: readonly (keyof Schedule)[] = [
  'id',
  'cron',
  'everyMs',
  'pace',
  'timeZone',
  'dstGap',
  'dstOverlap',
  'overlap',
  'maxQueued',
  'misfire',
  'misfireWindowMs',
  'maxCatchUp',
  'jitterMs',
  'jitterMode',
  'startAt',
  'endAt',
  'maxRuns',
  'pauseAfterFailures',
  'payload',
];

const forever = { infinite: true };

/** Checks all but the cron expression and the zone, which {@link createSlotSource} does; fills in the defaults. */
export function resolveSchedule(schedule: Schedule): ResolvedSchedule {
  checkKnownKeys('the schedule', schedule, KEYS);
  const { cron, everyMs } = schedule;
  if ((cron === undefined) === (everyMs === undefined)) {
    const got = cron === undefined ? 'neither' : 'both';
    throw new TypeError(`Expected a schedule with either \`cron\` or \`everyMs\`, got ${got}.`);
  }
  for (const name of ['timeZone', 'dstGap', 'dstOverlap'] as const) {
    if (everyMs !== undefined && schedule[name] !== undefined) refuse(name, 'cron');
  }
  if (cron !== undefined && schedule.pace !== undefined) refuse('pace', 'everyMs');
  const startAt = schedule.startAt === undefined ? -Infinity : checkInteger('startAt', schedule.startAt);
  const endAt = schedule.endAt === undefined ? Infinity : checkInteger('endAt', schedule.endAt);
  if (startAt >= endAt) {
    throw new RangeError(`Expected \`startAt\` (${startAt}) to be below \`endAt\` (${endAt}).`);
  }
  return {
    id: checkString('id', schedule.id),
    cron: cron === undefined ? undefined : checkString('cron', cron),
    everyMs: everyMs === undefined ? 0 : checkInteger('everyMs', everyMs, { min: 1 }),
    pace: checkOneOf('pace', schedule.pace ?? 'fixed-rate', paces),
    timeZone: checkString('timeZone', schedule.timeZone ?? 'UTC'),
    dstGap: schedule.dstGap && checkOneOf('dstGap', schedule.dstGap, dstGapPolicies),
    dstOverlap: schedule.dstOverlap && checkOneOf('dstOverlap', schedule.dstOverlap, dstOverlapPolicies),
    overlap: checkOneOf('overlap', schedule.overlap ?? 'skip', overlapPolicies),
    maxQueued: checkInteger('maxQueued', schedule.maxQueued ?? 1_000, { min: 1 }),
    misfire: checkOneOf('misfire', schedule.misfire ?? 'once', misfirePolicies),
    misfireWindowMs: checkDurationMs('misfireWindowMs', schedule.misfireWindowMs ?? Infinity, forever),
    maxCatchUp: checkInteger('maxCatchUp', schedule.maxCatchUp ?? 100, { min: 1 }),
    jitterMs: checkInteger('jitterMs', schedule.jitterMs ?? 0, { min: 0 }),
    jitterMode: checkOneOf('jitterMode', schedule.jitterMode ?? 'per-schedule', jitterModes),
    startAt,
    endAt,
    maxRuns: checkInteger('maxRuns', schedule.maxRuns ?? Infinity, { min: 1, infinite: true }),
    pauseAfterFailures: checkInteger('pauseAfterFailures', schedule.pauseAfterFailures ?? Infinity, {
      min: 1,
      infinite: true,
    }),
    payload: schedule.payload,
  };
}

function refuse(name: keyof Schedule, needed: keyof Schedule): never {
  throw new TypeError(`Expected \`${name}\` only together with \`${needed}\`.`);
}

/** What decides when slots are due; two schedules that agree in it have the same slots. */
export function timingOf(schedule: ResolvedSchedule): string {
  const { id, cron, everyMs, pace, timeZone, dstGap, dstOverlap, startAt, endAt } = schedule;
  // Infinity would become null in JSON.
  return [id, cron, everyMs, pace, timeZone, dstGap, dstOverlap, startAt, endAt].map(String).join('\0');
}

/** Without the fields that mean nothing, because JSON can't hold them. */
export function plainSchedule(schedule: Schedule): Schedule {
  return Object.fromEntries(
    Object.entries(schedule).filter(([, value]) => value !== undefined && value !== Infinity),
  ) as unknown as Schedule;
}
