import { createDeferred, type Deferred } from '@pawl/core';
import { createManualClock, createEventMonitor, serviceContract } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryScheduleStore } from './memory-schedule-store.ts';
import type { OverlapPolicy } from './overlap.ts';
import { preview } from './preview.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { Schedule } from './schedule.ts';
import type { SchedulerOptions } from './scheduler-options.ts';
import { createScheduler } from './scheduler.ts';
import type { SlotRun } from './slot-runs.ts';

/** 2026-01-01T00:00:00Z, where the manual clock begins. */
const START = 1_767_225_600_000;
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** A running scheduler whose runs are noted, and end at once unless `fire` says otherwise. */
async function setup(options: Partial<SchedulerOptions> & { wallTime?: number } = {}) {
  const { wallTime = START, ...rest } = options;
  const clock = createManualClock({ wallTime });
  const runs: SlotRun[] = [];
  const scheduler = createScheduler({
    clock,
    ...rest,
    fire: (run) => {
      runs.push(run);
      return options.fire?.(run);
    },
  });
  const events = createEventMonitor(scheduler);
  onTestFinished(async () => {
    events[Symbol.dispose]();
    await scheduler.stop({ graceMs: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
  await scheduler.start();
  /** When slots fired, in seconds after the start. */
  const seconds = (): readonly number[] => runs.map(({ nominalAt }) => (nominalAt - wallTime) / SECOND);
  const named = (name: string): readonly unknown[] =>
    events.events.filter((event) => event.name === name).map(({ payload }) => payload);
  const skipped = (): readonly unknown[] =>
    (named('slot:skipped') as { nominalAt: number; reason: string }[]).map(({ nominalAt, reason }) => [
      (nominalAt - wallTime) / SECOND,
      reason,
    ]);
  return { scheduler, clock, runs, events, seconds, named, skipped };
}

/** Work that lasts until it is told to end, or `lastsMs`; ends when it is aborted. */
function lasting(clock: { setTimer: (ms: number, fn: () => void) => unknown }, lastsMs: number) {
  return ({ signal }: SlotRun) =>
    new Promise<void>((resolve, reject) => {
      clock.setTimer(lastsMs, resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
}

describe('a scheduler', () => {
  for (const check of serviceContract(() => createScheduler({ fire: () => undefined })))
    it(check.title, check.run);

  it('holds no timer while it has no schedule, and none when all have ended or are paused', async () => {
    const { scheduler, clock, named } = await setup();
    expect(clock.pendingTimers).toBe(0);
    await scheduler.save({ id: 'a', everyMs: SECOND, endAt: START + 2 * SECOND });
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(2 * SECOND);
    expect(clock.pendingTimers).toBe(0);
    expect(named('schedule:ended')).toEqual([{ scheduleId: 'a' }]);
    await scheduler.save({ id: 'b', everyMs: SECOND });
    await scheduler.pause('b', 'maintenance');
    expect(clock.pendingTimers).toBe(0);
    expect(scheduler.get('a')).toMatchObject({ ended: true, nextAt: undefined, runs: 2 });
  });

  it('looks at the clock at least every 30 seconds while a slot is to come', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'yearly', cron: '@yearly' });
    await clock.settle();
    expect(runs).toHaveLength(1);
    for (let look = 1; look <= 5; look += 1) {
      expect(clock.nextDue).toBe(look * 30 * SECOND);
      await clock.advance(30 * SECOND);
    }
  });

  it('fires at the slot, not at the next look', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({
      id: 'a',
      everyMs: 45 * SECOND,
      startAt: START + 45 * SECOND,
      payload: { to: 'ops' },
    });
    await clock.advance(45 * SECOND - 1);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(runs).toMatchObject([
      {
        scheduleId: 'a',
        nominalAt: START + 45 * SECOND,
        trigger: 'schedule',
        key: 'a@2026-01-01T00:00:45.000Z',
        payload: { to: 'ops' },
      },
    ]);
    expect(scheduler.get('a')).toMatchObject({
      nextAt: START + 90 * SECOND,
      lastSlotAt: START + 45 * SECOND,
      runs: 1,
    });
  });

  it('goes on when a run throws', async () => {
    const { scheduler, clock, seconds, named } = await setup({
      fire: () => {
        throw new Error('no');
      },
    });
    await scheduler.save({ id: 'a', everyMs: SECOND });
    await clock.advance(2 * SECOND);
    expect(seconds()).toEqual([0, 1, 2]);
    expect(named('run:failed')).toHaveLength(3);
    expect(scheduler.get('a')?.failuresInARow).toBe(3);
  });

  it('has ended after its runs', async () => {
    const { scheduler, clock, seconds } = await setup();
    await scheduler.save({ id: 'a', everyMs: SECOND, maxRuns: 3 });
    await clock.advance(10 * SECOND);
    expect(seconds()).toEqual([0, 1, 2]);
    expect(scheduler.get('a')?.ended).toBe(true);
  });

  it('delays a slot by its jitter and keeps its identity', async () => {
    const { scheduler, clock, runs } = await setup();
    const schedule = { id: 'jittery', everyMs: MINUTE, jitterMs: 30 * SECOND };
    const [slot] = preview(schedule, START, 1);
    const delay = (slot?.dueAt ?? 0) - START;
    await scheduler.save(schedule);
    expect(delay).toBeGreaterThan(0);
    await clock.advance(delay - 1);
    expect(runs).toEqual([]);
    await clock.advance(1);
    expect(runs.map(({ nominalAt }) => nominalAt)).toEqual([START]);
  });

  it('refuses what is wrong, and ids nobody knows', async () => {
    const { scheduler } = await setup();
    await expect(scheduler.save({ id: 'a', cron: '61 * * * *' })).rejects.toThrow('valid minute');
    await expect(scheduler.save({ id: '', everyMs: 1 })).rejects.toThrow('`id`');
    await expect(scheduler.pause('a', 'why')).rejects.toMatchObject({ code: 'SCHEDULE_NOT_FOUND' });
    await expect(scheduler.backfill('a', { from: 0, to: 1 })).rejects.toMatchObject({
      code: 'SCHEDULE_NOT_FOUND',
    });
    expect(() => createScheduler({ fire: () => undefined, lateMS: 1 } as never)).toThrow(
      'did you mean `lateMs`?',
    );
  });
});

describe('a slot that is due while a run goes on', () => {
  /** A run every second that takes 3.5 s, for 9 s. */
  async function overlapping(overlap: OverlapPolicy) {
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    let atOnce = 0;
    let mostAtOnce = 0;
    const all = await setup({
      fire: async (run) => {
        atOnce += 1;
        mostAtOnce = Math.max(mostAtOnce, atOnce);
        try {
          await lasting(clockOf.clock!, 3_500)(run);
        } finally {
          atOnce -= 1;
        }
      },
    });
    clockOf.clock = all.clock;
    await all.scheduler.save({ id: 'a', everyMs: SECOND, overlap, endAt: START + 9 * SECOND });
    await all.clock.advance(60 * SECOND);
    return { ...all, mostAtOnce };
  }

  it('is skipped', async () => {
    const { seconds, skipped, mostAtOnce } = await overlapping('skip');
    expect(seconds()).toEqual([0, 4, 8]);
    expect(skipped()).toEqual([1, 2, 3, 5, 6, 7].map((second) => [second, 'still-running']));
    expect(mostAtOnce).toBe(1);
  });

  it('waits alone', async () => {
    const { seconds, skipped, mostAtOnce } = await overlapping('queue-one');
    expect(seconds()).toEqual([0, 1, 4, 7]);
    expect(skipped()).toEqual([2, 3, 5, 6, 8].map((second) => [second, 'one-waits-already']));
    expect(mostAtOnce).toBe(1);
  });

  it('waits with all others', async () => {
    const { seconds, skipped, mostAtOnce } = await overlapping('queue-all');
    expect(seconds()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(skipped()).toEqual([]);
    expect(mostAtOnce).toBe(1);
  });

  it('cancels the one that runs', async () => {
    const { seconds, named, mostAtOnce } = await overlapping('cancel-running');
    expect(seconds()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(named('run:cancelled')).toHaveLength(8);
    expect(named('run:cancelled')[0]).toMatchObject({
      durationMs: SECOND,
      reason: { code: 'RUN_SUPERSEDED' },
    });
    expect(named('run:succeeded')).toHaveLength(1);
    expect(mostAtOnce).toBe(1);
  });

  it('runs beside it', async () => {
    const { seconds, mostAtOnce } = await overlapping('allow');
    expect(seconds()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(mostAtOnce).toBe(4);
  });

  it('gives way to a later one while a cancelled run does not end', async () => {
    const ends: Deferred<void>[] = [];
    const { scheduler, clock, seconds, skipped } = await setup({
      fire: () => {
        const end = createDeferred();
        ends.push(end);
        return end.promise;
      },
    });
    await scheduler.save({ id: 'a', everyMs: SECOND, overlap: 'cancel-running' });
    await clock.advance(3_500);
    expect(seconds()).toEqual([0]);
    expect(skipped()).toEqual([
      [1, 'superseded'],
      [2, 'superseded'],
    ]);
    ends[0]?.resolve();
    await clock.settle();
    expect(seconds()).toEqual([0, 3]);
    for (const end of ends) end.resolve();
  });

  it('is skipped when too many wait', async () => {
    const { scheduler, clock, skipped } = await setup({ fire: () => new Promise(() => undefined) });
    await scheduler.save({ id: 'a', everyMs: SECOND, overlap: 'queue-all', maxQueued: 2 });
    await clock.advance(4 * SECOND);
    expect(scheduler.get('a')).toMatchObject({ running: 1, waiting: 2 });
    expect(skipped()).toEqual([
      [3, 'queue-full'],
      [4, 'queue-full'],
    ]);
  });
});

describe('slots that nobody was there for', () => {
  /** A schedule that ran for 10 minutes; its host is down for `downMs`; another host takes over. */
  async function after(downMs: number, schedule: Partial<Schedule>) {
    const store = createMemoryScheduleStore();
    const first = await setup({ store });
    await first.scheduler.save({ id: 'a', everyMs: MINUTE, ...schedule });
    await first.clock.advance(10 * MINUTE);
    await first.scheduler.stop();
    const second = await setup({ store, wallTime: START + 10 * MINUTE + downMs });
    await second.clock.settle();
    const minutes = second.runs.map(({ nominalAt, trigger }) => [(nominalAt - START) / MINUTE, trigger]);
    return { ...second, minutes, first };
  }

  it('are caught up with once, by the latest', async () => {
    const { minutes, named } = await after(5 * MINUTE + 30 * SECOND, {});
    expect(minutes).toEqual([[15, 'catch-up']]);
    expect(named('slots:missed')).toEqual([
      { scheduleId: 'a', count: 5, caughtUp: 1, firstAt: START + 11 * MINUTE, lastAt: START + 15 * MINUTE },
    ]);
  });

  it('are forgotten', async () => {
    const { minutes, clock, runs } = await after(5 * MINUTE + 30 * SECOND, { misfire: 'skip' });
    expect(minutes).toEqual([]);
    await clock.advance(30 * SECOND);
    expect(runs.map(({ nominalAt }) => nominalAt)).toEqual([START + 16 * MINUTE]);
  });

  it('are all run, in order, up to a limit', async () => {
    const all = await after(3 * MINUTE + 30 * SECOND, { misfire: 'all' });
    expect(all.minutes).toEqual([11, 12, 13].map((minute) => [minute, 'catch-up']));
    const some = await after(9 * MINUTE + 30 * SECOND, { misfire: 'all', maxCatchUp: 2, overlap: 'allow' });
    expect(some.minutes).toEqual([18, 19].map((minute) => [minute, 'catch-up']));
  });

  it('are run no more often than the schedule may run', async () => {
    const { minutes, scheduler } = await after(5 * MINUTE + 30 * SECOND, { misfire: 'all', maxRuns: 13 });
    expect(minutes).toEqual([11, 12].map((minute) => [minute, 'catch-up']));
    expect(scheduler.get('a')).toMatchObject({ runs: 13, ended: true });
  });

  it('are dropped when they are older than the window', async () => {
    const { minutes, named } = await after(9 * MINUTE + 30 * SECOND, {
      misfire: 'all',
      misfireWindowMs: 2 * MINUTE,
      overlap: 'allow',
    });
    expect(minutes).toEqual([18, 19].map((minute) => [minute, 'catch-up']));
    expect(named('slots:missed')).toMatchObject([{ count: 9, caughtUp: 2 }]);
  });

  it('are the slot that is due and nothing else when the host was back in time', async () => {
    const { minutes, named } = await after(MINUTE + 4 * SECOND, { misfire: 'skip' });
    expect(minutes).toEqual([[11, 'schedule']]);
    expect(named('slots:missed')).toEqual([]);
  });

  it('cost no time however many they are', async () => {
    const { minutes, named } = await after(400 * DAY, {
      everyMs: SECOND,
      misfire: 'all',
      maxCatchUp: 3,
      overlap: 'allow',
    });
    expect(minutes.filter(([, trigger]) => trigger === 'catch-up')).toHaveLength(3);
    expect(minutes.filter(([, trigger]) => trigger === 'schedule')).toHaveLength(6);
    expect(named('slots:missed')).toMatchObject([{ count: 1_000, caughtUp: 3 }]);
  });

  it('are no flood after a pause', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE });
    await scheduler.pause('a', 'release');
    expect(scheduler.get('a')).toMatchObject({
      pause: { reason: 'release', cause: 'asked' },
      nextAt: undefined,
    });
    await clock.advance(10 * MINUTE + 30 * SECOND);
    runs.length = 0;
    await scheduler.resume('a');
    expect(runs.map(({ nominalAt, trigger }) => [nominalAt - START, trigger])).toEqual([
      [10 * MINUTE, 'catch-up'],
    ]);
    expect(scheduler.get('a')?.pause).toBeUndefined();
  });
});

describe('a wall clock that is set', () => {
  it('forward by hours, or a machine that slept, leads to the misfire policy, once', async () => {
    const { scheduler, clock, runs, named } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE });
    await clock.advance(90 * SECOND);
    clock.stepWallTime(3 * HOUR);
    await clock.advance(30 * SECOND);
    const minutes = runs.map(({ nominalAt, trigger }) => [(nominalAt - START) / MINUTE, trigger]);
    // 00:01:30 + 3 h + the 30 s to the next slot, which takes the place of those that were missed.
    expect(minutes).toEqual([
      [1, 'schedule'],
      [182, 'schedule'],
    ]);
    expect(named('clock:stepped')).toEqual([{ byMs: 3 * HOUR }]);
    expect(named('slots:missed')).toMatchObject([{ count: 180 }]);
  });

  it('back by ten minutes makes no slot fire twice', async () => {
    const { scheduler, clock, runs, named } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE });
    await clock.advance(15 * MINUTE);
    clock.stepWallTime(-10 * MINUTE);
    await clock.advance(15 * MINUTE);
    const minutes = runs.map(({ nominalAt }) => (nominalAt - START) / MINUTE);
    expect(minutes).toEqual(Array.from({ length: 21 }, (_, minute) => minute));
    expect(named('clock:stepped')).toEqual([{ byMs: -10 * MINUTE }]);
  });

  it('back from a wrong year heals', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE, misfire: 'skip' });
    clock.stepWallTime(3_000 * DAY);
    await clock.advance(MINUTE);
    clock.stepWallTime(-3_000 * DAY);
    runs.length = 0;
    await clock.advance(3 * MINUTE);
    expect(runs.map(({ nominalAt }) => (nominalAt - START) / MINUTE)).toEqual([2, 3, 4]);
  });

  it('back does not lengthen a fixed delay beyond itself', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE, pace: 'fixed-delay' });
    await clock.advance(30 * SECOND);
    clock.stepWallTime(-HOUR);
    await clock.advance(90 * SECOND);
    expect(runs).toHaveLength(2);
  });
});

