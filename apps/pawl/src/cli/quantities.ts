import { InvalidArgumentError } from 'commander';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|min|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|min|m|h|d)/g;

/** Milliseconds of `500ms`, `30s`, `5m`, `1h30m` or `2d`. */
export function parseDuration(text: string): number {
  if (!DURATION.test(text))
    throw new InvalidArgumentError('Expected a duration such as 500ms, 30s, 5m, 1h30m or 2d.');
  let total = 0;
  for (const [, number, unit = ''] of text.matchAll(PART)) total += Number(number) * (UNITS[unit] ?? 0);
  return Math.round(total);
}

/** A whole number from `min` on. */
export function parseCount(min: number): (text: string) => number {
  return (text) => {
    if (!/^\d{1,15}$/.test(text) || Number(text) < min) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} on.`);
    }
    return Number(text);
  };
}

/** An instant as ISO 8601 in UTC. A day alone is its midnight in UTC; a time without a zone is one of this machine. */
export function parseInstant(text: string): string {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) {
    throw new InvalidArgumentError('Expected an instant such as 2026-03-08 or 2026-03-08T02:30:00Z.');
  }
  return at.toISOString();
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 10 min`, `3 d 4 h` */
export function formatDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < SECOND_MS) return `${whole} ms`;
  if (whole < MINUTE_MS) return `${trimZero(whole / SECOND_MS)} s`;
  if (whole < HOUR_MS) return twoUnits(whole, MINUTE_MS, 'min', SECOND_MS, 's');
  return whole < DAY_MS
    ? twoUnits(whole, HOUR_MS, 'h', MINUTE_MS, 'min')
    : twoUnits(whole, DAY_MS, 'd', HOUR_MS, 'h');
}

/** `5 s ago`, `in 3 min`, `now`; a dash for never. */
export function formatRelative(instant: string | null, now: number): string {
  if (instant === null) return '-';
  const distance = Date.parse(instant) - now;
  if (Math.abs(distance) < SECOND_MS) return 'now';
  const [unitMs, unit] = largestUnit(Math.abs(distance));
  const amount = `${Math.floor(Math.abs(distance) / unitMs)} ${unit}`;
  return distance < 0 ? `${amount} ago` : `in ${amount}`;
}

/** `512 B`, `1.5 KiB`, `20 MiB` */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? amount : trimZero(amount)} ${units[unit]}`;
}

function largestUnit(ms: number): readonly [unitMs: number, unit: string] {
  if (ms < MINUTE_MS) return [SECOND_MS, 's'];
  if (ms < HOUR_MS) return [MINUTE_MS, 'min'];
  return ms < 2 * DAY_MS ? [HOUR_MS, 'h'] : [DAY_MS, 'd'];
}

function twoUnits(ms: number, firstMs: number, first: string, secondMs: number, second: string): string {
  const rest = Math.floor((ms % firstMs) / secondMs);
  return `${Math.floor(ms / firstMs)} ${first}${rest === 0 ? '' : ` ${rest} ${second}`}`;
}

function trimZero(amount: number): string {
  return amount.toFixed(1).replace(/\.0$/, '');
}
