import { describe, expect, it } from 'vitest';
import { failureOf } from './setup-process.ts';
import { setup } from './simulation/setup-simulation.ts';

/** The runs that were executed, in order, by id. */
function order(executed: readonly string[]): readonly (string | undefined)[] {
  return executed.map((entry) => entry.split('@')[0]);
}

describe('a full queue', () => {
  it('lets runs wait for a place, in order, and keeps its bound', async () => {
    const { pool, executed, settled } = setup({ maxQueue: 2, overflow: 'wait', prefetch: false });
    await settled(pool.start());
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const runs = ids.map((runId) => pool.run('work', { ms: 5 }, { runId }));
    expect(pool.needsDrain).toBe(true);
    expect(pool.stats()).toMatchObject({ queued: 5, running: 1, refused: 0 });
    await settled(Promise.all(runs));
    expect(order(executed)).toEqual(ids);
  });

  it('lets go at once of a run that is cancelled while it waits for a place', async () => {
    const { pool, executed, settled } = setup({ maxQueue: 1, overflow: 'wait' });
    await settled(pool.start());
    const controller = new AbortController();
    const runs = ['a', 'b'].map((runId) => pool.run('work', { ms: 5 }, { runId }));
    const parked = failureOf(pool.run('work', {}, { runId: 'parked', signal: controller.signal }));
    controller.abort(new Error('no'));
    expect((await parked).message).toBe('no');
    await settled(Promise.all(runs));
    expect(order(executed)).toEqual(['a', 'b']);
  });

  it('drops the run of the lowest priority that has waited longest', async () => {
    const { pool, executed, settled } = setup({ maxQueue: 2, overflow: 'drop-oldest' });
    await settled(pool.start());
    const kept = [pool.run('work', { ms: 5 }, { runId: 'first' })];
    const dropped = failureOf(pool.run('work', {}, { runId: 'old', priority: 1 }));
    kept.push(pool.run('work', {}, { runId: 'newer', priority: 1 }));
    kept.push(pool.run('work', {}, { runId: 'newest' }));
    const error = await dropped;
    expect(error).toMatchObject({ code: 'QUEUE_FULL', maxQueue: 2 });
    expect(error.message).toBe(
      'Run old was dropped for a newer one. The queue is full: 2 runs wait already.',
    );
    await settled(Promise.all(kept));
    expect(order(executed)).toEqual(['first', 'newest', 'newer']);
  });

  it('refuses a run that matters less than all that wait, rather than one of them', async () => {
    const { pool, settled } = setup({ maxQueue: 1, overflow: 'drop-oldest' });
    await settled(pool.start());
    const kept = [pool.run('work', { ms: 5 }), pool.run('work', {}, { priority: 3 })];
    expect(await failureOf(pool.run('work', {}, { priority: 1 }))).toMatchObject({ code: 'QUEUE_FULL' });
    await settled(Promise.all(kept));
  });

  it('tells when there is room again', async () => {
    const { pool, events, settled } = setup({ maxQueue: 4, prefetch: false });
    await settled(pool.start());
    const runs = Array.from({ length: 5 }, () => pool.run('work', { ms: 5 }));
    expect(pool.needsDrain).toBe(true);
    expect(events.count('queue:drain')).toBe(0);
    await settled(Promise.all(runs));
    expect(await events.next('queue:drain')).toEqual({ queued: 2 });
    expect(events.count('queue:drain')).toBe(1);
    expect(pool.needsDrain).toBe(false);
  });
});

