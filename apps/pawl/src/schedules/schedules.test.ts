import { createDeferred, onAbort, silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import {
  createMemoryRunStore,
  createMemoryScheduleStore,
  createRunTracker,
  type RunContext,
  type RunStore,
  type ScheduleStore,
} from '@pawl/tasks';
import { describe, expect, it, type TestContext } from 'vitest';
import type { RunRequest } from '../api/run-schemas.ts';
import type { ScheduleRequest } from '../api/schedule-schemas.ts';
import { createSchedules } from './schedules.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2026-03-07T12:00:00Z');

interface SetupOptions {
  readonly runs?: RunStore;
  readonly store?: ScheduleStore;
  readonly clock?: ReturnType<typeof createManualClock>;
  readonly maxQueued?: number;
  readonly task?: (context: RunContext) => unknown;
  readonly beforeSubmit?: () => Promise<void>;
}

async function setup({ onTestFinished }: TestContext, options: SetupOptions = {}) {
  const { runs = createMemoryRunStore(), store = createMemoryScheduleStore(), task = () => 'done' } = options;
  const { maxQueued = Infinity } = options;
  const clock = options.clock ?? createManualClock({ wallTime: START });
  const tracker = createRunTracker({
    store: runs,
    clock,
    maxQueued,
    tasks: { script: { run: (_input: never, context) => task(context) } },
  });
  const submitted: RunRequest[] = [];
  const schedules = createSchedules({
    store,
    tracker,
    clock,
    logger: silentLogger,
    maxQueued,
    toStored: (request) => Promise.resolve(request),
    async submit(request, schedule) {
      submitted.push(request);
      await options.beforeSubmit?.();
      if (request.script?.path === 'refused') throw new Error('There is no such folder.');
      const { id } = await tracker.start({
        task: 'script',
        input: request.script,
        key: request.key,
        idempotencyKey: request.idempotencyKey,
        schedule,
      });
      return id;
    },
  });
  await tracker.start();
  await schedules.start();
  const stop = async (): Promise<void> => {
    await schedules.stop({ graceMs: 0 });
    const stopped = tracker.stop({ graceMs: 0 });
    // A task that does not end is given up after a while.
    await clock.advance(60_000);
    await stopped;
  };
  onTestFinished(stop);
  return { clock, tracker, schedules, submitted, runs, store, stop };
}

const hourly: ScheduleRequest = { id: 'hourly', everyMs: HOUR_MS, run: { script: { path: 'a.py' } } };

function untilStopped({ signal }: RunContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    onAbort(signal, reject);
  });
}

