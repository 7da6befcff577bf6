import { expect, it } from 'vitest';
import { shareOf } from './share.ts';

it.each([
  [0.25, 0.25],
  [{ done: 3, total: 4 }, 0.75],
  [{ done: 3, total: 0 }, undefined],
  [{ fraction: 2 }, 1],
  [{ percent: 40 }, 0.4],
  [{ step: 'reading' }, undefined],
  ['half', undefined],
  [null, undefined],
])('takes %j as %s', (progress, share) => {
  expect(shareOf(progress)).toBe(share);
});
