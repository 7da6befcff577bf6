import { expect, it } from 'vitest';
import { scheduleIdOf } from './schedules.ts';

it.each([
  ['nightly.report@2026-03-08T07:00:00.000Z', 'nightly.report'],
  ['hourly@2026-03-07T12:00:00.000Z#1', 'hourly'],
  ['order-17', undefined],
  ['ada@example.org', undefined],
  [null, undefined],
])('reads the schedule of a run with the key %s', (idempotencyKey, id) => {
  expect(scheduleIdOf({ idempotencyKey })).toBe(id);
});
