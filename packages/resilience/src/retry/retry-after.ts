import { checkKnownKeys, type Clock, systemClock } from '@pawl/core';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The three forms of an HTTP date (RFC 9110, section 5.6.7): the usual one, RFC 850's, and that of C's asctime. */
const DATES = [
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) GMT$/u,
  /^[A-Z][a-z]{5,8}, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) GMT$/u,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}) (?<year>\d{4})$/u,
];

const MS_PER_YEAR = 365.25 * 86_400_000;

export interface RetryAfterOptions {
  /** Says what time it is, for dates. @default systemClock */
  readonly clock?: Clock;
}

/**
 * The wait that a `Retry-After` header asks for, in milliseconds: from seconds or an HTTP date, 0 for a date that has
 * passed. A date counts on this machine's wall clock.
 * @returns undefined for anything else, as a header that cannot be read asks for nothing
 */
export function parseRetryAfter(value: unknown, options: RetryAfterOptions = {}): number | undefined {
  checkKnownKeys('parseRetryAfter', options, ['clock']);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const header = text.trim();
  if (/^\d+(?:\.\d+)?$/u.test(header)) return Math.min(Number(header) * 1_000, Number.MAX_SAFE_INTEGER);
  const now = (options.clock ?? systemClock).wallTime();
  const at = parseHttpDate(header, now);
  return at === undefined ? undefined : Math.max(0, at - now);
}

/**
 * A `delayFor` for errors of HTTP clients: reads `Retry-After` from the `headers` of the error, of its `response`, or
 * of its `cause`, whether those are a `Headers` object or a plain one.
 * @example retry({ delayFor: retryAfterHeader() })
 */
export function retryAfterHeader(options: RetryAfterOptions = {}): (error: unknown) => number | undefined {
  checkKnownKeys('retryAfterHeader', options, ['clock']);
  return (error) => {
    const { response, cause } = fieldsOf(error);
    for (const holder of [error, response, cause, fieldsOf(cause)['response']]) {
      const delayMs = parseRetryAfter(headerOf(fieldsOf(holder)['headers']), options);
      if (delayMs !== undefined) return delayMs;
    }
    return undefined;
  };
}

function headerOf(headers: unknown): unknown {
  const { get } = fieldsOf(headers);
  if (typeof get === 'function') return get.call(headers, 'retry-after');
  const name = Object.keys(fieldsOf(headers)).find((key) => key.toLowerCase() === 'retry-after');
  const value = name === undefined ? undefined : fieldsOf(headers)[name];
  return Array.isArray(value) ? value[0] : value;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Milliseconds since the epoch. */
function parseHttpDate(text: string, now: number): number | undefined {
  for (const form of DATES) {
    const { year = '', month = '', day, hours, minutes, seconds } = form.exec(text)?.groups ?? {};
    const monthIndex = MONTHS.indexOf(month);
    if (monthIndex === -1) continue;
    const inYear = (fullYear: number): number =>
      // oxlint-disable-next-line eslint/no-restricted-globals -- The calendar, not the time.
      Date.UTC(fullYear, monthIndex, Number(day), Number(hours), Number(minutes), Number(seconds));
    if (year.length === 4) return inYear(Number(year));
    // Two digits mean the latest such year that is not more than 50 years ahead (RFC 9110).
    const thisYear = Math.floor(1970 + now / MS_PER_YEAR);
    const latest = thisYear + 50;
    return inYear(latest - ((latest - Number(year)) % 100));
  }
  return undefined;
}
