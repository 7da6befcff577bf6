import { createDeferred, silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { createMaintenanceJobs } from './maintenance-jobs.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-03-07T12:12:00Z');

function setup(sweep: () => Promise<readonly string[]> = () => Promise.resolve(['a', 'b'])) {
  const clock = createManualClock({ wallTime: START });
  const removedBefore: number[] = [];
  const jobs = createMaintenanceJobs({
    store: {
      integrity: () => Promise.resolve({ ok: false, problems: ['A page is torn.'] }),
      runs: {
        remove(before) {
          removedBefore.push(before);
          return Promise.resolve([]);
        },
      },
    },
    logs: { sweep },
    retentionMs: 24 * HOUR_MS,
    statistics: () => ({}),
    clock,
    logger: silentLogger,
  });
  onTestFinished(async () => void (await jobs.stop({ graceMs: 0 })));
  const state = (name: string) => jobs.list().find(({ job }) => job === name);
  return { clock, jobs, removedBefore, state };
}

it('runs no job at the start, and each at the next multiple of its interval', async () => {
  const { clock, jobs, removedBefore, state } = setup();
  await jobs.start();
  await clock.advance(1_000);
  expect(jobs.list().map(({ successes }) => successes)).toEqual([0, 0, 0, 0, 0, 0]);
  expect(state('old-runs')?.nextRunAt).toBe(Date.parse('2026-03-07T13:00:00Z'));
  await clock.advance(2 * HOUR_MS);
  expect(removedBefore).toEqual(
    ['2026-03-06T13:00:00Z', '2026-03-06T14:00:00Z'].map((time) => Date.parse(time)),
  );
  expect(state('output-logs')).toMatchObject({
    successes: 2,
    lastResult: { removed: 2 },
    lastError: undefined,
  });
});

it('runs one when asked, once for all who ask', async () => {
  const going = createDeferred<readonly string[]>();
  let sweeps = 0;
  const { jobs, state } = setup(() => {
    sweeps += 1;
    return going.promise;
  });
  const both = [jobs.run('output-logs'), jobs.run('output-logs')];
  expect(state('output-logs')?.running).toBe(true);
  going.resolve(['a']);
  for (const each of await Promise.all(both))
    expect(each).toMatchObject({ lastResult: { removed: 1 }, running: false });
  expect(sweeps).toBe(1);
});

it('keeps what went wrong, and says what is damaged', async () => {
  const { jobs, state } = setup(() => Promise.reject(new Error('The disk is gone.')));
  await expect(jobs.run('output-logs')).rejects.toThrow('The disk is gone.');
  expect(state('output-logs')).toMatchObject({ errors: 1, successes: 0, lastError: 'The disk is gone.' });
  expect((await jobs.run('store-check')).lastResult).toEqual({ ok: false, problems: ['A page is torn.'] });
  await expect(jobs.run('nothing')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
});
