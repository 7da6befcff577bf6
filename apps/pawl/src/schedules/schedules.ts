import type { Clock, Logger, Service, StopOptions, StopReport } from '@pawl/core';
import {
  createScheduler,
  describeSchedule,
  type OverlapReason,
  type RunTracker,
  type Schedule,
  ScheduleNotFoundError,
  type Scheduler,
  type ScheduleStatus,
  type ScheduleStore,
} from '@pawl/tasks';
import type { RunRequest } from '../api/run-schemas.ts';
import type {
  BackfillView,
  ManualRunView,
  ScheduleDraft,
  ScheduleRequest,
  ScheduleView,
  SlotView,
} from '../api/schedule-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { type BackfillSpan, createScheduleBackfills } from './schedule-backfills.ts';
import { createScheduleHistory } from './schedule-history.ts';
import { runOf, toSchedule } from './schedule-requests.ts';
import { createScheduleViews, previewSlots } from './schedule-views.ts';
import { createSlotProblems } from './slot-problems.ts';
import { createSlotSubmission } from './slot-submission.ts';

export interface SlotPreview {
  readonly slots: readonly SlotView[];
  readonly inWords: string;
}

/** Schedules whose slots are tracked runs, in the words of the HTTP service. All but `list` throw ScheduleNotFoundError. */
export interface Schedules extends Service {
  /** For its events. */
  readonly scheduler: Scheduler;
  /** By id; those after `cursor`. */
  list(page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<{
    readonly schedules: readonly ScheduleView[];
    readonly nextCursor: string | null;
  }>;
  get(id: string): Promise<ScheduleView>;
  /** @throws HttpError 409 when there is one of this id, 422 when it can't be used */
  create(request: ScheduleRequest): Promise<ScheduleView>;
  /** Creates or changes it; how far it has come is kept. @throws HttpError 422 */
  replace(request: ScheduleRequest): Promise<{ readonly schedule: ScheduleView; readonly created: boolean }>;
  remove(id: string): Promise<void>;
  pause(id: string, reason: string): Promise<ScheduleView>;
  resume(id: string): Promise<ScheduleView>;
  /** @throws HttpError 409 when there is no slot to skip */
  skipNext(id: string): Promise<ScheduleView>;
  undoSkip(id: string): Promise<ScheduleView>;
  /** Resolves when the run is stored, or waits. @throws HttpError 409 when the overlap policy has no place for it */
  runNow(id: string): Promise<ManualRunView>;
  /** Answers when the slots are counted; their runs go on. @throws HttpError 409, 422 */
  backfill(id: string, span: BackfillSpan): Promise<BackfillView>;
  preview(id: string, count: number): Promise<SlotPreview>;
  /** Of a schedule that need not exist. @throws HttpError 422 */
  previewDraft(draft: ScheduleDraft, from: number | undefined, count: number): SlotPreview;
}

export interface SchedulesOptions {
  readonly store: ScheduleStore;
  readonly tracker: Pick<RunTracker, 'counts' | 'list' | 'wait' | 'cancel' | 'on' | 'onAny'>;
  /** As many runs may be queued; `Infinity` is no limit. Slots that are due wait while there are so many. */
  readonly maxQueued: number;
  /** Stores a run of a schedule and gives its id, until `stop` has resolved. @throws when the request is refused */
  readonly submit: (request: RunRequest, scheduleId: string) => Promise<string>;
  /** What is kept of a request: checked, and without secrets in clear. @throws when it is refused */
  readonly toStored: (request: RunRequest) => Promise<RunRequest>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_SCHEDULES = 10_000;
/** Manual runs whose submission somebody may still wait for. */
const MAX_MANUAL = 100;

const NO_PLACE: Readonly<Record<OverlapReason, string>> = {
  'still-running': 'a run of it goes on',
  'one-waits-already': 'one waits already',
  'queue-full': 'as many wait as may',
  superseded: 'a later one took its place',
};

export function createSchedules(options: SchedulesOptions): Schedules {
  const { store, tracker, maxQueued, clock, logger } = options;
  const history = createScheduleHistory(tracker);
  const views = createScheduleViews();
  const problems = createSlotProblems({ maxQueued, clock, logger });
  const manual = new Map<string, Promise<string>>();
  /** Those that are under way: their slots are claimed, so that nobody else will give them a run. */
  const submissions = new Set<Promise<unknown>>();

  const fire = createSlotSubmission({
    tracker,
    submit: (request, slot) => {
      const submitted = options.submit(request, slot.scheduleId);
      const settled = submitted.catch(() => undefined).finally(() => submissions.delete(settled));
      submissions.add(settled);
      if (slot.trigger === 'manual') {
        manual.set(slot.key, submitted);
        const [oldest] = manual.keys();
        if (manual.size > MAX_MANUAL && oldest !== undefined) manual.delete(oldest);
      }
      return submitted;
    },
    mayOverlap: (id) => scheduler.get(id)?.schedule.overlap === 'allow',
    onSubmitted: ({ scheduleId }) => problems.forget(scheduleId),
    onHeld: ({ scheduleId }) => problems.noteHeld(scheduleId),
    onRefused: ({ scheduleId }, error) => problems.noteRefused(scheduleId, error),
    clock,
  });
  const scheduler = createScheduler({
    fire,
    mayFire: async () => maxQueued === Infinity || (await tracker.counts()).queued < maxQueued,
    store,
    clock,
    logger,
  });
  problems.follow(scheduler);
  const backfills = createScheduleBackfills({ scheduler, clock, logger });

  async function viewOf(status: ScheduleStatus): Promise<ScheduleView> {
    const { id } = status.schedule;
    return views.view(status, {
      problem: problems.of(id),
      lastRuns: await history.runs(id),
      now: clock.wallTime(),
    });
  }

  function find(id: string): ScheduleStatus {
    const status = scheduler.get(id);
    if (status === undefined) throw new ScheduleNotFoundError(id);
    return status;
  }

  async function save(request: ScheduleRequest): Promise<ScheduleView> {
    const schedule = usable(() => {
      const given = toSchedule(request);
      // Cron expression and zone are checked before anything else is.
      previewSlots(given, clock.wallTime(), 1);
      return given;
    });
    const stored: Schedule = { ...schedule, payload: await options.toStored(runOf(schedule)) };
    problems.forget(request.id);
    return viewOf(await scheduler.save(stored));
  }

  async function create(request: ScheduleRequest): Promise<ScheduleView> {
    if (scheduler.get(request.id) !== undefined) {
      throw new HttpError(409, 'SCHEDULE_EXISTS', `There is a schedule ${request.id} already.`, [
        { field: 'id', message: `Expected \`id\` to be one that no schedule has, got \`${request.id}\`.` },
      ]);
    }
    if (scheduler.list().length >= MAX_SCHEDULES) {
      throw new HttpError(
        409,
        'TOO_MANY_SCHEDULES',
        `There are ${MAX_SCHEDULES} schedules, which is the most.`,
      );
    }
    return save(request);
  }

  async function stop(stopOptions?: StopOptions): Promise<StopReport> {
    const report = await scheduler.stop(stopOptions);
    await Promise.all(submissions);
    return report;
  }

  return {
    scheduler,
    get state() {
      return scheduler.state;
    },
    start: () => scheduler.start(),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },

    async list({ limit, cursor = '' }) {
      const all = scheduler.list().filter(({ schedule }) => schedule.id > cursor);
      const page = all.slice(0, limit);
      return {
        schedules: await Promise.all(page.map(viewOf)),
        nextCursor: all.length > limit ? (page.at(-1)?.schedule.id ?? null) : null,
      };
    },
    get: async (id) => viewOf(find(id)),
    create,
    async replace(request) {
      const created = scheduler.get(request.id) === undefined;
      return { schedule: await (created ? create(request) : save(request)), created };
    },
    async remove(id) {
      find(id);
      await scheduler.remove(id);
      problems.forget(id);
    },
    pause: async (id, reason) => viewOf(await scheduler.pause(id, reason)),
    resume: async (id) => viewOf(await scheduler.resume(id)),
    async skipNext(id) {
      if ((await scheduler.skipNext(id)) !== undefined) return viewOf(find(id));
      throw new HttpError(409, 'NOTHING_TO_SKIP', `The schedule ${id} has no slot to come.`);
    },
    async undoSkip(id) {
      await scheduler.undoSkip(id);
      return viewOf(find(id));
    },
    async runNow(id) {
      const { key, result } = await scheduler.runNow(id);
      if (result === 'waiting') return { result, runId: null };
      if (result !== 'started') {
        throw new HttpError(
          409,
          'SCHEDULE_BUSY',
          `The schedule ${id} can't be run now: ${NO_PLACE[result]}.`,
        );
      }
      const submitted = manual.get(key);
      manual.delete(key);
      return { result, runId: (await submitted) ?? null };
    },
    backfill: async (id, span) => backfills.start(find(id).schedule, span),
    async preview(id, count) {
      const { schedule, skipsAt, runs } = find(id);
      const wanted = Math.min(count, (schedule.maxRuns ?? Infinity) - runs);
      const slots = wanted <= 0 ? [] : previewSlots(schedule, clock.wallTime(), wanted, skipsAt);
      return { slots, inWords: describeSchedule(schedule) };
    },
    previewDraft(draft, from, count) {
      return usable(() => {
        const schedule = toSchedule(draft);
        const slots = previewSlots(schedule, from ?? clock.wallTime(), count);
        return { slots, inWords: describeSchedule(schedule) };
      });
    },
  };
}

/** A schedule that is well-formed and can't be used is the client's fault. */
function usable<T>(fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    // Other errors are ours.
    const isWrong = error instanceof TypeError || error instanceof RangeError;
    if (!isWrong || !error.message.startsWith('Expected ')) throw error;
    const field = /`(\w+)`/.exec(error.message)?.[1] ?? 'schedule';
    throw new HttpError(422, 'SCHEDULE_INVALID', error.message, [{ field, message: error.message }]);
  }
}
