import type { EventSource } from '@pawl/core';
import type { Run, RunTracker, TrackerEvents } from '@pawl/tasks';

/** Runs that are shown of a schedule. */
const MAX_RUNS = 30;

/** What is shown of one of them. */
export type PastRun = Pick<Run, 'id' | 'state' | 'createdAt' | 'startedAt' | 'endedAt'>;

/** The latest runs of each schedule. The store is asked again only after one of them has changed. */
export interface ScheduleHistory {
  /** The latest first. */
  runs(scheduleId: string): Promise<readonly PastRun[]>;
}

/** Follows a tracker. */
export function createScheduleHistory(
  tracker: Pick<RunTracker, 'list'> & EventSource<TrackerEvents>,
): ScheduleHistory {
  const known = new Map<string, Promise<readonly PastRun[]>>();

  function forget({ run: { schedule } }: { readonly run: Run }): void {
    if (schedule !== undefined) known.delete(schedule);
  }
  tracker.on('run:submitted', forget);
  tracker.on('attempt:started', forget);
  tracker.on('run:requeued', forget);
  tracker.on('run:ended', forget);
  tracker.on('runs:removed', () => known.clear());

  async function read(schedule: string): Promise<readonly PastRun[]> {
    const { runs } = await tracker.list({ schedule, limit: MAX_RUNS });
    // Inputs and results may be long.
    return runs.map(({ id, state, createdAt, startedAt, endedAt }) => ({
      id,
      state,
      createdAt,
      startedAt,
      endedAt,
    }));
  }

  return {
    async runs(scheduleId) {
      let runs = known.get(scheduleId);
      if (runs === undefined) {
        runs = read(scheduleId);
        known.set(scheduleId, runs);
        runs.catch(() => known.delete(scheduleId));
      }
      return runs;
    },
  };
}
