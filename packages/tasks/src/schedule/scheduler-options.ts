import {
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  type Clock,
  type Logger,
  PawlError,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { createMemoryScheduleStore } from './memory-schedule-store.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { FireSlot } from './slot-runs.ts';

export interface SchedulerOptions {
  /** The work of all schedules: starts what `run.scheduleId` and `run.payload` name. */
  readonly fire: FireSlot;
  /** Where schedules are kept. @default createMemoryScheduleStore() */
  readonly store?: ScheduleStore;
  /** A slot that is later than this was missed, and the misfire policy decides; in milliseconds. @default 5000 */
  readonly lateMs?: number;
  /** How often the wall clock is looked at while a slot is to come, in milliseconds. @default 30000 */
  readonly recheckMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** @throws TypeError, RangeError */
export function resolveSchedulerOptions(options: SchedulerOptions): Required<SchedulerOptions> {
  checkKnownKeys('createScheduler', options, ['fire', 'store', 'lateMs', 'recheckMs', 'clock', 'logger']);
  return {
    fire: checkFunction('fire', options.fire),
    store: options.store ?? createMemoryScheduleStore(),
    lateMs: checkDurationMs('lateMs', options.lateMs ?? 5_000),
    recheckMs: checkDurationMs('recheckMs', options.recheckMs ?? 30_000, { min: 1 }),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** No schedule has this id. */
export class ScheduleNotFoundError extends PawlError {
  declare readonly code: 'SCHEDULE_NOT_FOUND';
  readonly scheduleId: string;

  constructor(scheduleId: string) {
    super(`There is no schedule "${scheduleId}".`, { code: 'SCHEDULE_NOT_FOUND' });
    this.scheduleId = scheduleId;
  }
}
