import { describe, expect, it } from 'vitest';
import { failureOf, setup as setupReal } from './setup-pool.ts';
import { setup } from './simulation/setup-simulation.ts';
import { GOOD_PLAN } from './simulation/simulated-worker.ts';

const shown = (pool: ReturnType<typeof setup>['pool']): readonly string[] =>
  pool.workers().map(({ workerId, state }) => `${workerId} ${state}`);

describe('draining a worker', () => {
  it('ends an idle one at once, and starts no other above the least number', async () => {
    const { pool, clock, events, settled } = setup({ minWorkers: 1, maxWorkers: 2 });
    await settled(pool.start());
    await settled(Promise.all([1, 2].map(() => pool.run('work', { ms: 50 }))));
    expect(shown(pool)).toEqual(['worker-1 ready', 'worker-2 ready']);
    await settled(pool.drain('worker-1'));
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-1', reason: 'drained' });
    await clock.advance(1_000);
    expect(shown(pool)).toEqual(['worker-2 ready']);
    expect(pool.stats().crashed).toBe(0);
  });

  it('starts another when the least number asks for it', async () => {
    const { pool, clock, settled } = setup({ minWorkers: 2, maxWorkers: 2 });
    await settled(pool.start());
    await settled(pool.drain('worker-1'));
    await clock.advance(20);
    expect(shown(pool)).toEqual(['worker-2 ready', 'worker-3 ready']);
  });

  it('lets a busy one finish, gives it nothing more, and has another do what waits', async () => {
    const { pool, clock, events, executed, settled } = setup({ minWorkers: 0, maxWorkers: 1 });
    const long = pool.run('work', { ms: 5_000 }, { runId: 'long' });
    const next = pool.run('work', { ms: 1 }, { runId: 'next' });
    await clock.advance(100);
    let isGone = false;
    const drained = pool.drain('worker-1').then(() => (isGone = true));
    await clock.advance(100);
    expect(await settled(next)).toBe(1);
    expect(shown(pool)).toContain('worker-1 draining');
    expect(pool.stats().workers).toMatchObject({ draining: 1, busy: 0 });
    expect([pool.size, isGone]).toEqual([1, false]);
    expect(await settled(long)).toBe(5_000);
    await settled(drained);
    expect(executed).toEqual(['long@worker-1', 'next@worker-2']);
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-1', reason: 'drained' });
  });

  it('takes back what was sent ahead to it, and what waits for it alone', async () => {
    const { pool, clock, executed, settled } = setup({ minWorkers: 1, maxWorkers: 2, prefetch: 2 });
    await settled(pool.start());
    const first = pool.run('work', { ms: 3_000 }, { runId: 'first', affinity: 'home' });
    const rest = ['a', 'b', 'c', 'd'].map((runId) => pool.run('work', {}, { runId, affinity: 'home' }));
    await clock.advance(1);
    const drained = pool.drain('worker-1');
    await settled(Promise.all(rest));
    expect(shown(pool)[0]).toBe('worker-1 draining');
    await settled(Promise.all([first, drained]));
    expect(executed).toEqual(['first@worker-1', 'a@worker-2', 'b@worker-2', 'c@worker-2', 'd@worker-2']);
  });

  it('is once when asked for twice, also of one that is being recycled', async () => {
    const { pool, clock, events, settled } = setup({ minWorkers: 1, maxWorkers: 1 });
    await settled(pool.start());
    const run = pool.run('work', { ms: 500 });
    expect(pool.recycle('worker-1')).toBe(1);
    await clock.advance(50);
    const drained = [1, 2].map(() => pool.drain('worker-1'));
    expect(pool.recycle('worker-1')).toBe(0);
    // The one that was to take its place has it now.
    expect(await settled(pool.run('work', { ms: 1 }))).toBe(1);
    await settled(Promise.all([run, ...drained]));
    expect(events.count('worker:stopped')).toBe(1);
    expect(shown(pool)).toEqual(['worker-2 ready']);
  });

  it('ends one that has not started', async () => {
    const { pool, clock, settled } = setup({
      minWorkers: 1,
      maxWorkers: 1,
      plan: () => ({ ...GOOD_PLAN, bootMs: 1_000 }),
    });
    void pool.start();
    await clock.advance(10);
    await settled(pool.drain('worker-1'));
    await clock.advance(1_000);
    expect(shown(pool)).toEqual(['worker-2 ready']);
  });

  it('cuts nothing short, and leaves a run its time limit', async () => {
    const { pool, clock, settled } = setup({ minWorkers: 0 });
    const run = failureOf(pool.run('work', { ms: 1_000_000 }, { timeoutMs: 60_000 }));
    await clock.advance(100);
    const drained = pool.drain('worker-1');
    await clock.advance(50_000);
    expect(shown(pool)).toEqual(['worker-1 draining']);
    expect(await settled(run)).toMatchObject({ code: 'RUN_TIMEOUT' });
    await settled(drained);
    expect(pool.workers()).toEqual([]);
  });

  it('refuses an id that no worker has, or has no more', async () => {
    const { pool, settled } = setup({ minWorkers: 1 });
    await settled(pool.start());
    expect(await failureOf(pool.drain('worker-9'))).toMatchObject({
      code: 'WORKER_NOT_FOUND',
      workerId: 'worker-9',
      message: 'There is no worker "worker-9" in the pool; it may have ended.',
    });
    await settled(pool.drain('worker-1'));
    expect(await failureOf(pool.drain('worker-1'))).toMatchObject({ code: 'WORKER_NOT_FOUND' });
  });

  it('ends a real process after its run, and not before', async () => {
    const { pool, events } = setupReal({ minWorkers: 1, maxWorkers: 2 });
    await pool.start();
    const [before] = pool.workers();
    const run = pool.run('sleep', 300);
    const drained = pool.drain('worker-1');
    expect(pool.workers()[0]).toMatchObject({ state: 'draining', pid: before?.pid });
    expect(await pool.run('pid')).not.toBe(before?.pid);
    expect(await run).toBe(300);
    await drained;
    expect(await events.next('worker:stopped')).toMatchObject({
      workerId: 'worker-1',
      pid: before?.pid,
      exitCode: 0,
      signal: null,
      reason: 'drained',
    });
    expect(pool.workers().map(({ workerId }) => workerId)).toEqual(['worker-2']);
  });
});
