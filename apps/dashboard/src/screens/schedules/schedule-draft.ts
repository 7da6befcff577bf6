import type { RunRequest } from '../../api/runs.ts';
import type { Schedule, ScheduleTiming } from '../../api/schedules.ts';
import { draftOfRequest, EMPTY_DRAFT, mergeRequest, type RunDraft } from '../../state/run-draft.ts';

/** A schedule as somebody types it. */
export interface ScheduleDraft {
  readonly id: string;
  readonly rhythm: 'cron' | 'every';
  readonly cron: string;
  readonly timeZone: string;
  readonly everyCount: string;
  readonly everyUnit: EveryUnit;
  readonly overlap: string;
  readonly misfire: string;
  readonly jitterSeconds: string;
  readonly pauseAfterFailures: string;
  readonly run: RunDraft;
}

export const UNIT_MS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
export type EveryUnit = keyof typeof UNIT_MS;

/** @param timeZone of the one who types */
export function newDraft(timeZone: string): ScheduleDraft {
  return {
    id: '',
    rhythm: 'cron',
    cron: '30 2 * * *',
    timeZone,
    everyCount: '15',
    everyUnit: 'minutes',
    overlap: 'skip',
    misfire: 'once',
    jitterSeconds: '',
    pauseAfterFailures: '',
    run: EMPTY_DRAFT,
  };
}

export function draftOfSchedule(schedule: Schedule): ScheduleDraft {
  const { id, cron, everyMs, timeZone, overlap, misfire, jitterMs, pauseAfterFailures, run } = schedule;
  const known = newDraft(timeZone ?? 'UTC');
  const unit = (Object.keys(UNIT_MS) as EveryUnit[]).findLast((name) => (everyMs ?? 1) % UNIT_MS[name] === 0);
  const everyUnit = unit ?? 'seconds';
  return {
    ...known,
    id,
    rhythm: typeof everyMs === 'number' ? 'every' : 'cron',
    cron: cron ?? known.cron,
    ...(typeof everyMs === 'number' ? { everyCount: String(everyMs / UNIT_MS[everyUnit]), everyUnit } : {}),
    overlap: overlap ?? known.overlap,
    misfire: misfire ?? known.misfire,
    jitterSeconds: jitterMs ? String(jitterMs / 1_000) : '',
    pauseAfterFailures: pauseAfterFailures ? String(pauseAfterFailures) : '',
    run: draftOfRequest(run),
  };
}

/** What is sent: the draft over what the schedule said before in fields that the form does not have. */
export function scheduleOf(draft: ScheduleDraft, before?: Schedule): Schedule {
  const run: RunRequest = mergeRequest(before?.run ?? {}, draft.run);
  return { ...before, id: draft.id, ...timingOf(draft), run };
}

/** When its slots are due. */
export function timingOf(draft: ScheduleDraft): ScheduleTiming {
  const rhythm =
    draft.rhythm === 'cron'
      ? { cron: draft.cron, timeZone: draft.timeZone, everyMs: null, pace: null }
      : {
          everyMs: Math.round(Number(draft.everyCount) * UNIT_MS[draft.everyUnit]),
          cron: null,
          timeZone: null,
          dstGap: null,
          dstOverlap: null,
        };
  return {
    ...rhythm,
    overlap: draft.overlap,
    misfire: draft.misfire,
    jitterMs: draft.jitterSeconds === '' ? null : Math.round(Number(draft.jitterSeconds) * 1_000),
    pauseAfterFailures: draft.pauseAfterFailures === '' ? null : Number(draft.pauseAfterFailures),
  };
}
