import type { Clock, Logger } from '@pawl/core';
import type { Schedule, Scheduler } from '@pawl/tasks';
import type { BackfillView } from '../api/schedule-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { countSlots } from './slot-count.ts';

export interface BackfillSpan {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly maxConcurrent: number;
  /** Only counts. */
  readonly dryRun: boolean;
}

/** Gives slots of the past their runs, at most one span of a schedule at a time. */
export interface ScheduleBackfills {
  /** Answers when the slots are counted; their runs go on. @throws HttpError 409, 422 */
  start(schedule: Schedule, span: BackfillSpan): Promise<BackfillView>;
}

export interface ScheduleBackfillsOptions {
  readonly scheduler: Pick<Scheduler, 'backfill'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MAX_SLOTS = 10_000;

export function createScheduleBackfills({
  scheduler,
  clock,
  logger,
}: ScheduleBackfillsOptions): ScheduleBackfills {
  const running = new Set<string>();

  async function run(id: string, span: Omit<BackfillSpan, 'dryRun'>): Promise<void> {
    running.add(id);
    try {
      const report = await scheduler.backfill(id, span);
      logger.info({ schedule: id, ...report }, `The backfill of the schedule ${id} is done.`);
    } catch (error) {
      logger.error({ err: error, schedule: id }, `The backfill of the schedule ${id} failed.`);
    } finally {
      running.delete(id);
    }
  }

  return {
    async start(schedule, { dryRun, ...span }) {
      const { id } = schedule;
      if (span.to > clock.wallTime())
        throw refused('to', 'in the past: slots to come get their runs by themselves');
      if (span.from > span.to) throw refused('from', 'at or before `to`');
      if (schedule.pace === 'fixed-delay') {
        throw refused(
          'from',
          'of a schedule on a grid: one that counts from the end of each run has no past slots',
        );
      }
      const slots = await countSlots(schedule, span, MAX_SLOTS + 1);
      if (slots > MAX_SLOTS) throw refused('from', `later: the span has more than ${MAX_SLOTS} slots`);
      if (!dryRun) {
        if (running.has(id)) {
          throw new HttpError(409, 'BACKFILL_RUNNING', `A backfill of the schedule ${id} goes on.`);
        }
        void run(id, span);
      }
      return { dryRun, slots };
    },
  };
}

function refused(field: string, rule: string): HttpError {
  const message = `Expected \`${field}\` to be ${rule}.`;
  return new HttpError(422, 'BACKFILL_INVALID', message, [{ field, message }]);
}
