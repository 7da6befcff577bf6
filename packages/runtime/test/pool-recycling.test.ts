import { describe, expect, it } from 'vitest';
import { failureOf } from './setup-process.ts';
import { setup } from './simulation/setup-simulation.ts';
import { GOOD_PLAN } from './simulation/simulated-worker.ts';

describe('recycling', () => {
  it('replaces a worker by age, and starts the new one before the old one goes', async () => {
    const { pool, clock, events, settled } = setup({ maxWorkerAgeMs: 60_000, recycleJitter: 0 });
    await settled(pool.start());
    await clock.advance(60_000);
    // It boots for 10 ms.
    expect(pool.workers().map(({ workerId, state }) => `${workerId} ${state}`)).toEqual([
      'worker-1 ready',
      'worker-2 starting',
    ]);
    expect(pool.size).toBe(1);
    await clock.advance(12);
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-1', reason: 'age' });
    expect(pool.workers().map(({ workerId }) => workerId)).toEqual(['worker-2']);
  });

  it('lets a busy worker finish its run, and never has more than may', async () => {
    const { pool, clock, executed, settled } = setup({
      maxWorkerAgeMs: 1_000,
      recycleJitter: 0,
      prefetch: false,
    });
    await settled(pool.start());
    await clock.advance(900);
    const runs = ['a', 'b'].map((runId) => pool.run('work', { ms: 500 }, { runId }));
    await clock.advance(300);
    expect(pool.size).toBe(1);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 1 });
    await settled(Promise.all(runs));
    expect(executed).toEqual(['a@worker-1', 'b@worker-2']);
  });

  it('does not let all workers leave together', async () => {
    const draws = [0.1, 0.9, 0.5];
    const { pool, clock, events, settled } = setup({
      minWorkers: 3,
      maxWorkers: 3,
      maxWorkerAgeMs: 100_000,
      recycleJitter: 0.5,
      random: () => draws.shift() ?? 0,
    });
    await settled(pool.start());
    const leftAt: number[] = [];
    pool.on('worker:stopped', () => void leftAt.push(Math.round(clock.now() / 1_000)));
    await clock.advance(99_000);
    expect(leftAt).toEqual([55, 75, 95]);
    expect(events.count('worker:stopped')).toBe(3);
    expect(pool.size).toBe(3);
  });

  it('replaces a worker that has too much memory, when it is asked', async () => {
    let rssBytes = 300_000_000;
    const { pool, clock, events, settled } = setup({
      maxWorkerRssBytes: 200_000_000,
      heartbeatMs: 5_000,
      plan: () => ({ ...GOOD_PLAN, rssBytes }),
    });
    await settled(pool.start());
    rssBytes = 100_000_000;
    await clock.advance(5_100);
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-1', reason: 'memory' });
    await clock.advance(60_000);
    expect(events.count('worker:stopped')).toBe(1);
    expect(pool.workers()).toMatchObject([{ workerId: 'worker-2', rssBytes: 100_000_000 }]);
  });

  it('goes on with the old worker while its replacement does not start, and tries anew', async () => {
    let fails = 0;
    const { pool, clock, events, settled } = setup({
      maxWorkerAgeMs: 10_000,
      recycleJitter: 0,
      restart: { maxRestarts: 5, withinMs: 1_000 },
      plan: () => {
        fails += 1;
        return { ...GOOD_PLAN, start: fails === 2 ? 'dies' : 'ready' };
      },
    });
    await settled(pool.start());
    await clock.advance(10_100);
    expect(events.count('worker:start-failed')).toBe(1);
    expect(await settled(pool.run('work', { ms: 1 }))).toBe(1);
    expect(pool.workers()).toMatchObject([{ workerId: 'worker-1' }]);
    await clock.advance(1_000);
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-1', reason: 'age' });
  });

  it('has the next worker ready when one has served its last run, while more wait', async () => {
    const { pool, clock, executed, settled } = setup({ maxRunsPerWorker: 2, prefetch: false });
    await settled(pool.start());
    const startedAt = clock.now();
    await settled(
      Promise.all(Array.from({ length: 6 }, (_, i) => pool.run('work', { ms: 20 }, { runId: `${i}` }))),
    );
    expect(executed).toEqual([
      '0@worker-1',
      '1@worker-1',
      '2@worker-2',
      '3@worker-2',
      '4@worker-3',
      '5@worker-3',
    ]);
    // No boot of 10 ms in between.
    expect(clock.now() - startedAt).toBe(120);
  });
});

