import { createDeferred } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import { balancers } from '../scheduling/balancing/balancers.ts';
import { createExecutor, type ExecutorOptions } from './executor.ts';
import type { Succeeded } from './outcome.ts';

/** A pool that notes what it runs, and ends nothing before it is told to. */
function heldPool(name: string, log: string[]) {
  const done = createDeferred();
  const run = async (task: string): Promise<string> => {
    log.push(`${name} ${task}`);
    await done.promise;
    return name;
  };
  return { run, release: () => done.resolve() };
}

describe('equal pools', () => {
  it('get a run each in turn of their load', async () => {
    const log: string[] = [];
    const [a, b] = [heldPool('a', log), heldPool('b', log)];
    const executor = createExecutor({ pools: { t: [a, b] } });
    const runs = [1, 2, 3].map(() => executor.execute('t'));
    await Promise.resolve();
    expect(log).toEqual(['a t', 'b t', 'a t']);
    b.release();
    await runs[1];
    // `b` has nothing now, `a` has two.
    runs.push(executor.execute('t'), executor.execute('t'));
    await Promise.resolve();
    expect(log.slice(3).filter((entry) => entry === 'b t').length).toBeGreaterThan(0);
    a.release();
    const outcomes = await Promise.all(runs);
    expect(outcomes.map((outcome) => (outcome as Succeeded).value).slice(0, 3)).toEqual(['a', 'b', 'a']);
  });

  it('share one load over all tasks they serve', async () => {
    const log: string[] = [];
    const [a, b] = [heldPool('a', log), heldPool('b', log)];
    const executor = createExecutor({ pools: { only: a, both: [a, b] } });
    const runs = [executor.execute('only'), executor.execute('both'), executor.execute('both')];
    await Promise.resolve();
    expect(log.slice(0, 2)).toEqual(['a only', 'b both']);
    a.release();
    b.release();
    await Promise.all(runs);
  });

  it('are chosen as the balancer says', async () => {
    const log: string[] = [];
    const pools = { '*': ['a', 'b', 'c'].map((name) => heldPool(name, log)) };
    const executor = createExecutor({ pools, balancer: balancers.roundRobin });
    for (const pool of pools['*']) pool.release();
    for (const _ of [1, 2, 3, 4]) await executor.execute('t');
    expect(log).toEqual(['a t', 'b t', 'c t', 'a t']);
  });

  it('lose no place to a pool that throws at once', async () => {
    const run = (): never => {
      throw new Error('at once');
    };
    const executor = createExecutor({ pools: { t: [{ run }, { run: async () => 'well' }] } });
    const statuses: unknown[] = [];
    for (const _ of [1, 2]) statuses.push((await executor.execute('t')).status);
    // Its load is what it was, so it is asked again.
    expect(statuses).toEqual(['failed', 'failed']);
  });
});

it.each<[object, RegExp]>([
  [{ pools: { t: [] } }, /`pools\.t` to be at least one pool/],
  [{ pools: { t: [{}] } }, /`pools\.t\.run` to be a function/],
  [{ run: () => 1, balancer: 5 }, /`balancer` to be a function/],
  [{ run: () => 1, ownsPools: 1 }, /`ownsPools` to be true or false/],
  [{ run: () => 1, whenNotAdmitted: 'no' }, /`whenNotAdmitted` to be one of `"wait"`, `"reject"`/],
  [{ run: () => 1, admission: {} }, /`admission\.acquire` to be a function/],
  [{ run: () => 1, trace: 'x' }, /`trace` to be a function/],
])('refuses %j', (options, message) => {
  expect(() => createExecutor(options as unknown as ExecutorOptions)).toThrow(message);
});
