import type { Schedule } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { RunRequest } from '../api/run-schemas.ts';
import type { ScheduleDraft, WrittenSchedule } from '../api/schedule-schemas.ts';

/** A request as the scheduler takes it: what is null there is absent here, and the run is the payload. */
export function toSchedule({ id = 'draft', run, ...timing }: ScheduleDraft): Schedule {
  const given = Object.entries(timing).filter(([, value]) => value !== null && value !== undefined);
  return { id, ...Object.fromEntries(given), payload: run };
}

/** A schedule as answers have it, which can be sent back as a request. */
export function toWrittenSchedule(schedule: Schedule): WrittenSchedule {
  const { startAt, endAt, payload } = schedule;
  return {
    id: schedule.id,
    cron: schedule.cron ?? null,
    everyMs: schedule.everyMs ?? null,
    pace: schedule.pace ?? null,
    timeZone: schedule.timeZone ?? null,
    dstGap: schedule.dstGap ?? null,
    dstOverlap: schedule.dstOverlap ?? null,
    overlap: schedule.overlap ?? null,
    maxQueued: schedule.maxQueued ?? null,
    misfire: schedule.misfire ?? null,
    misfireWindowMs: schedule.misfireWindowMs ?? null,
    maxCatchUp: schedule.maxCatchUp ?? null,
    jitterMs: schedule.jitterMs ?? null,
    jitterMode: schedule.jitterMode ?? null,
    startAt: toIso(startAt),
    endAt: toIso(endAt),
    maxRuns: schedule.maxRuns ?? null,
    pauseAfterFailures: schedule.pauseAfterFailures ?? null,
    run: payload,
  };
}

/** What the slots of a stored schedule run. */
export function runOf({ payload }: Pick<Schedule, 'payload'>): RunRequest {
  return payload as RunRequest;
}
