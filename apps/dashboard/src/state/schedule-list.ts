import { useEffect } from 'preact/hooks';
import { isEnded } from '../api/runs.ts';
import type { ScheduleView } from '../api/schedules.ts';
import { useApp } from './app.ts';
import { type Resource, useResource } from './resource.ts';

/** At most one reading in this time, however often schedules change. */
const AGAIN_MS = 1_000;

/** Calls `reload` some time after schedules changed, or a run of one ended. */
export function useScheduleChanges(reload: () => void): void {
  const { live } = useApp();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        reload();
      }, AGAIN_MS);
    };
    const endSchedules = live.onSchedules(later);
    const endRuns = live.onRuns((runs) => {
      if (runs.some((run) => isEnded(run.state) && run.schedule !== null)) later();
    });
    return () => {
      clearTimeout(timer);
      endSchedules();
      endRuns();
    };
  }, [live, reload]);
}

/** All schedules, read again when one of them changes. */
export function useSchedules(): Resource<readonly ScheduleView[]> {
  const { api } = useApp();
  const schedules = useResource(async (signal) => api.schedules.list(signal), []);
  useScheduleChanges(schedules.reload);
  return schedules;
}
