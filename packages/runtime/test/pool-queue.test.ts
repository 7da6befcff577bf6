import { describe, expect, it } from 'vitest';
import { priorities } from '../src/index.ts';
import { failureOf, setup } from './setup-pool.ts';

describe('the queue of a pool', () => {
  it('serves higher priorities first, and first come first served within one', async () => {
    const { pool, events } = setup();
    const { low, normal, high, urgent } = priorities;
    const first = pool.run('sleep', 30, { runId: 'first' });
    const order: readonly (readonly [string, number | undefined])[] = [
      ['low 1', low],
      ['normal 1', undefined],
      ['urgent 1', urgent],
      ['normal 2', normal],
      ['high 1', high],
      ['low 2', low],
      ['beyond', 4.5],
      ['urgent 2', urgent],
    ];
    await Promise.all([first, ...order.map(([runId, priority]) => pool.run('echo', 1, { runId, priority }))]);
    const started = events.events
      .filter(({ name }) => name === 'run:started')
      .map(({ payload }) => (payload as { readonly runId: string }).runId);
    // All of them wait while the worker boots, the first as well.
    expect(started).toEqual([
      'beyond',
      'urgent 1',
      'urgent 2',
      'high 1',
      'first',
      'normal 1',
      'normal 2',
      'low 1',
      'low 2',
    ]);
  });

  it('keeps the order of submission under lasting load', async () => {
    const { pool } = setup();
    const done: number[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < 300) {
        const number = (next += 1);
        done.push((await pool.run('echo', number)) as number);
      }
    };
    await Promise.all(Array.from({ length: 20 }, client));
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });

  it('refuses one run more than may wait, and serves the others', async () => {
    const { pool, events } = setup({ maxQueue: 2 });
    const first = pool.run('sleep', 50);
    await events.next('run:started');
    const waiting = [pool.run('echo', 1), pool.run('echo', 2)];
    const error = await failureOf(pool.run('echo', 3));
    expect(error).toMatchObject({ code: 'QUEUE_FULL', maxQueue: 2 });
    expect(await Promise.all([first, ...waiting])).toEqual([50, 1, 2]);
    expect(pool.stats()).toMatchObject({ refused: 1, succeeded: 3 });
    expect(await events.next('queue:drained')).toBeDefined();
  });

  it('lets an idle worker work when nothing may wait', async () => {
    const { pool } = setup({ maxQueue: 0, minWorkers: 1 });
    await pool.start();
    const first = pool.run('sleep', 50);
    expect(await failureOf(pool.run('echo', 1))).toMatchObject({ code: 'QUEUE_FULL', maxQueue: 0 });
    expect(await first).toBe(50);
    expect(await pool.run('echo', 2)).toBe(2);
  });

  it('runs a burst on a cold pool in parallel, and never on more workers than allowed', async () => {
    const { pool, events } = setup({ maxWorkers: 3 });
    const sizes = await Promise.all(
      Array.from({ length: 6 }, async () => {
        await pool.run('sleep', 60);
        return pool.size;
      }),
    );
    expect(Math.max(...sizes)).toBe(3);
    // On a machine without a free CPU the last may be ready after the last run.
    for (let ready = 0; ready < 3; ready += 1) await events.next('worker:ready');
    expect(events.count('worker:ready')).toBe(3);
  });
});
