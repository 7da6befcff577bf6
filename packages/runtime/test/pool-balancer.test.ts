import { expect, it } from 'vitest';
import { balancers } from '../src/scheduling/balancing/balancers.ts';
import { setup } from './simulation/setup-simulation.ts';

it('lets a balancer choose the worker', async () => {
  const { pool, executed, settled } = setup({
    balancer: balancers.roundRobin,
    minWorkers: 3,
    maxWorkers: 3,
  });
  await settled(pool.start());
  for (let i = 0; i < 6; i += 1) await settled(pool.run('work', {}));
  const workers = executed.map((entry) => entry.split('@')[1]);
  expect(new Set(workers.slice(0, 3)).size).toBe(3);
  expect(workers.slice(3)).toEqual(workers.slice(0, 3));
});

it('uses the worker that was used last unless told otherwise, so that the others can go', async () => {
  const { pool, executed, settled } = setup({ minWorkers: 3, maxWorkers: 3 });
  await settled(pool.start());
  for (let i = 0; i < 6; i += 1) await settled(pool.run('work', {}));
  expect(new Set(executed.map((entry) => entry.split('@')[1])).size).toBe(1);
});

it('asks the balancer for a worker to send ahead to only when none is free', async () => {
  const { pool, settled } = setup({
    balancer: balancers.powerOfTwo,
    minWorkers: 2,
    maxWorkers: 2,
    prefetch: 2,
  });
  await settled(pool.start());
  const runs = Array.from({ length: 6 }, () => pool.run('work', { ms: 1 }));
  expect(pool.workers().map(({ runIds, runsAhead }) => [runIds.length, runsAhead])).toEqual([
    [1, 2],
    [1, 2],
  ]);
  await settled(Promise.all(runs));
});