describe('the order of waiting runs', () => {
  it('serves the lowest priority also under constant load of a higher one', async () => {
    const { pool, executed, settled } = setup({ ageingMs: 100, prefetch: false });
    await settled(pool.start());
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < 60) {
        next += 1;
        await pool.run('work', { ms: 10 }, { runId: `high ${next}`, priority: 3 });
      }
    };
    const clients = Promise.all([client(), client(), client(), client()]);
    const low = pool.run('work', { ms: 10 }, { runId: 'low', priority: 1 });
    await settled(Promise.all([low, clients]));
    const at = order(executed).indexOf('low');
    // Two priorities are worth 200 ms, which are 20 runs; those that had come before go first.
    expect(at).toBeGreaterThan(15);
    expect(at).toBeLessThan(30);
  });

  it('lets keys take turns, so that many runs of one do not hold up one of another', async () => {
    const { pool, executed, settled } = setup({ prefetch: false });
    await settled(pool.start());
    const busy = pool.run('work', { ms: 5 });
    const runs = Array.from({ length: 6 }, (_, i) => pool.run('work', {}, { runId: `a${i}`, key: 'a' }));
    runs.push(pool.run('work', {}, { runId: 'b', key: 'b' }), pool.run('work', {}, { runId: 'c', key: 'c' }));
    await settled(Promise.all([busy, ...runs]));
    expect(order(executed).slice(1)).toEqual(['a0', 'b', 'c', 'a1', 'a2', 'a3', 'a4', 'a5']);
  });

  it('keeps delayed runs out of the queue until they are due', async () => {
    const { pool, clock, executed, settled } = setup();
    await settled(pool.start());
    const due = clock.now() + 500;
    const late = pool.run('work', {}, { runId: 'late', delayMs: 500 });
    await settled(pool.run('work', {}, { runId: 'now' }));
    expect(pool.stats()).toMatchObject({ queued: 1, running: 0 });
    await clock.advance(499);
    expect(order(executed)).toEqual(['now']);
    await settled(late);
    expect(clock.now()).toBe(due);
    const controller = new AbortController();
    const never = failureOf(pool.run('work', {}, { delayMs: 500, signal: controller.signal }));
    controller.abort(new Error('not needed'));
    expect((await never).message).toBe('not needed');
    expect(clock.pendingTimers).toBeLessThan(6);
  });

  it('sends the runs of an affinity to one worker, also while that is busy', async () => {
    const { pool, executed, settled } = setup({ minWorkers: 3, maxWorkers: 3 });
    await settled(pool.start());
    const runs = Array.from({ length: 12 }, (_, i) =>
      pool.run('work', { ms: 5 }, { runId: `run-${i}`, affinity: i % 2 === 0 ? 'even' : 'odd' }),
    );
    await settled(Promise.all(runs));
    const homes = (parity: number): Set<string | undefined> =>
      new Set(
        executed
          .filter((entry) => Number(entry.match(/\d+/)?.[0]) % 2 === parity)
          .map((entry) => entry.split('@')[1]),
      );
    expect(homes(0).size).toBe(1);
    expect(homes(1).size).toBe(1);
    expect(homes(0)).not.toEqual(homes(1));
  });

  it('gives an affinity another worker when its own is gone, and loses none of its runs', async () => {
    const { pool, world, clock, executed, settled } = setup({ minWorkers: 2, maxWorkers: 2 });
    await settled(pool.start());
    const first = failureOf(pool.run('work', { ms: 50 }, { affinity: 'home', runId: 'first' }));
    const rest = ['a', 'b'].map((runId) => pool.run('work', {}, { affinity: 'home', runId }));
    await clock.settle();
    const home = executed[0]?.split('@')[1] ?? '';
    world.alive.get(home)?.die({ exitCode: null, signal: 'SIGKILL' });
    expect(await settled(first)).toMatchObject({ code: 'WORKER_CRASHED' });
    await settled(Promise.all(rest));
    expect(executed.slice(1).map((entry) => entry.split('@')[1])).not.toContain(home);
  });
});

describe('a timeout', () => {
  it('may count from the submit, and then ends a run that still waits', async () => {
    const { pool, clock, executed, settled } = setup({ timeoutFrom: 'submit', runTimeoutMs: 30 });
    await settled(pool.start());
    const busy = pool.run('work', { ms: 100 }, { timeoutMs: Infinity, runId: 'busy' });
    const startedAt = clock.now();
    expect(await settled(failureOf(pool.run('work', {})))).toMatchObject({
      code: 'RUN_TIMEOUT',
      timeoutMs: 30,
    });
    expect(clock.now() - startedAt).toBe(30);
    await settled(busy);
    expect(order(executed)).toEqual(['busy']);
    expect(pool.stats()).toMatchObject({ timedOut: 1, succeeded: 1 });
  });

  it('counts from the start of each run unless told otherwise, with one timer for all', async () => {
    const { pool, clock, settled } = setup({ minWorkers: 3, maxWorkers: 3, runTimeoutMs: 30 });
    await settled(pool.start());
    const before = clock.pendingTimers;
    const runs = [1, 2, 3].map(() => failureOf(pool.run('work', { ms: 1_000 })));
    // Each task has a timer of its own in its simulated worker; the pool has one for all.
    await clock.settle();
    expect(clock.pendingTimers).toBe(before + 4);
    for (const error of await settled(Promise.all(runs)))
      expect(error).toMatchObject({ code: 'RUN_TIMEOUT' });
  });
});
