import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { setup as setupProcesses } from './setup-pool.ts';
import { failureOf } from './setup-process.ts';
import { setup } from './simulation/setup-simulation.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it('keeps nothing of 100,000 runs', { timeout: 60_000 }, async () => {
  const { pool, events } = setupProcesses({ minWorkers: 2, maxWorkers: 2 });
  // It would record every event.
  events[Symbol.dispose]();
  const runMany = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1_000) {
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => pool.run('echo', n)));
    }
  };
  await runMany(20_000);
  const before = heapBytes();
  await runMany(100_000);
  expect(heapBytes() - before).toBeLessThan(5_000_000);
  expect(pool.stats()).toMatchObject({ succeeded: 120_000, queued: 0, running: 0 });
});

it('keeps nothing of 10,000 cancels on one signal', async () => {
  const { pool, settled } = setup({ maxQueue: Infinity });
  await settled(pool.start());
  const { signal } = new AbortController();
  for (let i = 0; i < 10; i += 1) {
    const controller = new AbortController();
    const cancelled = Array.from({ length: 1_000 }, () =>
      failureOf(pool.run('work', { ms: 10 }, { signal: controller.signal })),
    );
    const done = pool.run('work', {}, { signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1_000);
    controller.abort(new Error('all of you'));
    await settled(Promise.all([...cancelled, done]));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  }
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(pool.stats()).toMatchObject({ cancelled: 10_000, queued: 0, running: 0 });
});

it('keeps nothing of 1,000 workers that were replaced', async () => {
  const { pool, clock, events, settled } = setup({ maxRunsPerWorker: 1 });
  events[Symbol.dispose]();
  await settled(pool.start());
  for (let i = 0; i < 100; i += 1) await settled(pool.run('work', {}));
  await clock.advance(5_000);
  const [timers, before] = [clock.pendingTimers, heapBytes()];
  for (let i = 0; i < 1_000; i += 1) await settled(pool.run('work', {}));
  await clock.advance(5_000);
  expect(clock.pendingTimers).toBeLessThanOrEqual(timers + 1);
  expect(heapBytes() - before).toBeLessThan(5_000_000);
  expect(pool.workers().length).toBeLessThanOrEqual(2);
});