describe('a slot', () => {
  it('fires once however many schedulers share the store', async () => {
    const store = createMemoryScheduleStore();
    const hosts = await Promise.all([setup({ store }), setup({ store }), setup({ store })]);
    for (const { scheduler } of hosts) await scheduler.save({ id: 'a', everyMs: SECOND });
    for (let second = 0; second < 10; second += 1) {
      await Promise.all(hosts.map(({ clock }) => clock.advance(SECOND)));
    }
    const fired = hosts.flatMap(({ seconds }) => seconds()).toSorted((a, b) => a - b);
    expect(fired).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('does not fire again when the host dies between the claim and the note of it', async () => {
    const memory = createMemoryScheduleStore();
    const forgetful: ScheduleStore = { ...memory, update: () => Promise.reject(new Error('died')) };
    const first = await setup({ store: forgetful });
    await first.scheduler.save({ id: 'a', everyMs: MINUTE });
    await first.clock.advance(MINUTE);
    expect(first.seconds()).toEqual([0, 60]);
    expect(first.named('store:failed')[0]).toMatchObject({ scheduleId: 'a', error: { message: 'died' } });
    const second = await setup({ store: memory, wallTime: START + MINUTE + SECOND });
    await second.clock.advance(MINUTE);
    expect(second.runs.map(({ nominalAt }) => nominalAt)).toEqual([START + 2 * MINUTE]);
  });

  it('is tried again when the store could not claim it', async () => {
    const memory = createMemoryScheduleStore();
    let failures = 2;
    const store: ScheduleStore = {
      ...memory,
      claimSlot: (id, nominalAt) => {
        failures -= 1;
        return failures >= 0 ? Promise.reject(new Error('disk full')) : memory.claimSlot(id, nominalAt);
      },
    };
    const { scheduler, clock, seconds, named } = await setup({ store });
    await scheduler.save({ id: 'a', everyMs: MINUTE });
    await clock.advance(1_999);
    expect(seconds()).toEqual([]);
    await clock.advance(1);
    expect(seconds()).toEqual([0]);
    expect(named('store:failed')).toHaveLength(2);
  });

  it('is not missed when the store is slow', async () => {
    const memory = createMemoryScheduleStore();
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    const store: ScheduleStore = {
      ...memory,
      claimSlot: async (id, nominalAt) => {
        await new Promise<void>((resolve) => void clockOf.clock?.setTimer(10 * SECOND, resolve));
        return memory.claimSlot(id, nominalAt);
      },
    };
    const { scheduler, clock, runs, named } = await setup({ store });
    clockOf.clock = clock;
    const seconds = [1, 1, 3, 9];
    for (const [index, second] of seconds.entries()) {
      const startAt = START + second * SECOND;
      await scheduler.save({ id: String(index), everyMs: MINUTE, startAt, misfire: 'skip', maxRuns: 1 });
    }
    await clock.advance(MINUTE);
    expect(runs.map(({ scheduleId }) => scheduleId)).toEqual(['0', '1', '2', '3']);
    expect(named('slots:missed')).toEqual([]);
  });

  it('is left out when somebody asks, and brought back', async () => {
    const { scheduler, clock, seconds, skipped } = await setup();
    await scheduler.save({ id: 'a', everyMs: SECOND, startAt: START + SECOND });
    expect(await scheduler.skipNext('a')).toBe(START + SECOND);
    expect(await scheduler.skipNext('a')).toBe(START + SECOND);
    expect(scheduler.get('a')).toMatchObject({ skipsAt: START + SECOND, nextAt: START + 2 * SECOND });
    expect(await scheduler.undoSkip('a')).toBe(true);
    expect(await scheduler.undoSkip('a')).toBe(false);
    await clock.advance(SECOND);
    await scheduler.skipNext('a');
    await clock.advance(3 * SECOND);
    expect(seconds()).toEqual([1, 3, 4]);
    expect(skipped()).toEqual([[2, 'asked']]);
    expect(scheduler.get('a')?.skipsAt).toBeUndefined();
  });
});

describe('a schedule that is changed', () => {
  it('leaves no ghost of its old slots', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'a', cron: '* * * * *' });
    await clock.advance(30 * SECOND);
    await scheduler.save({ id: 'a', cron: '5 * * * *' });
    await clock.advance(HOUR);
    expect(runs.map(({ nominalAt }) => (nominalAt - START) / MINUTE)).toEqual([0, 5]);
  });

  it('does not look for slots of its new timing in the past', async () => {
    const { scheduler, clock, runs, named } = await setup();
    await scheduler.save({ id: 'a', cron: '@weekly' });
    await clock.advance(30 * MINUTE);
    await scheduler.save({ id: 'a', cron: '5 * * * *' });
    await clock.advance(HOUR);
    expect(runs.map(({ nominalAt }) => (nominalAt - START) / MINUTE)).toEqual([65]);
    expect(named('slots:missed')).toEqual([]);
  });

  it('keeps how far it has come', async () => {
    const { scheduler, clock, seconds } = await setup();
    await scheduler.save({ id: 'a', everyMs: SECOND, maxRuns: 3 });
    await clock.advance(SECOND);
    await scheduler.pause('a', 'why');
    const status = await scheduler.save({ id: 'a', everyMs: SECOND, maxRuns: 4, misfire: 'skip' });
    expect(status).toMatchObject({ runs: 2, pause: { reason: 'why' } });
    await scheduler.resume('a');
    await clock.advance(10 * SECOND);
    expect(seconds()).toEqual([0, 1, 2, 3]);
  });

  it('when removed takes what waits along, and lets the run go on', async () => {
    const end = createDeferred();
    const { scheduler, clock, seconds, skipped, events } = await setup({ fire: () => end.promise });
    await scheduler.save({ id: 'a', everyMs: SECOND, overlap: 'queue-all' });
    await clock.advance(SECOND);
    expect(await scheduler.remove('a')).toBe(true);
    expect(await scheduler.remove('a')).toBe(false);
    expect(skipped()).toEqual([[1, 'removed']]);
    end.resolve();
    await clock.advance(5 * SECOND);
    expect(seconds()).toEqual([0]);
    expect(events.count('run:succeeded')).toBe(1);
    expect(scheduler.list()).toEqual([]);
  });

  it('that cannot be understood any more does not keep the others from running', async () => {
    const store = createMemoryScheduleStore();
    const first = await setup({ store });
    await first.scheduler.save({ id: 'b', everyMs: SECOND });
    const { schedule, state } = (await store.load('b'))!;
    await store.save({ schedule: { ...schedule, id: 'a', cron: 'often' }, state });
    await first.scheduler.stop();
    const clock = createManualClock();
    const runs: string[] = [];
    const scheduler = createScheduler({ clock, store, fire: ({ scheduleId }) => void runs.push(scheduleId) });
    const events = createEventMonitor(scheduler);
    await scheduler.start();
    await clock.advance(SECOND);
    expect(runs).toEqual(['b']);
    expect(await events.next('schedule:refused')).toMatchObject({
      scheduleId: 'a',
      error: new TypeError('Expected a schedule with either `cron` or `everyMs`, got both.'),
    });
    await scheduler.stop();
    events[Symbol.dispose]();
  });

  it('is found again by the next host, paused as it was', async () => {
    const store = createMemoryScheduleStore();
    const first = await setup({ store });
    await first.scheduler.save({ id: 'b', everyMs: SECOND, maxRuns: Infinity });
    await first.scheduler.save({ id: 'a', cron: '@daily' });
    await first.scheduler.pause('b', 'holidays');
    await first.scheduler.stop();
    const second = await setup({ store });
    expect(second.scheduler.list().map(({ schedule }) => schedule.id)).toEqual(['a', 'b']);
    expect(second.scheduler.get('b')?.pause?.reason).toBe('holidays');
  });
});

