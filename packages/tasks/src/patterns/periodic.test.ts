import type { Logger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPeriodicTasks, type PeriodicTasksOptions } from './periodic.ts';

/** 2026-01-01T00:00:00Z, where the manual clock begins. */
const START = 1_767_225_600_000;

function setup(options: PeriodicTasksOptions = {}) {
  const clock = createManualClock();
  const tasks = createPeriodicTasks({ clock, ...options });
  onTestFinished(async () => {
    await tasks.stopAll({ graceMs: 0 });
    expect(clock.pendingTimers).toBe(0);
  });
  const at: number[] = [];
  const note = (): void => void at.push(clock.now());
  /** Ends after `ms`, or when it is aborted. */
  const work = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = clock.setTimer(ms, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason as Error);
      });
    });
  return { clock, tasks, at, note, work };
}

describe('periodic tasks', () => {
  it('run at once, then an interval after each end, and never overlap', async () => {
    const { tasks, clock, at, note, work } = setup();
    tasks.register('slow', { everyMs: 1_000 }, async ({ signal }) => {
      note();
      await work(300, signal);
    });
    await clock.advance(500);
    expect(at).toEqual([]);
    await tasks.startAll();
    await clock.advance(4_000);
    expect(at).toEqual([500, 1_800, 3_100, 4_400]);
  });

  it('go on after an error, which is counted and logged', async () => {
    const error = vi.fn<Logger['error']>();
    const logger = {
      debug: vi.fn(),
      info: vi.fn(),
      warn: vi.fn(),
      error,
      child: () => logger,
    } as unknown as Logger;
    const { tasks, clock, at, note } = setup({ logger });
    tasks.register('flaky', { everyMs: 1_000 }, () => {
      note();
      if (at.length !== 2) throw new Error(`no ${at.length}`);
    });
    await tasks.startAll();
    await clock.advance(2_000);
    expect(at).toEqual([0, 1_000, 2_000]);
    expect(error).toHaveBeenCalledTimes(2);
    expect(tasks.statistics()).toEqual([
      {
        name: 'flaky',
        running: false,
        successes: 1,
        errors: 2,
        lastRunAt: START + 2_000,
        lastDurationMs: 0,
        lastError: new Error('no 3'),
        nextRunAt: START + 3_000,
      },
    ]);
  });

  it('run by cron in a time zone', async () => {
    const { tasks, clock, at, note } = setup();
    tasks.register('report', { cron: '30 2 * * *', timeZone: 'Asia/Kolkata' }, note);
    await tasks.startAll();
    await clock.advance(48 * 3_600_000);
    expect(at).toEqual([21 * 3_600_000, 45 * 3_600_000]);
  });

  it('keep to a fixed grid when asked', async () => {
    const { tasks, clock, at, note, work } = setup();
    tasks.register('tick', { everyMs: 1_000, pace: 'fixed-rate', overlap: 'skip' }, async ({ signal }) => {
      note();
      await work(1_500, signal);
    });
    await clock.advance(250);
    await tasks.startAll();
    await clock.advance(4_750);
    expect(at).toEqual([1_000, 3_000, 5_000]);
  });

  it('have names of their own', () => {
    const { tasks } = setup();
    tasks.register('a', { everyMs: 1 }, () => undefined);
    expect(() => tasks.register('a', { everyMs: 1 }, () => undefined)).toThrow(
      expect.objectContaining({ code: 'PERIODIC_TASK_EXISTS' }),
    );
  });

  it('refuse a wrong timing when they are registered', () => {
    const { tasks } = setup();
    const fn = (): void => undefined;
    expect(() => tasks.register('a', {}, fn)).toThrow('either `cron` or `everyMs`');
    expect(() => tasks.register('a', { cron: '61 * * * *' }, fn)).toThrow('valid minute');
    expect(() => tasks.register('a', { everyMs: 5, every: 5 } as never, fn)).toThrow(
      'Unknown option `every`',
    );
    expect(() => tasks.register('', { everyMs: 5 }, fn)).toThrow('`name`');
    expect(() => tasks.register('a', { everyMs: 5 }, 5 as never)).toThrow('`fn`');
    expect(tasks.statistics()).toEqual([]);
  });

  it('start at once when they are registered after the others', async () => {
    const { tasks, clock, at, note } = setup();
    await tasks.startAll();
    await clock.advance(100);
    tasks.register('late', { everyMs: 1_000 }, note);
    await clock.advance(0);
    expect(at).toEqual([100]);
  });

  it('are started once, however often', async () => {
    const { tasks, clock, at, note } = setup();
    tasks.register('a', { everyMs: 1_000 }, note);
    await Promise.all([tasks.startAll(), tasks.startAll()]);
    await clock.advance(1_000);
    expect(at).toEqual([0, 1_000]);
  });

  it('run on demand without moving the next run', async () => {
    const { tasks, clock, at, note } = setup();
    tasks.register('a', { cron: '0 * * * *' }, note);
    await tasks.startAll();
    await clock.advance(60_000);
    expect(await tasks.runNow('a')).toMatchObject({ result: 'started' });
    await clock.settle();
    expect(at).toEqual([0, 60_000]);
    expect(tasks.statistics()[0]?.nextRunAt).toBe(START + 3_600_000);
  });

  it('can be taken away', async () => {
    const { tasks, clock, at, note } = setup();
    tasks.register('a', { everyMs: 1_000 }, note);
    await tasks.startAll();
    await clock.advance(1_000);
    expect(await tasks.unregister('a')).toBe(true);
    expect(await tasks.unregister('a')).toBe(false);
    await clock.advance(5_000);
    expect(at).toEqual([0, 1_000]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('end within 5 seconds when they are stopped, and are aborted after that', async () => {
    const { tasks, clock, work } = setup();
    let reason: unknown;
    tasks.register('quick', { everyMs: 60_000 }, () => work(4_000));
    tasks.register('endless', { everyMs: 60_000 }, async ({ signal }) => {
      await work(60_000, signal).catch((error: unknown) => {
        reason = error;
      });
    });
    await tasks.startAll();
    await clock.settle();
    const stopped = tasks.stopAll();
    await clock.advance(4_999);
    expect(reason).toBeUndefined();
    await clock.advance(1);
    expect(await stopped).toEqual({ drained: false, orphaned: ['endless@2026-01-01T00:00:00.000Z'] });
    expect(reason).toMatchObject({ code: 'SCHEDULER_STOPPED' });
    expect(tasks.statistics().map(({ name, running }) => [name, running])).toEqual([
      ['endless', false],
      ['quick', false],
    ]);
  });
});
