import { RUN_STATES } from '@pawl/tasks';
import { z } from 'zod';
import {
  cursorRequest,
  durationRequest,
  nextCursorAnswer,
  queryInteger,
  timeAnswer,
  timeRequest,
} from './conventions.ts';
import { runRequest } from './run-schemas.ts';

// Requests

/** Slots that one answer shows. */
const MAX_PREVIEW = 100;
const DEFAULT_PREVIEW = 10;

const scheduleId = z
  .string()
  .regex(
    /^[a-zA-Z0-9][\w.-]{0,63}$/,
    'letters, digits, `_`, `.` and `-`, at most 64, beginning with a letter or digit',
  );

/** `null` is the same as absent, so that what an answer says can be sent back. */
const timing = {
  cron: z.string().max(200).nullish().describe('Five fields, or six with seconds. Either this or `everyMs`.'),
  everyMs: z.int().min(1_000).max(31_536_000_000).nullish().describe('The interval in milliseconds.'),
  pace: z
    .enum(['fixed-rate', 'fixed-delay'])
    .nullish()
    .describe('With `everyMs`: on a grid, or so long after each end. Default: fixed-rate.'),
  timeZone: z.string().max(64).nullish().describe('A zone of the tz database, for `cron`. Default: UTC.'),
  dstGap: z
    .enum(['next-valid', 'shift', 'skip'])
    .nullish()
    .describe('What becomes of a local time that the clocks jump over.'),
  dstOverlap: z
    .enum(['first', 'second', 'both'])
    .nullish()
    .describe('Which of two passes counts when the clocks show a time twice.'),
  overlap: z
    .enum(['skip', 'queue-one', 'queue-all', 'cancel-running', 'allow'])
    .nullish()
    .describe('What becomes of a slot while a run of the schedule goes on. Default: skip.'),
  maxQueued: z
    .int()
    .min(1)
    .max(10_000)
    .nullish()
    .describe('Slots that `queue-all` keeps waiting. Default: 1000.'),
  misfire: z
    .enum(['skip', 'once', 'all'])
    .nullish()
    .describe('What becomes of slots that nobody was there for. Default: once.'),
  misfireWindowMs: durationRequest(0).nullish().describe('Slots missed longer ago are dropped.'),
  maxCatchUp: z
    .int()
    .min(1)
    .max(1_000)
    .nullish()
    .describe('Slots that `misfire: all` brings back. Default: 100.'),
  jitterMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .nullish()
    .describe('The longest random delay of a slot. Default: 0.'),
  jitterMode: z.enum(['per-schedule', 'per-slot']).nullish(),
  startAt: timeRequest.nullish().describe('No slot before.'),
  endAt: timeRequest.nullish().describe('No slot then or after.'),
  maxRuns: z.int().min(1).max(1_000_000_000).nullish().describe('Slots that get a run; then it has ended.'),
  pauseAfterFailures: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullish()
    .describe('Runs that fail one after another until it is paused.'),
};

const scheduledRun = runRequest.refine(({ idempotencyKey }) => idempotencyKey === undefined, {
  error: 'absent: each slot has its own',
  path: ['idempotencyKey'],
});

/** What runs when, under a name. */
export const scheduleRequest = z.strictObject({
  id: scheduleId,
  ...timing,
  run: scheduledRun.describe('What each slot runs.'),
});
export type ScheduleRequest = z.infer<typeof scheduleRequest>;

/** The same under the name in the address. */
export const scheduleReplacement = z.strictObject({
  id: scheduleId.optional(),
  ...timing,
  run: scheduledRun,
});

/** Its slots are asked for, so that it needs no name and nothing to run. */
export const scheduleDraft = z.strictObject({
  id: scheduleId.optional(),
  ...timing,
  run: z.unknown().optional(),
});
export type ScheduleDraft = z.infer<typeof scheduleDraft>;

