import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { failureOf, setup, TASKS } from './setup-pool.ts';

/** A file whose workers take a while to boot. */
const SLOW_START = new URL('fixtures/slow-start.mjs', import.meta.url);

describe('the size of a pool', () => {
  it('starts with its least number of workers, ready when the start resolves', async () => {
    const { pool, events } = setup({ minWorkers: 2, maxWorkers: 4 });
    await pool.start();
    expect(pool.size).toBe(2);
    expect(pool.stats().workers).toEqual({
      starting: 0,
      ready: 2,
      busy: 0,
      draining: 0,
      unresponsive: 0,
      stopped: 0,
      failed: 0,
    });
    expect(events.count('worker:ready')).toBe(2);
    expect(
      pool.workers().map(({ workerId, state, runId, runsDone }) => [workerId, state, runId, runsDone]),
    ).toEqual([
      ['worker-1', 'ready', undefined, 0],
      ['worker-2', 'ready', undefined, 0],
    ]);
  });

  it('scales to five, then to three', async () => {
    const { pool, events } = setup();
    await pool.scaleTo(5);
    expect(pool.size).toBe(5);
    await pool.scaleTo(3);
    expect(pool.size).toBe(3);
    const stopped = [await events.next('worker:stopped'), await events.next('worker:stopped')];
    for (const each of stopped) expect(each).toMatchObject({ exitCode: 0, reason: 'scaled-down' });
    expect(pool.workers()).toHaveLength(3);
  });

  it('scales down while workers start, and leaves none of them behind', async () => {
    const { pool } = setup({ worker: SLOW_START, env: { SLOW_START_MS: '300' } });
    const up = pool.scaleTo(4);
    const down = pool.scaleTo(1);
    await Promise.all([up, down]);
    await pool.stop();
    expect(pool.workers()).toEqual([]);
  });

  it('lets busy workers finish their run and go before they take another', async () => {
    const { pool, events } = setup({ maxWorkers: 3 });
    await pool.scaleTo(3);
    const runs = Array.from({ length: 3 }, () => pool.run('sleep', 150));
    const queued = Array.from({ length: 6 }, () => pool.run('sleep', 20));
    await pool.scaleTo(1);
    expect(await Promise.all(runs)).toEqual([150, 150, 150]);
    expect(pool.size).toBe(1);
    await Promise.all(queued);
    for (let stopped = 0; stopped < 2; stopped += 1) await events.next('worker:stopped');
    expect(events.count('worker:stopped')).toBe(2);
    expect(pool.stats()).toMatchObject({ succeeded: 9, lost: 0 });
  });

  it('scales to zero, and works again when a run comes', async () => {
    const { pool, events } = setup({ minWorkers: 1 });
    await pool.start();
    await pool.scaleTo(0);
    expect(pool.size).toBe(0);
    await events.next('worker:stopped');
    expect(await pool.run('echo', 1)).toBe(1);
  });

  it('resizes many times while runs come and go, and loses none', async () => {
    const { pool } = setup();
    const runs = Array.from({ length: 60 }, (_, i) => pool.run('sleep', i % 7));
    for (const size of [3, 1, 4, 0, 2, 5, 1]) await pool.scaleTo(size);
    expect(await Promise.all(runs)).toHaveLength(60);
    expect(pool.stats()).toMatchObject({ succeeded: 60, lost: 0 });
  });

  it('refuses to scale what is no number of workers, and after a stop', async () => {
    const { pool } = setup();
    expect((await failureOf(pool.scaleTo(-1))).message).toMatch(/`workers` to be an integer ≥ 0, got `-1`/);
    await pool.stop();
    expect(await failureOf(pool.scaleTo(1))).toMatchObject({ code: 'POOL_STOPPED' });
  });

  it('rejects when a new worker does not start', async () => {
    const { pool } = setup({ worker: { command: 'false' } });
    expect(await failureOf(pool.scaleTo(2))).toMatchObject({ code: 'WORKER_START_FAILED', exitCode: 1 });
  });

  it('lets workers beyond the least number go when they were idle for too long', async () => {
    const clock = createManualClock();
    // Real workers can't answer within no time at all.
    const { pool, events } = setup({
      minWorkers: 1,
      maxWorkers: 3,
      idleTimeoutMs: 60_000,
      heartbeatMs: Infinity,
      clock,
    });
    const runs = Promise.all([1, 2, 3].map((value) => pool.run('sleep', value * 5)));
    const { size } = pool;
    await runs;
    expect(size).toBe(3);
    // One that is still starting would begin to be idle later.
    for (let ready = 0; ready < size; ready += 1) await events.next('worker:ready');
    await clock.advance(59_999);
    expect(pool.size).toBe(size);
    await clock.advance(1);
    expect(pool.size).toBe(1);
    expect(await events.next('worker:stopped')).toMatchObject({ reason: 'idle', exitCode: 0 });
    await clock.advance(3_600_000);
    expect(pool.size).toBe(1);
  });

  it('counts the idle time anew after each run', async () => {
    const clock = createManualClock();
    const { pool } = setup({ idleTimeoutMs: 1_000, clock });
    const pid = await pool.run('pid');
    for (let i = 0; i < 3; i += 1) {
      await clock.advance(900);
      expect(await pool.run('pid')).toBe(pid);
    }
    await clock.advance(1_000);
    expect(pool.size).toBe(0);
  });
});

describe('recycling', () => {
  it('gives every run a process of its own when a worker serves one', async () => {
    const { pool, events } = setup({ maxRunsPerWorker: 1 });
    const pids = await Promise.all([1, 2, 3].map(() => pool.run('pid')));
    expect(new Set(pids).size).toBe(3);
    for (const pid of pids) {
      expect(await events.next('worker:stopped', (stopped) => stopped.pid === pid)).toMatchObject({
        reason: 'runs',
        exitCode: 0,
      });
    }
  });

  it('lets a worker go after the runs it may serve', async () => {
    const { pool } = setup({ maxRunsPerWorker: 3 });
    const pids: unknown[] = [];
    for (let i = 0; i < 7; i += 1) pids.push(await pool.run('pid'));
    expect(new Set(pids.slice(0, 3)).size).toBe(1);
    expect(new Set(pids.slice(3, 6)).size).toBe(1);
    expect(new Set(pids).size).toBe(3);
  });

  it('hides the start of single-use workers behind a spare one', async () => {
    const { pool, events } = setup({
      worker: SLOW_START,
      env: { SLOW_START_MS: '700' },
      maxRunsPerWorker: 1,
      maxWorkers: 2,
      spareWorkers: 1,
    });
    const first = await pool.run('pid');
    await events.next('worker:ready');
    await events.next('worker:ready');
    const startedAt = performance.now();
    expect(await pool.run('pid')).not.toBe(first);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('counts a failed run as one of them', async () => {
    const { pool } = setup({ worker: TASKS, maxRunsPerWorker: 1 });
    const before = await pool.run('pid');
    await failureOf(pool.run('fail', {}));
    expect(await pool.run('pid')).not.toBe(before);
  });
});
