import { Cron } from 'croner';
import { describe, expect, it } from 'vitest';
import { preview } from './preview.ts';
import type { Schedule } from './schedule.ts';

const NEW_YORK = 'America/New_York';

/** The slots of one local day as instants, and what is said about them. */
function slotsOf(schedule: Omit<Schedule, 'id'>, from: string, to: string) {
  const slots = preview({ id: 's', ...schedule }, Date.parse(from), 100).filter(
    ({ nominalAt }) => nominalAt < Date.parse(to),
  );
  return {
    at: slots.map(({ nominalAt }) => new Date(nominalAt).toISOString().slice(5, 16)),
    notes: slots.flatMap(({ notes }) => notes),
    local: slots.map(({ local }) => local),
  };
}
const springForward = (schedule: Omit<Schedule, 'id'>) =>
  slotsOf({ timeZone: NEW_YORK, ...schedule }, '2026-03-08T05:00Z', '2026-03-09T04:00Z');
const fallBack = (schedule: Omit<Schedule, 'id'>) =>
  slotsOf({ timeZone: NEW_YORK, ...schedule }, '2026-11-01T04:00Z', '2026-11-02T05:00Z');

describe('a time of day that does not exist', () => {
  it('runs at the next valid instant by default', () => {
    const { at, notes, local } = springForward({ cron: '30 2 * * *' });
    expect(at).toEqual(['03-08T07:00']);
    expect(local).toEqual(['2026-03-08T03:00:00-04:00']);
    expect(notes).toEqual(['02:30 does not exist on 8 March: 03:00 by policy.']);
  });

  it('is shifted by the length of the gap', () => {
    const { at, notes } = springForward({ cron: '30 2 * * *', dstGap: 'shift' });
    expect(at).toEqual(['03-08T07:30']);
    expect(notes).toEqual(['02:30 does not exist on 8 March: 03:30 by policy.']);
  });

  it('is skipped, and the next slot says so', () => {
    const schedule = { cron: '30 2 * * *', timeZone: NEW_YORK, dstGap: 'skip' } as const;
    expect(springForward(schedule).at).toEqual([]);
    const next = slotsOf(schedule, '2026-03-08T05:00Z', '2026-03-10T04:00Z');
    expect(next.at).toEqual(['03-09T06:30']);
    expect(next.notes).toEqual(['02:30 does not exist on 8 March: skipped by policy.']);
  });

  it('becomes one slot with a time that does exist', () => {
    expect(springForward({ cron: '0,30 2,3 * * *' }).at).toEqual(['03-08T07:00', '03-08T07:30']);
    expect(springForward({ cron: '0,30 2,3 * * *', dstGap: 'shift' }).at).toEqual([
      '03-08T07:00',
      '03-08T07:30',
    ]);
  });

  it('runs once on the day São Paulo had no midnight', () => {
    const { at } = slotsOf(
      { cron: '0 0 * * *', timeZone: 'America/Sao_Paulo' },
      '2018-11-03T12:00Z',
      '2018-11-05T02:00Z',
    );
    expect(at).toEqual(['11-04T03:00']);
  });

  it('runs once in the half hour gap of Lord Howe', () => {
    const { at } = slotsOf(
      { cron: '15 2 * * *', timeZone: 'Australia/Lord_Howe' },
      '2026-10-03T00:00Z',
      '2026-10-04T12:00Z',
    );
    expect(at).toEqual(['10-03T15:30']);
  });

  it('runs at midnight when the evening before is cut off in Nuuk', () => {
    const { at, notes } = slotsOf(
      { cron: '30 23 * * *', timeZone: 'America/Nuuk' },
      '2025-03-29T12:00Z',
      '2025-03-30T12:00Z',
    );
    expect(at).toEqual(['03-30T01:00']);
    expect(notes).toEqual(['23:30 does not exist on 29 March: 00:00 by policy.']);
  });

  it.each(['next-valid', 'shift', 'skip'] as const)(
    'does not run for the day Apia left out, with %s',
    (dstGap) => {
      const { local, notes } = slotsOf(
        { cron: '0 12 * * *', timeZone: 'Pacific/Apia', dstGap },
        '2011-12-29T00:00Z',
        '2011-12-31T12:00Z',
      );
      expect(local).toEqual(['2011-12-29T12:00:00-10:00', '2011-12-31T12:00:00+14:00']);
      expect(notes).toEqual(['12:00 does not exist on 30 December: skipped by policy.']);
    },
  );
});

