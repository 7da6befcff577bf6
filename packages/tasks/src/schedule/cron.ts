import { expectedMessage } from '@pawl/core';
import { Cron, CronPattern } from 'croner';
import { toDate } from './time-zone.ts';

/** Five fields, or six with seconds before them. */
const PATTERN = { mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' } as const;

const FIELDS = [
  { name: 'second', range: '0 to 59' },
  { name: 'minute', range: '0 to 59' },
  { name: 'hour', range: '0 to 23' },
  { name: 'day of month', range: '1 to 31, L, LW or 15W' },
  { name: 'month', range: '1 to 12 or JAN to DEC' },
  { name: 'day of week', range: '0 to 7 or SUN to SAT, 1#2 or 5L' },
] as const;

/** When a cron expression comes due on a clock that never jumps. */
export interface CronTimes {
  /** Whether seconds, minutes and hours are all named, so that it stands for times of day and not for a rhythm. */
  readonly isTimeOfDay: boolean;
  /** The first wall time (see TimeZone) at or after `wall`, or undefined when none is left before the year 10000. */
  firstFrom(wall: number): number | undefined;
}

/**
 * Parses a cron expression: five fields, six with seconds, or `@yearly` to `@hourly`. Ranges, lists, steps, names,
 * `L`, `W` and `#` are understood; 0 and 7 are both Sunday; when day of month and day of week are both set, either
 * one makes it due.
 * @throws TypeError naming the field and its position, RangeError when no date ever matches
 */
export function parseCron(expression: string): CronTimes {
  let isTimeOfDay: boolean;
  let cron: Cron;
  try {
    ({ isFixedTime: isTimeOfDay } = new CronPattern(expression, undefined, PATTERN));
    // Zones and their clock changes are none of croner's business here: see cron-slots.ts.
    cron = new Cron(expression, { ...PATTERN, utcOffset: 0 });
  } catch (error) {
    throw new TypeError(expectedMessage('cron', ruleBroken(expression), expression), { cause: error });
  }
  const times: CronTimes = {
    isTimeOfDay,
    firstFrom(wall) {
      // croner looks after the second it is given.
      const before = (Math.ceil(wall / 1_000) - 1) * 1_000;
      return cron.nextRun(toDate(before))?.getTime();
    },
  };
  if (times.firstFrom(0) === undefined) {
    throw new RangeError(expectedMessage('cron', 'a cron expression that some date matches', expression));
  }
  return times;
}

/** Which rule of the syntax is broken: the first field that fails when all others are `*`. */
function ruleBroken(expression: string): string {
  const fields = [...expression.matchAll(/\S+/g)];
  if (expression.trim().startsWith('@')) {
    return 'a cron expression, or one of @yearly, @monthly, @weekly, @daily, @hourly';
  }
  if (fields.length !== 5 && fields.length !== 6) {
    return `a cron expression of 5 fields, or 6 with seconds (it has ${fields.length})`;
  }
  for (const [index, field] of fields.entries()) {
    const alone = fields.map((other) => (other === field ? field[0] : '*')).join(' ');
    if (isPattern(alone)) continue;
    const { name, range } = FIELDS[index + 6 - fields.length] as (typeof FIELDS)[number];
    return `a cron expression with a valid ${name} (${range}) in place of \`${field[0]}\` at character ${field.index + 1}`;
  }
  return 'a cron expression';
}

function isPattern(expression: string): boolean {
  try {
    return new CronPattern(expression, undefined, PATTERN) instanceof CronPattern;
  } catch {
    return false;
  }
}