describe('several runs in a worker', () => {
  const features = ['cancel', 'queue', 'control', 'concurrent'] as const;

  it('executes so many at once, if the worker can', async () => {
    const { pool, clock, settled } = setup({ runsPerWorker: 4, features });
    await settled(pool.start());
    const startedAt = clock.now();
    const runs = Array.from({ length: 8 }, () => pool.run('work', { ms: 50 }));
    expect(pool.stats()).toMatchObject({ running: 4, queued: 4 });
    expect(pool.workers()[0]?.runIds).toHaveLength(4);
    await settled(Promise.all(runs));
    expect(clock.now() - startedAt).toBe(100);
    const alone = setup({ runsPerWorker: 4 });
    await alone.settled(alone.pool.start());
    const more = [1, 2].map(() => alone.pool.run('work', { ms: 5 }));
    expect(alone.pool.stats()).toMatchObject({ running: 1, queued: 1 });
    await alone.settled(Promise.all(more));
  });

  it('does not let the cancel of one hurt its neighbour, even when it is not heeded', async () => {
    const { pool, clock, events, settled } = setup({ runsPerWorker: 2, features, cancelGraceMs: 50 });
    await settled(pool.start());
    const controller = new AbortController();
    const stubborn = failureOf(
      pool.run('work', { how: 'stubborn', ms: 1_000_000 }, { signal: controller.signal }),
    );
    const neighbour = pool.run('work', { ms: 3_000 });
    await clock.settle();
    controller.abort(new Error('enough'));
    await stubborn;
    await clock.advance(2_000);
    // A replacement is there, while the neighbour goes on.
    expect(await settled(pool.run('work', { ms: 1 }))).toBe(1);
    expect(await settled(neighbour)).toBe(3_000);
    expect(await settled(events.next('worker:stopped'))).toMatchObject({
      workerId: 'worker-1',
      reason: 'cancelled-run',
    });
    expect(pool.stats()).toMatchObject({ lost: 0, cancelled: 1 });
  });

  it('does not wait for a neighbour whose thread is kept busy by the run that was given up', async () => {
    const { pool, clock, settled } = setup({ runsPerWorker: 2, features, cancelGraceMs: 50 });
    await settled(pool.start());
    const neighbour = failureOf(pool.run('work', { ms: 1_000_000 }, { timeoutMs: Infinity }));
    const spinning = failureOf(pool.run('work', { how: 'spin' }, { timeoutMs: 10 }));
    expect(await settled(spinning)).toMatchObject({ code: 'RUN_TIMEOUT' });
    await clock.advance(3_000);
    expect(await neighbour).toMatchObject({ code: 'WORKER_CRASHED', signal: 'SIGTERM' });
  });

  it('loses all that was executed when the worker dies, and nothing that waited', async () => {
    const { pool, world, clock, settled } = setup({ runsPerWorker: 2, features, prefetch: 4 });
    await settled(pool.start());
    const lost = [1, 2].map(() => failureOf(pool.run('work', { ms: 2 })));
    const kept = [1, 2, 3].map(() => pool.run('work', {}));
    await clock.settle();
    world.alive.get('worker-1')?.die({ exitCode: 1, signal: null });
    for (const error of await settled(Promise.all(lost))) expect(error).toMatchObject({ exitCode: 1 });
    await settled(Promise.all(kept));
    expect(pool.stats()).toMatchObject({ lost: 2, succeeded: 3 });
  });
});

