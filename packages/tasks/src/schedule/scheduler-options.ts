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
  /**
   * Whether another run may be started now. While it may not, slots that are due are left as they are and asked for
   * again each second; what is late by then is for the misfire policy. Runs that somebody asks for are not held.
   * @default always
   */
  readonly mayFire?: () => boolean | Promise<boolean>;
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

const KEYS: readonly (keyof SchedulerOptions)[] = [
  'fire',
  'mayFire',
  'store',
  'lateMs',
  'recheckMs',
  'clock',
  'logger',
];

/** @throws TypeError, RangeError */
export function resolveSchedulerOptions(options: SchedulerOptions): Required<SchedulerOptions> {
  checkKnownKeys('createScheduler', options, KEYS);
  return {
    fire: checkFunction('fire', options.fire),
    mayFire: checkFunction('mayFire', options.mayFire ?? (() => true)),
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
