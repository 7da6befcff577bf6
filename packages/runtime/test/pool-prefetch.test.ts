import { describe, expect, it } from 'vitest';
import type { BalancerFactory } from '../src/index.ts';
import { balancers } from '../src/scheduling/balancing/balancers.ts';
import { failureOf } from './setup-process.ts';
import { setup } from './simulation/setup-simulation.ts';

/** Lets the pool learn that its runs are tiny. */
async function learn({ pool, settled }: ReturnType<typeof setup>, runs = 5, ms = 0): Promise<void> {
  for (let i = 0; i < runs; i += 1) await settled(pool.run('work', { ms }));
}

describe('prefetch', () => {
  it('sends tiny runs ahead, in order, and no more than 256', async () => {
    const bench = setup();
    const { pool, clock, executed, settled } = bench;
    await learn(bench);
    executed.length = 0;
    const slow = pool.run('other', { ms: 2 }, { runId: 'slow' });
    const runs = Array.from({ length: 300 }, (_, i) => pool.run('work', {}, { runId: `${i}` }));
    await clock.settle();
    const [worker] = pool.workers();
    // Nothing is known of the slow one yet, so nothing waits behind it.
    expect(worker?.runsAhead).toBe(0);
    await settled(slow);
    await settled(Promise.all(runs));
    expect(executed.map((entry) => entry.split('@')[0])).toEqual(['slow', ...runs.map((_, i) => `${i}`)]);
  });

  it('keeps up to 256 tiny runs in a worker', async () => {
    const bench = setup();
    const { pool, clock, settled } = bench;
    await learn(bench);
    const runs = Array.from({ length: 400 }, () => pool.run('work', {}));
    expect(pool.workers()[0]?.runsAhead).toBe(256);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 399 });
    await clock.settle();
    await settled(Promise.all(runs));
    expect(pool.stats()).toMatchObject({ succeeded: 405, queued: 0, running: 0 });
  });

  it.each([
    ['is switched off', { prefetch: false as const }],
    ['is 0', { prefetch: 0 }],
    ['is for workers that do not queue', { features: ['cancel'] as const }],
  ])('sends nothing ahead when it %s', async (_what, options) => {
    const bench = setup(options);
    await learn(bench);
    const runs = Array.from({ length: 10 }, () => bench.pool.run('work', {}));
    expect(bench.pool.workers()[0]?.runsAhead).toBe(0);
    await bench.settled(Promise.all(runs));
  });

  it('sends as many ahead as it was told, whatever they take', async () => {
    const { pool, clock, settled } = setup({ prefetch: 3 });
    await settled(pool.start());
    const runs = Array.from({ length: 10 }, () => pool.run('work', { ms: 1 }));
    await clock.settle();
    expect(pool.workers()[0]?.runsAhead).toBe(3);
    await settled(Promise.all(runs));
  });

  it('spreads tiny runs over the workers', async () => {
    const bench = setup({ minWorkers: 2, maxWorkers: 2 });
    const { pool, settled } = bench;
    await settled(pool.start());
    await learn(bench, 5, 0.02);
    const runs = Array.from({ length: 64 }, () => pool.run('work', { ms: 0.02 }));
    expect(pool.workers().map(({ runsAhead }) => runsAhead)).toEqual([31, 31]);
    await settled(Promise.all(runs));
  });

  it('wakes no other worker up for what takes less than 0.2 ms, unless a balancer is to decide', async () => {
    const loads = async (
      count: number,
      ms: number,
      balancer?: BalancerFactory,
    ): Promise<readonly number[]> => {
      const bench = setup({ minWorkers: 2, maxWorkers: 2, ...(balancer === undefined ? {} : { balancer }) });
      const { pool, settled } = bench;
      await settled(pool.start());
      await learn(bench, 5, ms);
      const runs = Array.from({ length: count }, () => pool.run('work', { ms }));
      const found = pool.workers().map(({ runIds, runsAhead }) => runIds.length + runsAhead);
      await settled(Promise.all(runs));
      return found.toSorted((a, b) => b - a);
    };
    expect(await loads(6, 0.03)).toEqual([6, 0]);
    expect(await loads(9, 0.03)).toEqual([6, 3]);
    expect(await loads(2, 0.25)).toEqual([1, 1]);
    expect(await loads(8, 0.03, balancers.leastLoaded)).toEqual([4, 4]);
  });

  it('fails only the run that was executed when a worker dies; those behind it go on unseen, in order', async () => {
    const bench = setup({ prefetch: 8 });
    const { pool, clock, executed, events, settled } = bench;
    await settled(pool.start());
    executed.length = 0;
    const doomed = failureOf(pool.run('work', { ms: 1, how: 'crash' }, { runId: 'doomed' }));
    const behind = ['a', 'b', 'c', 'd'].map((runId) => pool.run('work', {}, { runId }));
    await clock.settle();
    expect(pool.workers()[0]?.runsAhead).toBe(4);
    expect(await settled(doomed)).toMatchObject({ code: 'WORKER_CRASHED', runId: 'doomed', attempt: 1 });
    await settled(Promise.all(behind));
    expect(executed).toEqual(['doomed@worker-1', 'a@worker-2', 'b@worker-2', 'c@worker-2', 'd@worker-2']);
    const started = events.events.filter(({ name }) => name === 'run:started');
    expect(started).toHaveLength(5);
    expect(started.map(({ payload }) => (payload as { attempt: number }).attempt)).toEqual([1, 1, 1, 1, 1]);
    expect(pool.stats()).toMatchObject({ succeeded: 4, lost: 1 });
  });

  it('takes back what waits behind a slow run within a few milliseconds, and runs it elsewhere', async () => {
    const bench = setup({ minWorkers: 2, maxWorkers: 2, prefetch: 4 });
    const { pool, clock, executed, settled } = bench;
    await settled(pool.start());
    executed.length = 0;
    const slow = pool.run('work', { ms: 60_000 }, { runId: 'slow' });
    const other = pool.run('work', { ms: 1 }, { runId: 'other' });
    const behind = ['a', 'b', 'c', 'd'].map((runId) => pool.run('work', {}, { runId }));
    await clock.settle();
    expect(pool.workers().map(({ runsAhead }) => runsAhead)).toEqual([2, 2]);
    await clock.advance(6);
    await clock.settle();
    await Promise.all([other, ...behind]);
    expect(executed.filter((entry) => entry.endsWith(executed[0]?.split('@')[1] ?? '?'))).toEqual([
      executed[0],
    ]);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 0 });
    await settled(slow);
  });

  it('puts back what it took at the head of the queue', async () => {
    const { pool, clock, executed, settled } = setup({ prefetch: 2 });
    await settled(pool.start());
    const first = pool.run('work', { ms: 50 }, { runId: 'first' });
    const rest = ['a', 'b', 'c', 'd'].map((runId) => pool.run('work', {}, { runId }));
    await clock.advance(10);
    expect(pool.workers()[0]?.runsAhead).toBe(0);
    await settled(Promise.all([first, ...rest]));
    expect(executed.map((entry) => entry.split('@')[0])).toEqual(['first', 'a', 'b', 'c', 'd']);
  });

  it('does not let low runs that were sent ahead hold up an urgent one', async () => {
    const { pool, clock, executed, settled } = setup({ prefetch: 4 });
    await settled(pool.start());
    const runs = ['x', 'a', 'b', 'c'].map((runId) => pool.run('work', { ms: 20 }, { runId, priority: 1 }));
    await clock.settle();
    runs.push(pool.run('work', { ms: 1 }, { runId: 'urgent', priority: 4 }));
    await settled(Promise.all(runs));
    expect(executed.map((entry) => entry.split('@')[0])).toEqual(['x', 'urgent', 'a', 'b', 'c']);
  });

  it('answers a run that is cancelled while it was sent ahead at once, and never executes it', async () => {
    const { pool, clock, executed, settled } = setup({ prefetch: 4 });
    await settled(pool.start());
    const controller = new AbortController();
    const first = pool.run('work', { ms: 4 }, { runId: 'first' });
    const ahead = failureOf(pool.run('work', {}, { runId: 'ahead', signal: controller.signal }));
    const last = pool.run('work', {}, { runId: 'last' });
    await clock.settle();
    expect(pool.workers()[0]?.runsAhead).toBe(2);
    controller.abort(new Error('no more'));
    expect((await ahead).message).toBe('no more');
    expect(pool.stats()).toMatchObject({ cancelled: 1, running: 1, queued: 1 });
    await settled(Promise.all([first, last]));
    expect(executed.map((entry) => entry.split('@')[0])).toEqual(['first', 'last']);
    expect(pool.workers()[0]?.workerId).toBe('worker-1');
  });

  it('takes back what waits behind a run that is cancelled, which gets its grace', async () => {
    const { pool, clock, executed, settled } = setup({ prefetch: 4 });
    await settled(pool.start());
    const controller = new AbortController();
    const stubborn = failureOf(
      pool.run('work', { how: 'stubborn', ms: 1_000_000 }, { signal: controller.signal, runId: 'stubborn' }),
    );
    const behind = pool.run('work', {}, { runId: 'behind' });
    await clock.settle();
    controller.abort(new Error('enough'));
    expect((await stubborn).message).toBe('enough');
    await settled(behind);
    expect(executed).toEqual(['stubborn@worker-1', 'behind@worker-2']);
    expect(clock.now()).toBeLessThan(100);
  });

  it('never sends a worker more runs than it may serve', async () => {
    const bench = setup({ maxRunsPerWorker: 7, prefetch: 100, minWorkers: 0 });
    const { pool, executed, settled } = bench;
    await settled(Promise.all(Array.from({ length: 50 }, () => pool.run('work', {}))));
    const served = new Map<string, number>();
    for (const entry of executed) {
      const worker = entry.split('@')[1] ?? '';
      served.set(worker, (served.get(worker) ?? 0) + 1);
    }
    expect([...served.values()].toSorted((a, b) => a - b)).toEqual([1, 7, 7, 7, 7, 7, 7, 7]);
  });

  it('counts a run that waits in a worker against the bound of the queue', async () => {
    const { pool, settled } = setup({ prefetch: 10, maxQueue: 2 });
    await settled(pool.start());
    const runs = [1, 2, 3].map(() => pool.run('work', { ms: 1 }));
    expect(await failureOf(pool.run('work', {}))).toMatchObject({ code: 'QUEUE_FULL' });
    await settled(Promise.all(runs));
  });

  it('gives a run whose output is wanted its worker alone', async () => {
    const bench = setup();
    const { pool, settled } = bench;
    await learn(bench);
    const onOutput = (): void => undefined;
    const runs = [pool.run('work', {}), pool.run('work', {}, { onOutput }), pool.run('work', {})];
    expect(pool.workers()[0]?.runsAhead).toBe(0);
    expect(pool.stats()).toMatchObject({ running: 1, queued: 2 });
    await settled(Promise.all(runs));
  });
});