describe('a time of day that comes twice', () => {
  it('runs the first time by default', () => {
    const { at, notes } = fallBack({ cron: '30 1 * * *' });
    expect(at).toEqual(['11-01T05:30']);
    expect(notes).toEqual(['01:30 comes twice on 1 November: the first by policy.']);
  });

  it('runs the second time', () => {
    const { at, notes } = fallBack({ cron: '30 1 * * *', dstOverlap: 'second' });
    expect(at).toEqual(['11-01T06:30']);
    expect(notes).toEqual(['01:30 comes twice on 1 November: the second by policy.']);
  });

  it('runs both times', () => {
    const { at, notes } = fallBack({ cron: '30 1 * * *', dstOverlap: 'both' });
    expect(at).toEqual(['11-01T05:30', '11-01T06:30']);
    expect(notes).toEqual([
      '01:30 comes twice on 1 November: both times by policy, this is the first.',
      '01:30 comes twice on 1 November: both times by policy, this is the second.',
    ]);
  });
});

describe('a rhythm', () => {
  it('keeps its pace over the gap', () => {
    const { at, notes } = slotsOf(
      { cron: '*/30 * * * *', timeZone: NEW_YORK },
      '2026-03-08T06:00Z',
      '2026-03-08T08:00Z',
    );
    expect(at).toEqual(['03-08T06:00', '03-08T06:30', '03-08T07:00', '03-08T07:30']);
    expect(notes).toEqual(['02:00 to 03:00 does not exist on 8 March: skipped by policy.']);
  });

  it('keeps its pace through the repeated hour', () => {
    const { at } = slotsOf(
      { cron: '*/30 * * * *', timeZone: NEW_YORK },
      '2026-11-01T05:30Z',
      '2026-11-01T07:30Z',
    );
    expect(at).toEqual(['11-01T05:30', '11-01T06:00', '11-01T06:30', '11-01T07:00']);
  });

  it('obeys a policy that is given', () => {
    const { at } = fallBack({ cron: '0 * * * *', dstOverlap: 'second' });
    expect(at.slice(0, 4)).toEqual(['11-01T04:00', '11-01T06:00', '11-01T07:00', '11-01T08:00']);
  });
});

describe('the dates of a cron expression', () => {
  it.each([
    ['0 0 29 2 *', ['2028-02-29', '2032-02-29']],
    ['0 0 31 * *', ['2026-01-31', '2026-03-31']],
    ['0 0 L * *', ['2026-01-31', '2026-02-28']],
    ['0 0 LW * *', ['2026-01-30', '2026-02-27']],
    ['0 0 * * 1#2', ['2026-01-12', '2026-02-09']],
    ['0 0 * * 5L', ['2026-01-30', '2026-02-27']],
    ['0 0 * * 0', ['2026-01-04', '2026-01-11']],
    ['0 0 * * 7', ['2026-01-04', '2026-01-11']],
    ['0 0 * JAN sun', ['2026-01-04', '2026-01-11']],
    ['@daily', ['2026-01-01', '2026-01-02']],
    ['0 0 13 * 5', ['2026-01-02', '2026-01-09']],
  ])('of %s are %s', (cron, dates) => {
    const slots = preview({ id: 's', cron }, Date.parse('2026-01-01T00:00Z'), 2);
    expect(slots.map(({ local }) => local)).toEqual(dates.map((date) => `${date}T00:00:00Z`));
  });

  it.each([
    ['61 * * * *', 'a valid minute (0 to 59) in place of `61` at character 1'],
    ['0 */0 * * *', 'a valid hour (0 to 23) in place of `*/0` at character 3'],
    ['0 0 1 13 *', 'a valid month (1 to 12 or JAN to DEC) in place of `13` at character 7'],
    ['70 0 0 * * *', 'a valid second (0 to 59) in place of `70` at character 1'],
    ['0 0 * * MOO', 'a valid day of week'],
    ['* * * * * * *', '5 fields, or 6 with seconds (it has 7)'],
    ['nonsense', '5 fields, or 6 with seconds (it has 1)'],
    ['@reboot', 'one of @yearly'],
    ['0 0 30 2 *', 'that some date matches'],
  ])('of %s are refused', (cron, rule) => {
    expect(() => preview({ id: 's', cron }, 0, 1)).toThrow(rule);
  });

  it('are refused in a zone nobody knows, with the nearest name', () => {
    const schedule = { id: 's', cron: '@daily', timeZone: 'America/New_Yrok' };
    expect(() => preview(schedule, 0, 1)).toThrow(/`timeZone`.*Did you mean `America\/New_York`\?/);
    expect(() => preview({ ...schedule, timeZone: 'Nowhere' }, 0, 1)).toThrow(RangeError);
  });
});

