import { describe, expect, it } from 'vitest';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../../test/settle.ts';
import { parseRetryAfter, retryAfterHeader } from './retry-after.ts';
import { retry } from './retry.ts';

/** At 08:49:37 on the day of RFC 9110's own example. */
const clock = createManualClock({ wallTime: Date.UTC(1994, 10, 6, 8, 49, 37) });

describe('parseRetryAfter', () => {
  it.each([
    ['seconds', '120', 120_000],
    ['nothing to wait for', '0', 0],
    ['space around it', ' 7 ', 7_000],
    ['a fraction, as some services send', '1.5', 1_500],
    ['a number', 3, 3_000],
    ['a huge number', '9'.repeat(400), Number.MAX_SAFE_INTEGER],
    ['the usual date', 'Sun, 06 Nov 1994 08:49:47 GMT', 10_000],
    ['a date of RFC 850', 'Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
    ['a date of RFC 850 after the turn of the century', 'Saturday, 06-Nov-04 08:49:37 GMT', 315_619_200_000],
    ['a date of asctime', 'Sun Nov  6 08:49:38 1994', 1_000],
    ['a date that has passed', 'Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['one of RFC 850 more than 50 years ahead', 'Monday, 06-Nov-45 08:49:37 GMT', 0],
  ])('reads %s', (_name, header, delayMs) => {
    expect(parseRetryAfter(header, { clock })).toBe(delayMs);
  });

  it.each([
    ['a negative number', '-1'],
    ['a word', 'soon'],
    ['nothing', ''],
    ['null', null],
    ['undefined', undefined],
    ['an unknown month', 'Sun, 06 Foo 1994 08:49:47 GMT'],
    ['another zone', 'Sun, 06 Nov 1994 08:49:47 +0100'],
    ['a date of ISO 8601', '1994-11-06T08:49:47Z'],
    ['NaN', Number.NaN],
  ])('takes %s for no wish', (_name, header) => {
    expect(parseRetryAfter(header, { clock })).toBeUndefined();
  });
});

describe('retryAfterHeader', () => {
  const headers = { 'Retry-After': '2' };

  it.each([
    ['the error', { headers }],
    ['its response', { response: { headers: new Headers(headers) } }],
    ['its cause', new Error('failed', { cause: { headers } })],
    ['the response of its cause', { cause: { response: { headers: { 'retry-after': ['2', '9'] } } } }],
  ])('finds the header on %s', (_name, error) => {
    expect(retryAfterHeader({ clock })(error)).toBe(2_000);
  });

  it('finds none on anything else', () => {
    const delayFor = retryAfterHeader({ clock });
    for (const error of [undefined, null, 'down', new Error('down'), { headers: {} }, { headers: 7 }]) {
      expect(delayFor(error)).toBeUndefined();
    }
  });

  it('makes a retry wait as long as the other side asks, and never shorter', async () => {
    const manual = createManualClock();
    const policy = retry({ clock: manual, maxAttempts: 2, delayFor: retryAfterHeader({ clock: manual }) });
    const calls: number[] = [];
    watch(
      policy.execute(() => {
        calls.push(manual.now());
        throw Object.assign(new Error('429'), { headers });
      }),
    );
    await manual.advance(1_999);
    expect(calls).toEqual([0]);
    await manual.advance(1);
    expect(calls).toEqual([0, 2_000]);
  });

  it('refuses wrong options', () => {
    expect(() => retryAfterHeader({ clok: clock } as object)).toThrow('did you mean `clock`?');
  });
});
