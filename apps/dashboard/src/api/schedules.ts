import type { Http } from './http.ts';
import type { RunRequest, RunState } from './runs.ts';

/** When slots are due. Times are ISO 8601; `null` and absent both are the default. */
export interface ScheduleTiming {
  readonly cron?: string | null;
  readonly everyMs?: number | null;
  readonly pace?: string | null;
  readonly timeZone?: string | null;
  readonly dstGap?: string | null;
  readonly dstOverlap?: string | null;
  readonly overlap?: string | null;
  readonly misfire?: string | null;
  readonly jitterMs?: number | null;
  readonly startAt?: string | null;
  readonly endAt?: string | null;
  readonly maxRuns?: number | null;
  readonly pauseAfterFailures?: number | null;
}

export interface Schedule extends ScheduleTiming {
  readonly id: string;
  /** What each slot runs. */
  readonly run: RunRequest;
}

export interface PastRun {
  readonly runId: string;
  readonly state: RunState;
  readonly at: string;
  readonly durationMs: number | null;
}

export interface ScheduleView {
  readonly id: string;
  readonly schedule: Schedule;
  readonly inWords: string;
  readonly nextAt: string | null;
  /** What a change of the clocks does to the next slot. */
  readonly nextNote: string | null;
  readonly skipsAt: string | null;
  readonly lastSlotAt: string | null;
  readonly running: number;
  readonly waiting: number;
  readonly runs: number;
  readonly failuresInARow: number;
  readonly pause: { readonly reason: string; readonly at: string; readonly cause: string } | null;
  readonly ended: boolean;
  /** Why the latest slot got no run, or none yet. */
  readonly problem: { readonly at: string; readonly message: string } | null;
  /** The latest first. */
  readonly lastRuns: readonly PastRun[];
}

export interface Slot {
  readonly nominalAt: string;
  readonly dueAt: string;
  /** As the schedule's zone shows it. */
  readonly local: string;
  readonly notes: readonly string[];
  /** Somebody asked to leave it out. */
  readonly skipped: boolean;
}

export interface SchedulePreview {
  readonly slots: readonly Slot[];
  readonly inWords: string;
}

export interface BackfillAnswer {
  readonly dryRun: boolean;
  /** In the span; those that had their run before get no second one. */
  readonly slots: number;
}

export interface ManualRun {
  /** `waiting`: for the end of another run of the schedule. */
  readonly result: 'started' | 'waiting';
  readonly runId: string | null;
}

export interface SchedulesApi {
  list(signal?: AbortSignal): Promise<readonly ScheduleView[]>;
  get(id: string, signal?: AbortSignal): Promise<ScheduleView>;
  create(schedule: Schedule): Promise<ScheduleView>;
  replace(id: string, schedule: Schedule): Promise<ScheduleView>;
  delete(id: string): Promise<void>;
  pause(id: string, reason: string): Promise<ScheduleView>;
  resume(id: string): Promise<ScheduleView>;
  runNow(id: string): Promise<ManualRun>;
  skipNext(id: string): Promise<ScheduleView>;
  unskip(id: string): Promise<ScheduleView>;
  backfill(id: string, span: { from: string; to: string; dryRun: boolean }): Promise<BackfillAnswer>;
  /** The next slots of a schedule that need not exist. */
  preview(timing: ScheduleTiming, count: number, signal?: AbortSignal): Promise<SchedulePreview>;
  next(id: string, count: number, signal?: AbortSignal): Promise<readonly Slot[]>;
}

const pathOf = (id: string): string => `/v1/schedules/${encodeURIComponent(id)}`;

export function createSchedulesApi(http: Http): SchedulesApi {
  return {
    async list(signal) {
      const all: ScheduleView[] = [];
      let cursor: string | null = null;
      do {
        const page: { schedules: readonly ScheduleView[]; nextCursor?: string | null } = await http.json(
          'GET',
          '/v1/schedules',
          { query: { cursor }, signal },
        );
        all.push(...page.schedules);
        cursor = page.nextCursor ?? null;
      } while (cursor !== null);
      return all;
    },
    get: async (id, signal) => http.json('GET', pathOf(id), { signal }),
    create: async (body) => http.json('POST', '/v1/schedules', { body }),
    replace: async (id, body) => http.json('PUT', pathOf(id), { body }),
    delete: async (id) => http.json('DELETE', pathOf(id)),
    pause: async (id, reason) => http.json('POST', `${pathOf(id)}/pause`, { body: { reason } }),
    resume: async (id) => http.json('POST', `${pathOf(id)}/resume`, { body: {} }),
    runNow: async (id) => http.json('POST', `${pathOf(id)}/run`, { body: {} }),
    skipNext: async (id) => http.json('POST', `${pathOf(id)}/skip-next`, { body: {} }),
    unskip: async (id) => http.json('DELETE', `${pathOf(id)}/skip-next`),
    backfill: async (id, body) => http.json('POST', `${pathOf(id)}/backfill`, { body }),
    preview: async (schedule, count, signal) =>
      http.json('POST', '/v1/schedules/preview', { body: { schedule, count }, signal }),
    async next(id, count, signal) {
      const path = `${pathOf(id)}/preview`;
      const answer = await http.json<{ slots: readonly Slot[] }>('GET', path, { query: { count }, signal });
      return answer.slots;
    },
  };
}