describe('schedules', () => {
  it('give each slot a run, under its identity', async (context) => {
    const { schedules, clock, submitted, tracker } = await setup(context);
    expect(await schedules.create(hourly)).toMatchObject({
      id: 'hourly',
      inWords: 'every hour',
      nextAt: '2026-03-07T13:00:00.000Z',
      schedule: { everyMs: HOUR_MS, cron: null, overlap: null, run: { script: { path: 'a.py' } } },
      pause: null,
      problem: null,
    });
    await clock.advance(HOUR_MS);
    await tracker.waitAll();
    await clock.advance(1);
    expect(submitted.map(({ idempotencyKey, key }) => [idempotencyKey, key])).toEqual([
      ['hourly@2026-03-07T12:00:00.000Z', 'schedule:hourly'],
      ['hourly@2026-03-07T13:00:00.000Z', 'schedule:hourly'],
    ]);
    const view = await schedules.get('hourly');
    expect(view).toMatchObject({
      runs: 2,
      running: 0,
      failuresInARow: 0,
      nextAt: '2026-03-07T14:00:00.000Z',
    });
    expect(view.lastRuns.map(({ state, at }) => [state, at])).toEqual([
      ['succeeded', '2026-03-07T13:00:00.000Z'],
      ['succeeded', '2026-03-07T12:00:00.000Z'],
    ]);
  });

  it('count failures of their runs, and pause after as many as they say', async (context) => {
    const { schedules, clock, tracker } = await setup(context, {
      task: () => {
        throw new Error('no');
      },
    });
    await schedules.create({ ...hourly, pauseAfterFailures: 2 });
    await clock.advance(HOUR_MS + 1);
    await tracker.waitAll();
    await clock.advance(1);
    expect(await schedules.get('hourly')).toMatchObject({
      failuresInARow: 2,
      nextAt: null,
      pause: { cause: 'failures', reason: '2 runs failed one after another.' },
      lastRuns: [{ state: 'failed' }, { state: 'failed' }],
    });
    expect(await schedules.resume('hourly')).toMatchObject({ pause: null, failuresInARow: 0 });
  });

  it('tell why a slot got no run', async (context) => {
    const { schedules, clock } = await setup(context);
    await schedules.create({ ...hourly, run: { script: { path: 'refused' } } });
    await clock.advance(1);
    expect(await schedules.get('hourly')).toMatchObject({
      problem: { at: '2026-03-07T12:00:00.000Z', message: 'There is no such folder.' },
      failuresInARow: 1,
      lastRuns: [],
    });
    await expect(schedules.runNow('hourly')).rejects.toThrow('There is no such folder.');
  });

  it('are paused with a reason, resumed, skipped once, and unskipped', async (context) => {
    const { schedules, clock } = await setup(context);
    await schedules.create({ ...hourly, startAt: START + HOUR_MS });
    expect(await schedules.pause('hourly', 'Ada is on holiday')).toMatchObject({
      pause: { reason: 'Ada is on holiday', cause: 'asked', at: '2026-03-07T12:00:00.000Z' },
      nextAt: null,
    });
    expect((await schedules.resume('hourly')).nextAt).toBe('2026-03-07T13:00:00.000Z');
    expect(await schedules.skipNext('hourly')).toMatchObject({
      skipsAt: '2026-03-07T13:00:00.000Z',
      nextAt: '2026-03-07T14:00:00.000Z',
    });
    expect((await schedules.preview('hourly', 2)).slots.map(({ skipped }) => skipped)).toEqual([true, false]);
    expect(await schedules.undoSkip('hourly')).toMatchObject({
      skipsAt: null,
      nextAt: '2026-03-07T13:00:00.000Z',
    });
    await schedules.skipNext('hourly');
    await clock.advance(HOUR_MS);
    expect(await schedules.get('hourly')).toMatchObject({ runs: 0, skipsAt: null });
  });

  it('run now, and name the run; not beside another where that may not be', async (context) => {
    const going = createDeferred();
    const { schedules, tracker, clock } = await setup(context, { task: () => going.promise });
    await schedules.create({ ...hourly, startAt: START + HOUR_MS });
    const { runId, result } = await schedules.runNow('hourly');
    expect(result).toBe('started');
    expect((await tracker.get(runId ?? ''))?.idempotencyKey).toBe('hourly@2026-03-07T12:00:00.000Z#1');
    expect(await schedules.get('hourly')).toMatchObject({
      runs: 0,
      running: 1,
      nextAt: '2026-03-07T13:00:00.000Z',
    });
    await expect(schedules.runNow('hourly')).rejects.toMatchObject({
      status: 409,
      code: 'SCHEDULE_BUSY',
      message: "The schedule hourly can't be run now: a run of it goes on.",
    });
    going.resolve();
    await tracker.wait(runId ?? '');
    await clock.advance(1);
    expect((await schedules.get('hourly')).lastRuns).toMatchObject([{ runId, state: 'succeeded' }]);
  });

  it('end the run that a later slot takes the place of', async (context) => {
    const { schedules, clock, tracker } = await setup(context, {
      task: untilStopped,
    });
    await schedules.create({ ...hourly, overlap: 'cancel-running' });
    await clock.advance(1);
    await clock.advance(HOUR_MS);
    const { lastRuns } = await schedules.get('hourly');
    expect(lastRuns.map(({ state }) => state)).toEqual(['running', 'cancelled']);
    expect((await tracker.get(lastRuns[1]?.runId ?? ''))?.cancelReason).toContain('the next one is due');
  });

  it('survive a restart: no slot fires twice, and what went on is not run beside', async (context) => {
    const [runs, store] = [createMemoryRunStore(), createMemoryScheduleStore()];
    const clock = createManualClock({ wallTime: START });
    const options = { runs, store, clock };
    const before = await setup(context, { ...options, task: untilStopped });
    await before.schedules.create(hourly);
    await clock.advance(1);
    const first = (await before.schedules.get('hourly')).lastRuns[0]?.runId ?? '';
    expect(first).not.toBe('');
    // Left as a crash leaves it but for the lock: the run is queued again, and the slot is claimed.
    await before.stop();

    const after = await setup(context, options);
    await clock.advance(60_000);
    expect(after.submitted).toEqual([]);
    expect(await after.schedules.get('hourly')).toMatchObject({
      runs: 1,
      pause: null,
      failuresInARow: 0,
      lastRuns: [{ runId: first, state: 'succeeded' }],
    });
  });

  it('show what the clocks do to the next slot', async (context) => {
    const { schedules } = await setup(context);
    const request = { ...hourly, everyMs: undefined, cron: '30 2 * * *', timeZone: 'America/New_York' };
    const view = await schedules.create(request);
    expect(view.nextAt).toBe('2026-03-08T07:00:00.000Z');
    expect(view.nextNote).toMatch(/02:30 does not exist/);
    expect(view.inWords).toBe('at 02:30 (America/New_York)');
    const { slots } = schedules.previewDraft(request, undefined, 2);
    expect(slots).toMatchObject(
      [
        { nominalAt: '2026-03-08T07:00:00.000Z', local: '2026-03-08T03:00:00-04:00', notes: [/02:30/] },
        { nominalAt: '2026-03-09T06:30:00.000Z', notes: [] },
      ].map((slot) => ({ ...slot, notes: slot.notes.map(() => expect.stringContaining('02:30')) })),
    );
  });

  it.each([
    [{ cron: '61 * * * *', everyMs: undefined }, 'cron'],
    [{ cron: '0 0 30 2 *', everyMs: undefined }, 'cron'],
    [{ cron: '* * * * *', everyMs: undefined, timeZone: 'America/New_Yrok' }, 'timeZone'],
    [{ cron: '* * * * *' }, 'cron'],
    [{ startAt: 5, endAt: 4 }, 'startAt'],
    [{ pace: 'fixed-rate' as const, everyMs: undefined, cron: '* * * * *' }, 'pace'],
  ])('refuse %j, and store nothing', async (changes, field) => {
    const finished: (() => unknown)[] = [];
    const { schedules } = await setup({ onTestFinished: (fn: () => unknown) => finished.push(fn) } as never);
    await expect(schedules.create({ ...hourly, ...changes })).rejects.toMatchObject({
      status: 422,
      faults: [{ field }],
    });
    expect((await schedules.list({ limit: 10 })).schedules).toEqual([]);
    for (const fn of finished) await fn();
  });

  it('are made once, replaced with how far they have come, and removed', async (context) => {
    const { schedules, clock } = await setup(context);
    await schedules.create(hourly);
    await clock.advance(1);
    await expect(schedules.create(hourly)).rejects.toMatchObject({ status: 409, code: 'SCHEDULE_EXISTS' });
    const { schedule, created } = await schedules.replace({ ...hourly, everyMs: 2 * HOUR_MS });
    expect([created, schedule.runs, schedule.inWords]).toEqual([false, 1, 'every 2 hours']);
    expect((await schedules.replace({ ...hourly, id: 'other' })).created).toBe(true);
    const { schedules: page, nextCursor } = await schedules.list({ limit: 1 });
    expect([page.map(({ id }) => id), nextCursor]).toEqual([['hourly'], 'hourly']);
    expect((await schedules.list({ limit: 1, cursor: 'hourly' })).nextCursor).toBe(null);
    await schedules.remove('hourly');
    await expect(schedules.get('hourly')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
    await expect(schedules.remove('hourly')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
  });
});

describe('while as many runs are queued as may be', () => {
  /** Nothing runs, and one run that nobody needs fills the queue; it is cancelled to make room. */
  async function setupFull(context: TestContext, options: SetupOptions = {}) {
    const all = await setup(context, { ...options, maxQueued: 1 });
    const filler = await all.tracker.start({ task: 'script', delayMs: 100 * HOUR_MS });
    return { ...all, makeRoom: () => all.tracker.cancel(filler.id) };
  }
  const problem = (at: string) => ({ at, message: expect.stringContaining('waits until fewer') as string });

  it('slots wait, and say so', async (context) => {
    const { schedules, clock, submitted, makeRoom } = await setupFull(context);
    await schedules.create(hourly);
    await clock.advance(3_000);
    expect(await schedules.get('hourly')).toMatchObject({
      problem: problem('2026-03-07T12:00:00.000Z'),
      running: 0,
      lastRuns: [],
    });
    expect(submitted).toEqual([]);
    await makeRoom();
    await clock.advance(1_000);
    expect(await schedules.get('hourly')).toMatchObject({
      problem: null,
      failuresInARow: 0,
      lastRuns: [{ state: 'succeeded' }],
    });
  });

  it('nothing waits any more once the schedule is paused', async (context) => {
    const { schedules, clock } = await setupFull(context);
    await schedules.create(hourly);
    await clock.advance(3_000);
    expect((await schedules.pause('hourly', 'enough')).problem).toBe(null);
    await schedules.resume('hourly');
    await clock.advance(1_000);
    expect((await schedules.get('hourly')).problem).toEqual(problem('2026-03-07T12:00:04.000Z'));
  });

  it('nor once the slot is skipped, because a run of before goes on', async (context) => {
    const { schedules, clock, tracker } = await setup(context, { maxQueued: 1, task: untilStopped });
    await schedules.create(hourly);
    await clock.advance(1);
    const filler = await tracker.start({ task: 'script', delayMs: 100 * HOUR_MS });
    await clock.advance(HOUR_MS + 1_000);
    expect((await schedules.get('hourly')).problem).toEqual(problem('2026-03-07T13:00:00.000Z'));
    await tracker.cancel(filler.id);
    await clock.advance(1_000);
    expect(await schedules.get('hourly')).toMatchObject({ problem: null, runs: 1, running: 1 });
  });

  it('slots that became late meanwhile are dropped where that is the policy, and it is told', async (context) => {
    const { schedules, clock, submitted, makeRoom } = await setupFull(context);
    await schedules.create({ ...hourly, misfire: 'skip' });
    await clock.advance(2 * HOUR_MS + 60_000);
    await makeRoom();
    await clock.advance(1_000);
    expect(submitted).toEqual([]);
    expect((await schedules.get('hourly')).problem?.message).toBe('Slots missed: 1, of which 0 get a run.');
    await clock.advance(HOUR_MS);
    expect(await schedules.get('hourly')).toMatchObject({ problem: null, runs: 1 });
  });

  it('a slot that was claimed just before asks again until there is room', async (context) => {
    const filled = createDeferred();
    const { schedules, clock, tracker, submitted } = await setup(context, {
      maxQueued: 1,
      beforeSubmit: () => filled.promise,
    });
    await schedules.create(hourly);
    await clock.advance(1);
    const filler = await tracker.start({ task: 'script', delayMs: 100 * HOUR_MS });
    filled.resolve();
    await clock.advance(10_000);
    expect(submitted.length).toBeGreaterThan(5);
    expect(await schedules.get('hourly')).toMatchObject({
      problem: problem('2026-03-07T12:00:00.001Z'),
      running: 1,
      failuresInARow: 0,
      lastRuns: [],
    });
    await tracker.cancel(filler.id);
    await clock.advance(1_000);
    const { runs } = await tracker.list({ schedule: 'hourly' });
    expect(runs).toMatchObject([{ idempotencyKey: 'hourly@2026-03-07T12:00:00.000Z', state: 'succeeded' }]);
    expect(await schedules.get('hourly')).toMatchObject({ problem: null, running: 0 });
  });

  it('a slot that was claimed just before is given up when the service ends', async (context) => {
    const filled = createDeferred();
    const { schedules, clock, tracker } = await setup(context, {
      maxQueued: 1,
      beforeSubmit: () => filled.promise,
    });
    await schedules.create(hourly);
    await clock.advance(1);
    await tracker.start({ task: 'script', delayMs: 100 * HOUR_MS });
    filled.resolve();
    await clock.advance(5_000);
    await schedules.stop({ graceMs: 0 });
    expect((await tracker.list({ schedule: 'hourly' })).runs).toEqual([]);
    expect(clock.pendingTimers).toBeLessThan(4);
  });

  it('who asks for a run is told at once', async (context) => {
    const { schedules } = await setupFull(context);
    await schedules.create({ ...hourly, startAt: START + HOUR_MS });
    await expect(schedules.runNow('hourly')).rejects.toMatchObject({ code: 'RUN_QUEUE_FULL', maxQueued: 1 });
  });
});

it('stops when what was claimed has its run', async (context) => {
  const stored = createDeferred();
  const { schedules, clock, tracker } = await setup(context, { beforeSubmit: () => stored.promise });
  await schedules.create(hourly);
  await clock.advance(1);
  let isStopped = false;
  const stopping = schedules.stop({ graceMs: 0 }).then(() => (isStopped = true));
  await clock.advance(1_000);
  expect(isStopped).toBe(false);
  stored.resolve();
  await stopping;
  expect((await tracker.list()).runs).toMatchObject([{ idempotencyKey: 'hourly@2026-03-07T12:00:00.000Z' }]);
});

describe('a backfill', () => {
  const january = {
    from: Date.parse('2026-01-01T00:00:00Z'),
    to: Date.parse('2026-02-01T00:00:00Z'),
    maxConcurrent: 2,
  };
  const daily: ScheduleRequest = { id: 'daily', cron: '0 0 * * *', run: { script: { path: 'a.py' } } };

  it('counts first, then gives each slot its run once', async (context) => {
    const { schedules, submitted, tracker, clock } = await setup(context);
    await schedules.create({ ...daily, maxRuns: 3 });
    expect(await schedules.backfill('daily', { ...january, dryRun: true })).toEqual({
      dryRun: true,
      slots: 31,
    });
    expect(submitted).toEqual([]);
    expect(await schedules.backfill('daily', { ...january, dryRun: false })).toEqual({
      dryRun: false,
      slots: 31,
    });
    await expect(schedules.backfill('daily', { ...january, dryRun: false })).rejects.toMatchObject({
      code: 'BACKFILL_RUNNING',
    });
    while (submitted.length < 31) {
      await clock.advance(1);
      await tracker.waitAll();
    }
    expect(new Set(submitted.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(31);
    expect(submitted[30]?.idempotencyKey).toBe('daily@2026-01-31T00:00:00.000Z');
    expect(await schedules.get('daily')).toMatchObject({ runs: 0, nextAt: '2026-03-08T00:00:00.000Z' });
  });

  it.each([
    ['into the future', { to: START + HOUR_MS }, 'to'],
    ['backwards', { from: january.to, to: january.from }, 'from'],
    ['too much', { from: 0 }, 'from'],
  ])('refuses %s', async (_title, span, field) => {
    const finished: (() => unknown)[] = [];
    const { schedules } = await setup({ onTestFinished: (fn: () => unknown) => finished.push(fn) } as never);
    await schedules.create({ ...daily, cron: '*/5 * * * *' });
    await expect(schedules.backfill('daily', { ...january, ...span, dryRun: true })).rejects.toMatchObject({
      status: 422,
      faults: [{ field }],
    });
    for (const fn of finished) await fn();
  });
});