export const scheduleParams = z.strictObject({ id: scheduleId });
export const scheduleListQuery = z.strictObject({
  limit: queryInteger(1, 1_000).optional().describe('Default: 100.'),
  cursor: cursorRequest.optional(),
});
export const pauseRequest = z.strictObject({ reason: z.string().min(1).max(500) });
export const previewQuery = z.strictObject({
  count: queryInteger(1, MAX_PREVIEW).optional().describe(`Default: ${DEFAULT_PREVIEW}.`),
});
export const previewRequest = z.strictObject({
  schedule: scheduleDraft,
  count: z.int().min(1).max(MAX_PREVIEW).default(DEFAULT_PREVIEW),
  from: timeRequest.optional().describe('Default: now.'),
});
export const backfillRequest = z.strictObject({
  from: timeRequest.describe('The first moment whose slots are wanted.'),
  to: timeRequest.describe('The first moment whose slots are not wanted; not in the future.'),
  dryRun: z.boolean().default(false).describe('Only counts the slots.'),
  maxConcurrent: z.int().min(1).max(100).default(1).describe('Runs at a time.'),
});

// Answers

const writtenSchedule = z.object({
  id: z.string(),
  cron: z.string().nullable(),
  everyMs: z.int().nullable(),
  pace: z.string().nullable(),
  timeZone: z.string().nullable(),
  dstGap: z.string().nullable(),
  dstOverlap: z.string().nullable(),
  overlap: z.string().nullable(),
  maxQueued: z.int().nullable(),
  misfire: z.string().nullable(),
  misfireWindowMs: z.number().nullable(),
  maxCatchUp: z.int().nullable(),
  jitterMs: z.int().nullable(),
  jitterMode: z.string().nullable(),
  startAt: timeAnswer.nullable(),
  endAt: timeAnswer.nullable(),
  maxRuns: z.int().nullable(),
  pauseAfterFailures: z.int().nullable(),
  run: z.unknown(),
});
export type WrittenSchedule = z.infer<typeof writtenSchedule>;

export const scheduleView = z.object({
  id: z.string(),
  schedule: writtenSchedule.describe('As it was asked for; null where the default counts.'),
  inWords: z.string(),
  nextAt: timeAnswer
    .nullable()
    .describe('When its next run is to start; null when paused, ended or running.'),
  nextNote: z.string().nullable().describe('What a change of the clocks does to it.'),
  skipsAt: timeAnswer.nullable().describe('The slot that somebody asked to leave out.'),
  lastSlotAt: timeAnswer.nullable(),
  running: z.int(),
  waiting: z.int(),
  runs: z.int().describe('Slots that were given a run, ever.'),
  failuresInARow: z.int(),
  pause: z.object({ reason: z.string(), at: timeAnswer, cause: z.enum(['asked', 'failures']) }).nullable(),
  ended: z.boolean().describe('No slot will ever come again.'),
  problem: z
    .object({ at: timeAnswer, message: z.string() })
    .nullable()
    .describe(
      'Why the latest slot got no run, or none yet: its request was refused, it was missed, or the queue is full.',
    ),
  lastRuns: z
    .array(
      z.object({
        runId: z.string(),
        state: z.enum(RUN_STATES),
        at: timeAnswer.describe('When it was submitted.'),
        durationMs: z.number().nullable(),
      }),
    )
    .describe('The latest 30, the latest first.'),
});
export type ScheduleView = z.infer<typeof scheduleView>;

export const schedulePage = z.object({ schedules: z.array(scheduleView), nextCursor: nextCursorAnswer });

const slot = z.object({
  nominalAt: timeAnswer.describe('Its identity.'),
  dueAt: timeAnswer.describe('When it fires: jitter included.'),
  local: z.string().describe('As the clocks of its zone show it.'),
  notes: z.array(z.string()).describe('What changes of the clocks do to it.'),
  skipped: z.boolean().describe('Somebody asked to leave it out.'),
});
export type SlotView = z.infer<typeof slot>;
export const slotList = z.object({ slots: z.array(slot), inWords: z.string() });

export const manualRunAnswer = z.object({
  result: z.enum(['started', 'waiting']).describe('`waiting`: for the end of another run of the schedule.'),
  runId: z.string().nullable().describe('null while it waits.'),
});
export type ManualRunView = z.infer<typeof manualRunAnswer>;

export const backfillAnswer = z.object({
  dryRun: z.boolean(),
  slots: z.int().describe('In the span; those that had their run before get no second one.'),
});
export type BackfillView = z.infer<typeof backfillAnswer>;