describe('the slots of a zone', () => {
  const zones = [
    'America/New_York',
    'America/Santiago',
    'Europe/Dublin',
    'Africa/Cairo',
    'Asia/Gaza',
    'Asia/Tehran',
  ];
  const expressions = ['30 2 * * *', '30 1 * * *', '0 0 * * *', '*/30 * * * 0'];

  it.each(zones)('%s are by default those croner finds there by itself', (timeZone) => {
    const from = Date.parse('2026-01-01T00:00Z');
    for (const cron of expressions) {
      const slots = preview({ id: 's', cron, timeZone }, from + 1, 420).map(({ nominalAt }) => nominalAt);
      const expected = new Cron(cron, { timezone: timeZone }).nextRuns(420, new Date(from));
      expect(slots).toEqual(expected.map((date) => date.getTime()));
    }
  });
});

describe('an interval', () => {
  const at = (schedule: Omit<Schedule, 'id'>, from: number, count: number) =>
    preview({ id: 's', ...schedule }, from, count).map(({ nominalAt }) => nominalAt);

  it('lies on the grid of the epoch, or of its start', () => {
    expect(at({ everyMs: 900_000 }, 1, 2)).toEqual([900_000, 1_800_000]);
    expect(at({ everyMs: 900_000 }, 900_000, 1)).toEqual([900_000]);
    expect(at({ everyMs: 1_000, startAt: 300 }, 0, 3)).toEqual([300, 1_300, 2_300]);
  });

  it('ends before its end and with its runs', () => {
    expect(at({ everyMs: 10, endAt: 30 }, 0, 9)).toEqual([0, 10, 20]);
    expect(at({ everyMs: 10, maxRuns: 2 }, 5, 9)).toEqual([10, 20]);
  });

  it('with a fixed delay is shown as though runs took no time', () => {
    expect(at({ everyMs: 10, pace: 'fixed-delay' }, 5, 3)).toEqual([5, 15, 25]);
  });
});

describe('jitter', () => {
  const delayOf = (schedule: Schedule, from = 0): number => {
    const [slot] = preview(schedule, from, 1);
    return (slot?.dueAt ?? NaN) - (slot?.nominalAt ?? NaN);
  };

  it('is the same each day for a schedule, and another one for each slot', () => {
    const daily = { id: 'report', cron: '@daily', jitterMs: 600_000 };
    const days = Array.from({ length: 50 }, (_, day) => day * 86_400_000);
    expect(new Set(days.map((day) => delayOf(daily, day))).size).toBe(1);
    expect(
      new Set(days.map((day) => delayOf({ ...daily, jitterMode: 'per-slot' }, day))).size,
    ).toBeGreaterThan(45);
  });

  it('spreads a thousand schedules evenly', () => {
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 1_000; index += 1) {
      const delay = delayOf({ id: `schedule-${index}`, cron: '@daily', jitterMs: 999 });
      buckets[Math.floor(delay / 100)]! += 1;
    }
    // The 99.9 % quantile of chi-square with 9 degrees of freedom.
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(chiSquare).toBeLessThan(27.88);
  });
});

describe('a wrong schedule', () => {
  it.each([
    [{ everyMs: 5, cron: '@daily' }, 'got both'],
    [{}, 'got neither'],
    [{ everyMs: 0 }, '`everyMs`'],
    [{ everyMs: 1.5 }, '`everyMs`'],
    [{ everyMs: 5, timeZone: 'UTC' }, '`timeZone` only together with `cron`'],
    [{ cron: '@daily', pace: 'fixed-delay' }, '`pace` only together with `everyMs`'],
    [{ cron: '@daily', overlaps: 'skip' }, 'did you mean `overlap`?'],
    [{ cron: '@daily', overlap: 'queue' }, '`overlap`'],
    [{ everyMs: 5, startAt: 10, endAt: 10 }, '`startAt` (10) to be below `endAt` (10)'],
  ])('%j is refused', (schedule, message) => {
    expect(() => preview({ id: 's', ...schedule } as Schedule, 0, 1)).toThrow(message);
  });
});
