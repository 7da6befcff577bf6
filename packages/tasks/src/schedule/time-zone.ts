import { expectedMessage } from '@pawl/core';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * Closest two changes of a zone's offset are searched for. The tz database has none nearer than 7 days since 1980;
 * what lay between would be missed.
 */
const SEARCH_STEP_MS = 5 * DAY_MS;
/** A segment is cut off here when the zone has no change. */
const SEARCH_AHEAD_MS = 400 * DAY_MS;
/** How far back a change still matters: no clock ever went back or forward further. */
const SEARCH_BACK_MS = 2 * DAY_MS;

/** A stretch of time in which the clocks of a zone run evenly. Instants are milliseconds since the epoch. */
export interface ZoneSegment {
  /** Its first instant. */
  readonly start: number;
  /** The first instant after it. */
  readonly end: number;
  /** What the zone's clocks show minus UTC, in milliseconds; before and after it likewise. */
  readonly offsetMs: number;
  readonly offsetBeforeMs: number;
  readonly offsetAfterMs: number;
}

/**
 * The clocks of a place. What they show is given as a "wall time": the milliseconds since the epoch at which the
 * clocks of UTC show the same.
 */
export interface TimeZone {
  readonly name: string;
  segmentAt(at: number): ZoneSegment;
  /** An instant as the clocks there show it: `2026-03-08T03:00:00-04:00`. */
  format(at: number): string;
}

/** @throws RangeError when the tz database has no such zone, with the nearest name */
export function createTimeZone(name: string): TimeZone {
  const offsetAt = offsetReader(name);
  let latest: ZoneSegment | undefined;

  /** The change in (from, to], if there is one and no second; found to the second. */
  function changeBetween(from: number, to: number): number {
    const before = offsetAt(from);
    let low = Math.floor(from / 1_000);
    let high = Math.ceil(to / 1_000);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle * 1_000) === before) low = middle;
      else high = middle;
    }
    return high * 1_000;
  }

  function findSegment(at: number): ZoneSegment {
    const offsetMs = offsetAt(at);
    const backLimit = at - SEARCH_BACK_MS;
    const offsetBeforeMs = offsetAt(backLimit);
    const start = offsetBeforeMs === offsetMs ? backLimit : changeBetween(backLimit, at);
    for (let from = at; from < at + SEARCH_AHEAD_MS; from += SEARCH_STEP_MS) {
      const offsetAfterMs = offsetAt(from + SEARCH_STEP_MS);
      if (offsetAfterMs === offsetMs) continue;
      return {
        start,
        end: changeBetween(from, from + SEARCH_STEP_MS),
        offsetMs,
        offsetBeforeMs,
        offsetAfterMs,
      };
    }
    return { start, end: at + SEARCH_AHEAD_MS, offsetMs, offsetBeforeMs, offsetAfterMs: offsetMs };
  }

  function segmentAt(at: number): ZoneSegment {
    if (latest === undefined || at < latest.start || at >= latest.end) latest = findSegment(at);
    return latest;
  }

  return {
    name,
    segmentAt,
    format(at) {
      const { offsetMs } = segmentAt(at);
      return `${toDate(at + offsetMs)
        .toISOString()
        .slice(0, 19)}${offsetText(offsetMs)}`;
    },
  };
}

/** Reads a zone's offset at an instant. */
function offsetReader(name: string): (at: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  } catch {
    const similar = similarZone(name);
    const hint = similar === undefined ? '' : ` Did you mean \`${similar}\`?`;
    throw new RangeError(
      expectedMessage('timeZone', 'a time zone of the tz database, such as `Europe/Berlin`', name) + hint,
    );
  }
  return (at) => {
    // "1/1/2026, GMT-05:00"; plain "GMT" for UTC, and seconds for the local mean times of long ago.
    const parts = /GMT(?<sign>[+-])(?<hours>\d\d):(?<minutes>\d\d)(?::(?<seconds>\d\d))?$/.exec(
      format.format(at),
    )?.groups;
    if (parts === undefined) return 0;
    const { sign, hours, minutes, seconds = 0 } = parts;
    const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
    return sign === '-' ? -ms : ms;
  };
}

/** The zone that shares the longest beginning with a name nobody knows, at least "Area/Pl". */
function similarZone(name: string): string | undefined {
  const shortest = name.indexOf('/') + 3;
  if (shortest < 3) return undefined;
  const zones = Intl.supportedValuesOf('timeZone');
  for (let length = name.length; length >= shortest; length -= 1) {
    const beginning = name.slice(0, length).toLowerCase();
    const similar = zones.find((zone) => zone.toLowerCase().startsWith(beginning));
    if (similar !== undefined) return similar;
  }
  return undefined;
}

function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return 'Z';
  const minutes = Math.abs(Math.trunc(offsetMs / MINUTE_MS));
  return `${offsetMs < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Reads the calendar of a given instant, never the current one. */
export function toDate(at: number): Date {
  return new Date(at); // oxlint-disable-line eslint/no-restricted-globals -- a conversion, it reads no clock
}
