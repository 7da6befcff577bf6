import { expect, it } from 'vitest';
import { draftOfSchedule, newDraft, scheduleOf } from './schedule-draft.ts';

it('makes an interval of a count and a unit, and back', () => {
  const draft = { ...newDraft('UTC'), id: 'a', rhythm: 'every' as const, everyCount: '15' };
  const schedule = scheduleOf(draft);
  expect(schedule).toMatchObject({ id: 'a', everyMs: 900_000, cron: null, timeZone: null });
  expect(draftOfSchedule(schedule)).toMatchObject({ everyCount: '15', everyUnit: 'minutes' });
});

it('keeps what the form does not show', () => {
  const before = {
    id: 'a',
    cron: '0 5 * * *',
    timeZone: 'Europe/Berlin',
    maxRuns: 7,
    run: { command: { file: 'date', args: [] }, priority: 3 },
  };
  const next = scheduleOf({ ...draftOfSchedule(before), cron: '0 6 * * *' }, before);
  expect(next).toMatchObject({ cron: '0 6 * * *', timeZone: 'Europe/Berlin', maxRuns: 7, run: before.run });
});
