import { describe, expect, it } from 'vitest';
import { describeProgress, fractionOf } from './run-lines.ts';

describe('the progress of a run', () => {
  it.each([
    [null, null, undefined],
    [0.4, '40 %', 0.4],
    [{ fraction: 0.25 }, '25 %', 0.25],
    [{ percent: 50, message: 'halfway' }, '50 %, halfway', 0.5],
    [{ done: 3, total: 7 }, '3 of 7', 3 / 7],
    [{ message: 'reads\nfiles' }, 'reads files', undefined],
    [{ files: 3 }, '{"files":3}', undefined],
    ['soon', '"soon"', undefined],
    [{ done: 9, total: 7 }, '9 of 7', undefined],
    [Number.NaN, 'null', undefined],
  ])('%j is %j', (progress, text, fraction) => {
    expect(describeProgress(progress)).toBe(text);
    expect(fractionOf(progress)).toBe(fraction);
  });
});
