import { parseCron } from './cron.ts';
import { resolveSchedule, type Schedule } from './schedule.ts';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
] as const;

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split(' ');
const NTH = ['', 'first', 'second', 'third', 'fourth', 'fifth'];

/**
 * A schedule in words: "at 02:30 on Monday to Friday (Europe/Berlin)", "every 15 minutes".
 * @throws TypeError, RangeError for a wrong schedule
 */
export function describeSchedule(schedule: Schedule): string {
  const { cron, everyMs, pace, timeZone } = resolveSchedule(schedule);
  if (cron !== undefined) return `${describeCron(cron)} (${timeZone})`;
  const { count, unit } = inLargestUnit(everyMs);
  if (pace === 'fixed-delay') return `${count} ${unit} after the end of each run`;
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}`;
}

/** 900000 is 15 minutes: the largest unit that divides it. */
function inLargestUnit(ms: number): { readonly count: number; readonly unit: string } {
  const [unit, unitMs] = UNITS.find(([, size]) => ms % size === 0) ?? UNITS[4];
  const count = ms / unitMs;
  return { count, unit: count === 1 ? unit : `${unit}s` };
}

function describeCron(expression: string): string {
  parseCron(expression);
  const text = expression.trim();
  const fields = (NICKNAMES[text.toLowerCase()] ?? text).split(/\s+/);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = (
    fields.length === 5 ? ['0', ...fields] : fields
  ) as [string, string, string, string, string, string];
  return [timeText(second, minute, hour), daysText(dayOfMonth, dayOfWeek), monthsText(month)]
    .filter((part) => part !== '')
    .join(' ');
}

const isNumber = (field: string): boolean => /^\d+$/.test(field);
const isAny = (field: string): boolean => field === '*' || field === '?';
const pad = (field: string): string => field.padStart(2, '0');

function timeText(second: string, minute: string, hour: string): string {
  const hours = hour.split(',');
  if (isNumber(second) && isNumber(minute) && hours.every(isNumber)) {
    const seconds = Number(second) === 0 ? '' : `:${pad(second)}`;
    return `at ${listText(hours.map((at) => `${pad(at)}:${pad(minute)}${seconds}`))}`;
  }
  const parts: string[] = [];
  if (second !== '0') parts.push(fieldText(second, 'second'));
  if (!(isAny(minute) && parts.length > 0)) parts.push(fieldText(minute, 'minute'));
  if (isAny(hour)) {
    if (!isAny(minute) && !minute.startsWith('*/')) parts.push('of every hour');
  } else parts.push(`of ${fieldText(hour, 'hour').replace(/^at /, '')}`);
  return parts.join(' ');
}

/** "every 15 minutes", "every minute", "at minute 5 and 35", "at hour 9 to 17". */
function fieldText(field: string, unit: string): string {
  if (isAny(field)) return `every ${unit}`;
  const [range = '', step] = field.split('/');
  if (step !== undefined) {
    const every = step === '1' ? `every ${unit}` : `every ${step} ${unit}s`;
    return isAny(range) ? every : `${every} from ${rangeText(range)}`;
  }
  return `at ${unit} ${listText(field.split(',').map((part) => rangeText(part)))}`;
}

function daysText(dayOfMonth: string, dayOfWeek: string): string {
  const parts: string[] = [];
  if (!isAny(dayOfMonth)) parts.push(`on ${dayOfMonthText(dayOfMonth)}`);
  if (!isAny(dayOfWeek)) parts.push(`on ${listText(dayOfWeek.split(',').map(weekdayText))}`);
  return parts.join(' or ');
}

function dayOfMonthText(field: string): string {
  const [range = '', step] = field.split('/');
  if (step !== undefined) return `every ${step} days${isAny(range) ? '' : ` from ${rangeText(range)}`}`;
  return listText(
    field
      .toUpperCase()
      .split(',')
      .map((day) => {
        if (day === 'L') return 'the last day of the month';
        if (day === 'LW') return 'the last weekday of the month';
        if (day.endsWith('W')) return `the weekday nearest day ${day.slice(0, -1)}`;
        return `day ${rangeText(day)}`;
      }),
  );
}

function weekdayText(field: string): string {
  const nth =
    /^(?<day>\w+)#(?<nth>\d|L)$/i.exec(field)?.groups ?? /^(?<day>\w+)(?<nth>L)$/i.exec(field)?.groups;
  if (nth !== undefined) {
    const { day = '', nth: which = '' } = nth;
    const order = which.toUpperCase() === 'L' ? 'last' : NTH[Number(which)];
    return `the ${order} ${nameText(day, WEEKDAYS, 0)} of the month`;
  }
  return namedText(field, WEEKDAYS, 0);
}

function monthsText(field: string): string {
  if (isAny(field)) return '';
  return `in ${listText(field.split(',').map((part) => namedText(part, MONTHS, 1)))}`;
}

/** A range or step of named values: "Monday to Friday". */
function namedText(field: string, names: readonly string[], first: number): string {
  const [range = '', step] = field.split('/');
  const text = isAny(range)
    ? ''
    : range
        .split('-')
        .map((name) => nameText(name, names, first))
        .join(' to ');
  if (step === undefined) return text;
  const every = `every ${NTH[Number(step)] ?? `${step}th`} ${names === MONTHS ? 'month' : 'day'}`;
  return text === '' ? every : `${every} from ${text}`;
}

function nameText(name: string, names: readonly string[], first: number): string {
  if (isNumber(name)) return names[Number(name) - first] ?? name;
  return names.find((known) => known.toLowerCase().startsWith(name.toLowerCase())) ?? name;
}

function rangeText(range: string): string {
  return range.replace('-', ' to ');
}

function listText(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