describe('a run that somebody starts', () => {
  it('does not move the next slot, nor count as one', async () => {
    const { scheduler, clock, runs } = await setup();
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE });
    await clock.advance(20 * SECOND);
    expect(await scheduler.runNow('a')).toEqual({ key: 'a@2026-01-01T00:00:20.000Z#1', result: 'started' });
    await clock.settle();
    expect(scheduler.get('a')).toMatchObject({ nextAt: START + MINUTE, runs: 0, lastSlotAt: undefined });
    await clock.advance(40 * SECOND);
    expect(runs.map(({ trigger }) => trigger)).toEqual(['manual', 'schedule']);
  });

  it('obeys the overlap policy, and runs also while paused', async () => {
    const end = createDeferred();
    const { scheduler } = await setup({ fire: () => end.promise });
    await scheduler.save({ id: 'a', cron: '@yearly', startAt: START + 1 });
    await scheduler.pause('a', 'why');
    expect(await scheduler.runNow('a')).toMatchObject({ result: 'started' });
    expect(await scheduler.runNow('a')).toMatchObject({ result: 'still-running' });
    end.resolve();
  });
});

describe('a backfill', () => {
  const january = { from: Date.parse('2026-01-01T00:00Z'), to: Date.parse('2026-02-01T00:00Z') };

  it('runs every slot of the span once, a few at a time, and leaves the live slots alone', async () => {
    let atOnce = 0;
    let mostAtOnce = 0;
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    const { scheduler, clock, runs } = await setup({
      wallTime: Date.parse('2026-02-10T12:00Z'),
      fire: async (run) => {
        atOnce += 1;
        mostAtOnce = Math.max(mostAtOnce, atOnce);
        await lasting(clockOf.clock!, 10)(run);
        atOnce -= 1;
        if (run.nominalAt === january.from) throw new Error('no');
      },
    });
    clockOf.clock = clock;
    await scheduler.save({ id: 'a', cron: '@daily', pauseAfterFailures: 1 });
    const before = scheduler.get('a');
    const report = scheduler.backfill('a', { ...january, maxConcurrent: 3 });
    await clock.advance(SECOND);
    expect(await report).toEqual({ slots: 31, alreadyClaimed: 0, succeeded: 30, failed: 1, cancelled: 0 });
    expect(mostAtOnce).toBe(3);
    expect(new Set(runs.map(({ trigger }) => trigger))).toEqual(new Set(['backfill']));
    expect(scheduler.get('a')).toEqual(before);
    const again = scheduler.backfill('a', january);
    await clock.advance(SECOND);
    expect(await again).toMatchObject({ slots: 31, alreadyClaimed: 31 });
  });

  it('ends when it is cancelled, and when the scheduler stops', async () => {
    const { scheduler, clock } = await setup({
      wallTime: Date.parse('2026-02-10T12:00Z'),
      fire: ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    await scheduler.save({ id: 'a', cron: '@daily' });
    const controller = new AbortController();
    const report = scheduler.backfill('a', { ...january, signal: controller.signal });
    await clock.settle();
    controller.abort(new Error('enough'));
    expect(await report).toEqual({ slots: 1, alreadyClaimed: 0, succeeded: 0, failed: 0, cancelled: 1 });
    const other = scheduler.backfill('a', january);
    await clock.settle();
    const stopped = await scheduler.stop({ graceMs: 0 });
    expect(stopped).toEqual({ drained: false, orphaned: ['a@2026-01-02T00:00:00.000Z'] });
    expect(await other).toEqual({ slots: 2, alreadyClaimed: 1, succeeded: 0, failed: 0, cancelled: 1 });
  });

  it('refuses the future, and a schedule without slots', async () => {
    const { scheduler } = await setup();
    await scheduler.save({ id: 'a', cron: '@daily' });
    await scheduler.save({ id: 'b', everyMs: 5, pace: 'fixed-delay', maxRuns: 1 });
    await expect(scheduler.backfill('a', { from: START, to: START + 1 })).rejects.toThrow('`to`');
    await expect(scheduler.backfill('b', { from: 0, to: START })).rejects.toThrow('has no slots');
  });
});

describe('a schedule whose runs fail', () => {
  it('is paused after so many in a row, and resumed with a clean slate', async () => {
    const results = ['fail', 'fail', 'succeed', 'fail', 'fail', 'fail', 'fail'];
    const { scheduler, clock, seconds, named } = await setup({
      fire: () => {
        if (results.shift() === 'fail') throw new Error('no');
      },
    });
    await scheduler.save({ id: 'a', everyMs: SECOND, pauseAfterFailures: 3, misfire: 'skip' });
    await clock.advance(20 * SECOND);
    expect(seconds()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(named('schedule:paused')).toEqual([
      {
        scheduleId: 'a',
        at: START + 5 * SECOND,
        reason: '3 runs failed one after another.',
        cause: 'failures',
      },
    ]);
  });

  it('is paused also when the store cannot note it down', async () => {
    const memory = createMemoryScheduleStore();
    const { scheduler, clock, seconds, named } = await setup({
      store: { ...memory, update: () => Promise.reject(new Error('disk full')) },
      fire: () => Promise.reject(new Error('no')),
    });
    await scheduler.save({ id: 'a', everyMs: SECOND, pauseAfterFailures: 1 });
    await clock.advance(10 * SECOND);
    expect(seconds()).toEqual([0]);
    expect(scheduler.get('a')?.pause?.cause).toBe('failures');
    expect(named('store:failed').length).toBeGreaterThan(0);
    await expect(scheduler.resume('a')).rejects.toThrow('disk full');
    expect(scheduler.get('a')?.pause?.cause).toBe('failures');
  });

  it('is given as many tries again when it is resumed', async () => {
    const { scheduler, clock, seconds } = await setup({
      fire: () => {
        throw new Error('no');
      },
    });
    await scheduler.save({ id: 'a', everyMs: SECOND, pauseAfterFailures: 2 });
    await clock.advance(1_500);
    expect(await scheduler.resume('a')).toMatchObject({ failuresInARow: 0, pause: undefined });
    await clock.advance(10 * SECOND);
    expect(seconds()).toEqual([0, 1, 2, 3]);
  });
});

describe('a fixed delay', () => {
  it('never starts beside itself', async () => {
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    const { scheduler, clock, seconds } = await setup({ fire: (run) => lasting(clockOf.clock!, 3_000)(run) });
    clockOf.clock = clock;
    await scheduler.save({ id: 'a', everyMs: 2 * SECOND, pace: 'fixed-delay', overlap: 'allow' });
    await clock.advance(14 * SECOND);
    expect(seconds()).toEqual([0, 5, 10]);
  });

  it('goes on after a slot that waited and was dropped', async () => {
    const end = createDeferred();
    const { scheduler, clock, runs, skipped } = await setup({ fire: () => end.promise });
    const startAt = START + SECOND;
    await scheduler.save({ id: 'a', everyMs: SECOND, pace: 'fixed-delay', overlap: 'queue-one', startAt });
    await scheduler.runNow('a');
    await clock.advance(2 * SECOND);
    expect(scheduler.get('a')).toMatchObject({ running: 1, waiting: 1, nextAt: undefined });
    await scheduler.pause('a', 'why');
    expect(skipped()).toEqual([[1, 'paused']]);
    end.resolve();
    await clock.settle();
    await scheduler.resume('a');
    await clock.advance(SECOND);
    expect(runs.map(({ trigger }) => trigger)).toEqual(['manual', 'schedule', 'schedule']);
  });

  it('runs at once and then after each end', async () => {
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    const { scheduler, clock, seconds } = await setup({ fire: (run) => lasting(clockOf.clock!, 3_000)(run) });
    clockOf.clock = clock;
    await scheduler.save({ id: 'a', everyMs: 10 * SECOND, pace: 'fixed-delay' });
    await clock.advance(30 * SECOND);
    expect(seconds()).toEqual([0, 13, 26]);
  });
});

describe('a stop', () => {
  it('lets the slot start that is being claimed, and leaves the others to the next host', async () => {
    const memory = createMemoryScheduleStore();
    const first = await setup({ store: memory });
    await first.scheduler.save({ id: 'a', everyMs: MINUTE, misfire: 'all', overlap: 'allow' });
    await first.scheduler.stop();
    const claiming = createDeferred();
    const store: ScheduleStore = {
      ...memory,
      claimSlot: async (id, nominalAt) => {
        await claiming.promise;
        return memory.claimSlot(id, nominalAt);
      },
    };
    const second = await setup({ store, wallTime: START + 3 * MINUTE + 30 * SECOND });
    await second.clock.settle();
    const stopped = second.scheduler.stop();
    claiming.resolve();
    await stopped;
    const third = await setup({ store: memory, wallTime: START + 3 * MINUTE + 40 * SECOND });
    await third.clock.settle();
    const minutesOf = (runs: readonly SlotRun[]) => runs.map(({ nominalAt }) => (nominalAt - START) / MINUTE);
    expect([first.runs, second.runs, third.runs].map(minutesOf)).toEqual([[0], [1], [2, 3]]);
    expect(second.events.count('run:succeeded')).toBe(1);
  });

  it('lets runs end within the grace, drops what waits and starts no more', async () => {
    const clockOf: { clock?: ReturnType<typeof createManualClock> } = {};
    const { scheduler, clock, seconds, skipped } = await setup({
      fire: (run) => lasting(clockOf.clock!, 3_000)(run),
    });
    clockOf.clock = clock;
    await scheduler.save({ id: 'a', everyMs: SECOND, overlap: 'queue-all' });
    await clock.advance(1_500);
    const stopped = scheduler.stop({ graceMs: 5_000 });
    await clock.advance(10 * SECOND);
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
    expect(seconds()).toEqual([0]);
    expect(skipped()).toEqual([[1, 'stopped']]);
    await expect(scheduler.runNow('a')).rejects.toMatchObject({ code: 'SCHEDULER_NOT_RUNNING' });
  });

  it('cancels and names what does not end', async () => {
    const { scheduler, clock, runs } = await setup({ fire: () => new Promise(() => undefined) });
    await scheduler.save({ id: 'a', everyMs: HOUR });
    await clock.settle();
    const stopped = scheduler.stop({ graceMs: 5_000 });
    await clock.advance(5_000);
    expect(await stopped).toEqual({ drained: false, orphaned: ['a@2026-01-01T00:00:00.000Z'] });
    expect(runs[0]?.signal.reason).toMatchObject({ code: 'SCHEDULER_STOPPED' });
  });
});

describe('a preview', () => {
  const zones = [
    'UTC',
    'America/New_York',
    'America/Sao_Paulo',
    'Europe/Berlin',
    'Africa/Casablanca',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Chatham',
  ];
  const expressions = ['30 2 * * *', '0 0 * * *', '*/40 0-3 * * 0', '15 1,2,3 * * 0'];
  const policies = [
    {},
    { dstGap: 'skip', dstOverlap: 'second' },
    { dstGap: 'shift', dstOverlap: 'both' },
  ] as const;

  it('tells what fires while the clocks change, with a look every 30 seconds', async () => {
    const wallTime = Date.parse('2026-10-31T00:00Z');
    const { scheduler, clock, runs } = await setup({ wallTime });
    const schedule = { id: 'a', cron: '*/20 0-3 * * *', timeZone: 'America/New_York' };
    await scheduler.save(schedule);
    await clock.advance(3 * DAY);
    const expected = preview(schedule, wallTime, 100).filter(
      ({ nominalAt }) => nominalAt <= wallTime + 3 * DAY,
    );
    expect(runs.map(({ nominalAt }) => nominalAt)).toEqual(expected.map(({ nominalAt }) => nominalAt));
    expect(runs).toHaveLength(12 + 15 + 12);
  });

  it('tells what fires over 400 days in 8 zones', { timeout: 60_000 }, async () => {
    // Looks at the clock less often: what that does is tested above.
    const { scheduler, clock, runs } = await setup({ recheckMs: 7 * DAY });
    const schedules = zones.flatMap((timeZone) =>
      expressions.flatMap((cron) =>
        policies.map((policy) => ({
          id: JSON.stringify([timeZone, cron, policy]),
          cron,
          timeZone,
          ...policy,
        })),
      ),
    );
    for (const schedule of schedules) await scheduler.save(schedule);
    await clock.advance(400 * DAY);
    const end = START + 400 * DAY;
    for (const schedule of schedules) {
      const fired = runs
        .filter(({ scheduleId }) => scheduleId === schedule.id)
        .map(({ nominalAt }) => nominalAt);
      const previewed = preview(schedule, START, 2_000).map(({ nominalAt }) => nominalAt);
      expect(fired).toEqual(previewed.filter((at) => at <= end));
      expect(new Set(fired).size).toBe(fired.length);
    }
    expect(runs.length).toBeGreaterThan(25_000);
  });
});

describe('while no run may start', () => {
  /** A scheduler that may start runs when `room.isThere`. */
  async function setupHeld(isThere = false, options: Parameters<typeof setup>[0] = {}) {
    const room = { isThere };
    return { room, ...(await setup({ ...options, mayFire: () => Promise.resolve(room.isThere) })) };
  }

  it('keeps a slot, and gives it its run as soon as one may', async () => {
    const { scheduler, clock, seconds, named, room } = await setupHeld();
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE });
    await clock.advance(MINUTE + 3 * SECOND);
    expect(seconds()).toEqual([]);
    expect(named('slot:held')).toEqual([{ scheduleId: 'a', nominalAt: START + MINUTE }]);
    expect(scheduler.get('a')).toMatchObject({ runs: 0, running: 0, waiting: 0 });
    room.isThere = true;
    await clock.advance(SECOND);
    expect(seconds()).toEqual([60]);
    expect(named('slots:missed')).toEqual([]);
  });

  it.each([
    ['skip', [], { count: 10, caughtUp: 0 }],
    ['once', [600], { count: 10, caughtUp: 1 }],
    ['all', [60, 120, 180, 240, 300, 360, 420, 480, 540, 600], { count: 10, caughtUp: 10 }],
  ] as const)('leaves what became late to the misfire policy `%s`', async (misfire, fired, told) => {
    const { scheduler, clock, seconds, named, room } = await setupHeld();
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE, misfire });
    await clock.advance(10 * MINUTE + 30 * SECOND);
    expect(seconds()).toEqual([]);
    room.isThere = true;
    await clock.advance(SECOND);
    expect(seconds()).toEqual(fired);
    const missed = named('slots:missed') as readonly { count: number; caughtUp: number }[];
    expect(missed.reduce((sum, { count }) => sum + count, 0)).toBe(told.count);
    expect(missed.reduce((sum, { caughtUp }) => sum + caughtUp, 0)).toBe(told.caughtUp);
    await clock.advance(MINUTE);
    expect(seconds()).toEqual([...fired, 660]);
  });

  it('stops between two slots that are brought back, and goes on with the next', async () => {
    let left = 0;
    const { scheduler, clock, seconds } = await setup({ mayFire: () => (left -= 1) >= 0 });
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE, misfire: 'all' });
    await scheduler.pause('a', 'later');
    await clock.advance(5.5 * MINUTE);
    left = 2;
    await scheduler.resume('a');
    expect(seconds()).toEqual([60, 120]);
    left = 3;
    await clock.advance(SECOND);
    expect(seconds()).toEqual([60, 120, 180, 240, 300]);
  });

  it('claims nothing, so that a restart brings the slot back', async () => {
    const store = createMemoryScheduleStore();
    const before = await setupHeld(false, { store });
    await before.scheduler.save({ id: 'a', everyMs: HOUR, startAt: START + HOUR });
    await before.clock.advance(HOUR + SECOND);
    await before.scheduler.stop();
    const after = await setup({ store, wallTime: START + HOUR + MINUTE });
    await after.clock.advance(1);
    expect(after.runs.map(({ nominalAt, trigger }) => [nominalAt, trigger])).toEqual([
      [START + HOUR, 'catch-up'],
    ]);
  });

  it('runs what somebody asks for, and holds a backfill', async () => {
    const { scheduler, clock, runs, room } = await setupHeld();
    await scheduler.save({ id: 'a', cron: '30 * * * *' });
    expect(await scheduler.runNow('a')).toMatchObject({ result: 'started' });
    const backfill = scheduler.backfill('a', { from: START - 3 * HOUR, to: START });
    await clock.advance(10 * SECOND);
    expect(runs.map(({ trigger }) => trigger)).toEqual(['manual']);
    room.isThere = true;
    await clock.advance(SECOND);
    expect(await backfill).toMatchObject({ slots: 3, succeeded: 3 });
  });

  it('ends a backfill that is held when it stops', async () => {
    const { scheduler, clock, runs } = await setupHeld();
    await scheduler.save({ id: 'a', cron: '30 * * * *' });
    const backfill = scheduler.backfill('a', { from: START - 3 * HOUR, to: START });
    await clock.advance(10 * SECOND);
    await scheduler.stop();
    expect(await backfill).toMatchObject({ slots: 0, succeeded: 0 });
    expect(runs).toEqual([]);
  });

  it('asks a second later when that can not be told', async () => {
    let asked = 0;
    const mayFire = (): Promise<boolean> => {
      asked += 1;
      return asked === 1 ? Promise.reject(new Error('closed')) : Promise.resolve(true);
    };
    const { scheduler, clock, seconds, named } = await setup({ mayFire });
    await scheduler.save({ id: 'a', everyMs: MINUTE, startAt: START + MINUTE });
    await clock.advance(MINUTE + SECOND);
    expect(seconds()).toEqual([60]);
    expect(named('store:failed')).toMatchObject([{ scheduleId: 'a', error: { message: 'closed' } }]);
  });
});