describe('growing', () => {
  it('starts no worker for a burst of tiny runs, and starts one when a backlog lasts', async () => {
    const { pool, clock, settled } = setup({ maxWorkers: 4, prefetch: false });
    await settled(pool.start());
    await settled(pool.run('work', { ms: 1 }));
    const burst = Array.from({ length: 10 }, () => pool.run('work', { ms: 1 }));
    expect(pool.size).toBe(1);
    await settled(Promise.all(burst));
    expect(pool.size).toBe(1);
    const lasting = Array.from({ length: 400 }, () => pool.run('work', { ms: 1 }));
    await clock.advance(31);
    expect(pool.size).toBeGreaterThan(1);
    await settled(Promise.all(lasting));
  });

  it('starts one when a run takes much longer than its like, and another waits behind it', async () => {
    const { pool, clock, settled } = setup({ maxWorkers: 2 });
    await settled(pool.start());
    await settled(pool.run('work', { ms: 1 }));
    const slow = pool.run('work', { ms: 10_000 });
    const next = pool.run('work', { ms: 1 });
    await clock.advance(100);
    expect(await next).toBe(1);
    expect(pool.size).toBe(2);
    await settled(slow);
  });
});

describe('a run that keeps killing workers', () => {
  it('is refused once it has killed as many as it may, by its run id', async () => {
    const { pool, settled } = setup({ maxCrashes: 2 });
    await settled(pool.start());
    const poison = (): Promise<Error & Record<string, unknown>> =>
      settled(failureOf(pool.run('work', { how: 'crash' }, { runId: 'poison' })));
    expect(await poison()).toMatchObject({ code: 'WORKER_CRASHED' });
    expect(await poison()).toMatchObject({ code: 'WORKER_CRASHED' });
    const error = await poison();
    expect(error).toMatchObject({
      code: 'POISON_RUN',
      workerIds: ['worker-1', 'worker-2'],
      retryable: false,
    });
    expect(error.message).toBe(
      'Run poison of "work" is given to no worker any more: 2 have died on it (worker-1, worker-2).',
    );
    expect(await settled(pool.run('work', {}, { runId: 'other' }))).toBe(0);
    expect(pool.stats()).toMatchObject({ lost: 2, refused: 1 });
  });

  it('is forgotten when it ends otherwise', async () => {
    const { pool, settled } = setup({ maxCrashes: 2 });
    const how = { runId: 'sometimes' };
    await settled(failureOf(pool.run('work', { how: 'crash' }, how)));
    await settled(pool.run('work', {}, how));
    expect(await settled(failureOf(pool.run('work', { how: 'crash' }, how)))).toMatchObject({
      code: 'WORKER_CRASHED',
    });
    expect(await settled(pool.run('work', {}, how))).toBe(0);
  });
});

describe('recycling on request', () => {
  it('replaces the worker that is named, after its run', async () => {
    const { pool, clock, events, executed, settled } = setup({
      minWorkers: 2,
      maxWorkers: 2,
      prefetch: false,
    });
    await settled(pool.start());
    const run = pool.run('work', { ms: 500 }, { runId: 'a' });
    expect(pool.recycle('worker-2')).toBe(1);
    expect(pool.recycle('worker-2')).toBe(0);
    expect(pool.recycle('worker-9')).toBe(0);
    await clock.advance(100);
    expect(pool.size).toBe(2);
    await settled(run);
    await clock.advance(100);
    expect(await events.next('worker:stopped')).toMatchObject({ workerId: 'worker-2', reason: 'asked' });
    expect(executed).toEqual(['a@worker-2']);
    expect(pool.workers().map(({ workerId }) => workerId)).toEqual(['worker-1', 'worker-3']);
  });

  it('replaces all, but those that start', async () => {
    const { pool, clock, events, settled } = setup({ minWorkers: 3, maxWorkers: 3 });
    const started = pool.start();
    expect(pool.recycle()).toBe(0);
    await settled(started);
    expect(pool.recycle()).toBe(3);
    await clock.advance(100);
    expect(events.count('worker:stopped')).toBe(3);
    expect(pool.workers().map(({ workerId }) => workerId)).toEqual(['worker-4', 'worker-5', 'worker-6']);
    expect([pool.minWorkers, pool.maxWorkers, pool.stats().crashed]).toEqual([3, 3, 0]);
  });
});
