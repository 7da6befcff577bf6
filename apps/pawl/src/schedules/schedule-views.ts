import { describeSchedule, preview, type Schedule, type ScheduleStatus } from '@pawl/tasks';
import { toIso } from '../api/conventions.ts';
import type { ScheduleView, SlotView } from '../api/schedule-schemas.ts';
import type { PastRun } from './schedule-history.ts';
import { toWrittenSchedule } from './schedule-requests.ts';
import type { SlotProblem } from './slot-problems.ts';

export interface ScheduleSurroundings {
  readonly problem: SlotProblem | undefined;
  readonly lastRuns: readonly PastRun[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Makes the views of schedules. What only the definition decides is worked out once. */
export interface ScheduleViews {
  view(status: ScheduleStatus, surroundings: ScheduleSurroundings): ScheduleView;
}

interface Texts {
  readonly inWords: string;
  nextAt: number | undefined;
  note: string | null;
}

export function createScheduleViews(): ScheduleViews {
  const texts = new WeakMap<Schedule, Texts>();

  function textsOf({ schedule, nextAt }: ScheduleStatus): Texts {
    let known = texts.get(schedule);
    if (known === undefined) {
      known = { inWords: describeSchedule(schedule), nextAt: undefined, note: null };
      texts.set(schedule, known);
    }
    if (known.nextAt !== nextAt) {
      known.nextAt = nextAt;
      known.note = nextAt === undefined ? null : noteOf(schedule, nextAt);
    }
    return known;
  }

  return {
    view(status, { problem, lastRuns, now }) {
      const { schedule, pause } = status;
      const { inWords, note } = textsOf(status);
      return {
        id: schedule.id,
        schedule: toWrittenSchedule(schedule),
        inWords,
        nextAt: toIso(status.nextAt),
        nextNote: note,
        skipsAt: toIso(status.skipsAt),
        lastSlotAt: toIso(status.lastSlotAt),
        running: status.running,
        waiting: status.waiting,
        runs: status.runs,
        failuresInARow: status.failuresInARow,
        pause: pause === undefined ? null : { ...pause, at: toIso(pause.at) },
        ended: status.ended,
        problem: problem === undefined ? null : { at: toIso(problem.at), message: problem.message },
        lastRuns: lastRuns.map(({ id, state, createdAt, startedAt, endedAt }) => ({
          runId: id,
          state,
          at: toIso(createdAt),
          durationMs: startedAt === undefined ? null : Math.max(0, (endedAt ?? now) - startedAt),
        })),
      };
    },
  };
}

/** The coming slots of a schedule. @throws TypeError, RangeError for a wrong one */
export function previewSlots(
  schedule: Schedule,
  from: number,
  count: number,
  skipsAt?: number,
): readonly SlotView[] {
  return preview(schedule, from, count).map(({ nominalAt, dueAt, local, notes }) => ({
    nominalAt: toIso(nominalAt),
    dueAt: toIso(dueAt),
    local,
    notes: [...notes],
    skipped: nominalAt === skipsAt,
  }));
}

/** What a change of the clocks does to the slot that is due then. */
function noteOf({ maxRuns: _all, ...schedule }: Schedule, dueAt: number): string | null {
  const slots = preview(schedule, dueAt - (schedule.jitterMs ?? 0), 100);
  const notes = slots.find((slot) => slot.dueAt === dueAt)?.notes ?? [];
  return notes.length === 0 ? null : notes.join(' ');
}
