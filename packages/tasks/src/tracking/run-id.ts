import type { Clock, Random } from '@pawl/core';
import { isoTime } from './utc-time.ts';

/** So that an id stays a file name on every system. */
const MAX_TASK_LENGTH = 64;

/**
 * A new run id: `run_YYYYMMDD_HHMMSS_<task>_<8 hex>`, the time in UTC. What is neither letter, digit, `.` nor `-` in
 * the task's name becomes `-`, and of a long name the first 64 characters count, so that an id can name a file.
 */
export function createRunId(task: string, { clock, random }: { clock: Clock; random: Random }): string {
  const time = isoTime(clock.wallTime()).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  const name = task.slice(0, MAX_TASK_LENGTH).replaceAll(/[^\w.-]/g, '-');
  const hex = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  return `run_${time}_${name}_${hex}`;
}
