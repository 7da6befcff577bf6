import { describe, expect, it } from 'vitest';
import { formatCountdown, formatDuration, formatRelative } from './time.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('formatDuration', () => {
  it.each([
    [null, '–'],
    [Number.NaN, '–'],
    [0, '0 ms'],
    [420.4, '420 ms'],
    [999, '999 ms'],
    [SECOND, '1.0 s'],
    [9_999, '9.9 s'],
    [59_999, '59 s'],
    [2 * MINUTE, '2 min'],
    [2 * MINUTE + 5 * SECOND, '2 min 5 s'],
    [3 * HOUR + 2 * MINUTE, '3 h 2 min'],
    [4 * DAY + HOUR, '4 d 1 h'],
  ])('puts %s ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatRelative', () => {
  it.each([
    [0, 'now'],
    [-12 * SECOND, '12 s ago'],
    [3 * MINUTE, 'in 3 min'],
    [-2 * HOUR - 59 * MINUTE, '2 h ago'],
    [-5 * DAY, '5 d ago'],
  ])('puts a moment %s ms away as %s', (distance, text) => {
    expect(formatRelative(1_000_000 + distance, 1_000_000)).toBe(text);
  });
});

describe('formatCountdown', () => {
  it.each([
    [0, 'due'],
    [-5 * SECOND, 'due'],
    [9_700, '9 s'],
    [4 * MINUTE + 32 * SECOND, '4 min 32 s'],
    [26 * HOUR, '1 d 2 h'],
  ])('counts %s ms down as %s', (left, text) => {
    expect(formatCountdown(1_000_000 + left, 1_000_000)).toBe(text);
  });
});
