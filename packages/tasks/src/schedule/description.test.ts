import { describe, expect, it } from 'vitest';
import { describeSchedule } from './description.ts';

describe('describeSchedule', () => {
  it.each([
    ['* * * * *', 'every minute'],
    ['*/15 * * * *', 'every 15 minutes'],
    ['* * * * * *', 'every second'],
    ['*/10 * * * * *', 'every 10 seconds'],
    ['0 * * * *', 'at minute 0 of every hour'],
    ['@hourly', 'at minute 0 of every hour'],
    ['5,35 * * * *', 'at minute 5 and 35 of every hour'],
    ['30 2 * * *', 'at 02:30'],
    ['30 2,14 * * *', 'at 02:30 and 14:30'],
    ['15 30 2 * * *', 'at 02:30:15'],
    ['0 9-17 * * 1-5', 'at minute 0 of hour 9 to 17 on Monday to Friday'],
    ['*/20 */2 * * *', 'every 20 minutes of every 2 hours'],
    ['10-50/20 8 * * *', 'every 20 minutes from 10 to 50 of hour 8'],
    ['0 0 * * MON,wed', 'at 00:00 on Monday and Wednesday'],
    ['0 0 * * 7', 'at 00:00 on Sunday'],
    ['0 0 * * 1#2', 'at 00:00 on the second Monday of the month'],
    ['0 0 * * 5L', 'at 00:00 on the last Friday of the month'],
    ['0 0 1,15 * *', 'at 00:00 on day 1 and day 15'],
    ['0 0 L * *', 'at 00:00 on the last day of the month'],
    ['0 0 LW * *', 'at 00:00 on the last weekday of the month'],
    ['0 0 15W * *', 'at 00:00 on the weekday nearest day 15'],
    ['0 0 13 * 5', 'at 00:00 on day 13 or on Friday'],
    ['0 0 */2 * *', 'at 00:00 on every 2 days'],
    ['0 0 1 JAN-MAR *', 'at 00:00 on day 1 in January to March'],
    ['0 0 1 */3 *', 'at 00:00 on day 1 in every third month'],
    ['@yearly', 'at 00:00 on day 1 in January'],
  ])('puts %s in words', (cron, words) => {
    expect(describeSchedule({ id: 's', cron })).toBe(`${words} (UTC)`);
  });

  it.each([
    [{ everyMs: 900_000 }, 'every 15 minutes'],
    [{ everyMs: 3_600_000 }, 'every hour'],
    [{ everyMs: 1_500 }, 'every 1500 milliseconds'],
    [{ everyMs: 60_000, pace: 'fixed-delay' }, '1 minute after the end of each run'],
    [{ everyMs: 86_400_000 * 2, pace: 'fixed-delay' }, '2 days after the end of each run'],
  ] as const)('puts %j in words', (schedule, words) => {
    expect(describeSchedule({ id: 's', ...schedule })).toBe(words);
  });

  it('names the zone', () => {
    expect(describeSchedule({ id: 's', cron: '30 2 * * *', timeZone: 'Europe/Berlin' })).toBe(
      'at 02:30 (Europe/Berlin)',
    );
  });
});
