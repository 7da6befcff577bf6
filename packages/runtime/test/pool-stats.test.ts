import { describe, expect, it } from 'vitest';
import { failureOf } from './setup-process.ts';
import { setup } from './simulation/setup-simulation.ts';

describe('pool.stats', () => {
  it('counts each run once, by how it ended', async () => {
    const { pool, clock, settled } = setup({ maxQueue: 1, prefetch: false });
    await settled(pool.start());
    const controller = new AbortController();
    const ended = [
      pool.run('work', { ms: 5 }),
      failureOf(pool.run('work', {}, { signal: controller.signal })),
      failureOf(pool.run('work', {})),
    ];
    controller.abort(new Error('no'));
    await settled(Promise.all(ended));
    await settled(failureOf(pool.run('work', { how: 'throw' })));
    await settled(failureOf(pool.run('work', { how: 'crash' })));
    await settled(failureOf(pool.run('work', { ms: 100 }, { timeoutMs: 10 })));
    const left = failureOf(pool.run('work', { ms: 1_000 }));
    await clock.settle();
    await settled(pool.stop({ graceMs: 0 }));
    await left;
    expect(pool.stats()).toMatchObject({
      submitted: 7,
      queued: 0,
      running: 0,
      succeeded: 1,
      cancelled: 1,
      refused: 1,
      failed: 1,
      lost: 1,
      timedOut: 1,
      stopped: 1,
    });
  });

  it('knows how long runs waited and took, and workers booted and stopped', async () => {
    const { pool, clock, settled } = setup({ prefetch: false });
    await settled(pool.start());
    await settled(Promise.all([10, 20, 30].map((ms) => pool.run('work', { ms }))));
    const { waitMs, runMs, bootMs } = pool.stats();
    expect(waitMs).toMatchObject({ count: 3, min: 0, mean: 40 / 3, max: 30 });
    expect(runMs).toMatchObject({ count: 3, min: 10, mean: 20, max: 30 });
    expect(runMs.p50).toBeGreaterThan(17);
    expect(runMs.p50).toBeLessThan(23);
    expect(bootMs).toMatchObject({ count: 1, mean: 10 });
    await settled(pool.scaleTo(0));
    await clock.advance(10);
    expect(pool.stats().stopMs).toMatchObject({ count: 1, max: 1 });
  });

  it('tells what each worker does', async () => {
    const { pool, clock, settled } = setup({ prefetch: 2 });
    await settled(pool.start());
    await clock.advance(5_000);
    const runs = ['a', 'b'].map((runId) => pool.run('work', { ms: 2 }, { runId }));
    expect(pool.workers()).toEqual([
      {
        workerId: 'worker-1',
        pid: 1_001,
        state: 'busy',
        health: 'healthy',
        findings: [],
        runId: 'a',
        runIds: ['a'],
        runsAhead: 1,
        runsDone: 0,
        ageMs: 5_010,
        rssBytes: 50_000_000,
        silentMs: 10,
      },
    ]);
    await settled(Promise.all(runs));
    expect(pool.workers()).toMatchObject([{ runsDone: 2, silentMs: 0, runIds: [] }]);
  });

  it('asks a silent worker no more than once a heartbeat, and sets no other timer while idle', async () => {
    const { pool, clock, settled } = setup({ minWorkers: 3, maxWorkers: 3 });
    await settled(pool.start());
    await clock.advance(1_000);
    let fired = 0;
    const until = clock.now() + 60_000;
    while ((clock.nextDue ?? Infinity) <= until) {
      await clock.advanceToNext();
      fired += 1;
    }
    // Once each 5 s, and a timeout for each of the three pings.
    expect(fired).toBeLessThanOrEqual(60);
  });
});
