import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatRelative,
  parseCount,
  parseDuration,
  parseInstant,
} from './quantities.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['5min', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', 's', '5 s', '-5s', '5y', '1e3s', '5s later'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
  });
});

describe('parseCount', () => {
  it('reads digits alone, from a bound on', () => {
    expect(parseCount(1)('12')).toBe(12);
    expect(parseCount(0)('0')).toBe(0);
    for (const text of ['0', '-1', '1.5', '0x10', '', ' 1', '9'.repeat(20)]) {
      expect(() => parseCount(1)(text)).toThrow(InvalidArgumentError);
    }
  });
});

describe('parseInstant', () => {
  it('gives UTC', () => {
    expect(parseInstant('2026-03-08')).toBe('2026-03-08T00:00:00.000Z');
    expect(parseInstant('2026-03-08T02:30:00+01:00')).toBe('2026-03-08T01:30:00.000Z');
  });

  it.each(['', 'yesterday', '2026', '08.03.2026', '2026-13-01', '2026-03-08T25:00Z'])(
    'refuses %j',
    (text) => {
      expect(() => parseInstant(text)).toThrow(InvalidArgumentError);
    },
  );
});

it.each([
  [0, '0 ms'],
  [850.4, '850 ms'],
  [12_340, '12.3 s'],
  [5_000, '5 s'],
  [245_000, '4 min 5 s'],
  [60_000, '1 min'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
  [-5, '0 ms'],
])('shows %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it.each([
  [null, '-'],
  ['2026-03-08T07:00:00.400Z', 'now'],
  ['2026-03-08T06:59:55.000Z', '5 s ago'],
  ['2026-03-08T07:03:10.000Z', 'in 3 min'],
  ['2026-03-07T10:00:00.000Z', '21 h ago'],
  ['2026-03-01T07:00:00.000Z', '7 d ago'],
])('shows %s as %s', (instant, text) => {
  expect(formatRelative(instant, Date.parse('2026-03-08T07:00:00Z'))).toBe(text);
});

it.each([
  [512, '512 B'],
  [1_536, '1.5 KiB'],
  [20 * 1_048_576, '20 MiB'],
  [5 * 1024 ** 5, '5120 TiB'],
])('shows %d bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
