import { type Clock, hasCode, type Logger } from '@pawl/core';
import type { Schedules } from '../schedules/schedules.ts';
import type { EventHub } from './event-hub.ts';

export interface ScheduleEventsOptions {
  readonly events: EventHub;
  readonly schedules: Pick<Schedules, 'get' | 'scheduler'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Changes of one schedule that are so close are one event, in milliseconds. */
const TOGETHER_MS = 50;

/** Publishes a schedule whenever something about it has changed; `{id, removed: true}` when it is gone. */
export function publishSchedules({ events, schedules, clock, logger }: ScheduleEventsOptions): void {
  const changed = new Set<string>();

  async function publish(): Promise<void> {
    const ids = [...changed];
    changed.clear();
    for (const id of ids) {
      try {
        events.publish('schedule', await schedules.get(id));
      } catch (error) {
        if (hasCode(error, 'SCHEDULE_NOT_FOUND')) events.publish('schedule', { id, removed: true });
        else logger.warn({ err: error }, `What became of the schedule ${id} could not be told.`);
      }
    }
  }

  schedules.scheduler.onAny((_name, payload) => {
    if (!('scheduleId' in payload)) return;
    if (changed.size === 0) clock.setTimer(TOGETHER_MS, () => void publish(), { keepAlive: false });
    changed.add(payload.scheduleId);
  });
}
