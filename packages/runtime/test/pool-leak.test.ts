import { seededRandom } from '@pawl/core';
import { createLeakCheck } from '@pawl/core/testing';
import { expect, it } from 'vitest';
import { createPool, type PoolStats } from '../src/index.ts';
import { setup, TASKS } from './setup-pool.ts';

/** Every submitted run is in one place. */
function accounted(stats: PoolStats): number {
  const { queued, running, succeeded, failed, timedOut, cancelled, lost, refused, stopped } = stats;
  return queued + running + succeeded + failed + timedOut + cancelled + lost + refused + stopped;
}

it('leaves nothing behind after 200 runs and 20 replacements', async () => {
  const check = createLeakCheck({ settleMs: 3_000 });
  {
    await using pool = createPool({ worker: TASKS, maxWorkers: 2, privateFolder: true });
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 9 }, (_, i) => pool.run('echo', i)));
      await pool.run('exit', 1).catch(() => undefined);
    }
    expect(pool.stats()).toMatchObject({ succeeded: 180, lost: 20 });
  }
  await check.assertNoLeak();
});

it('settles each run of a random mix once, and its counts add up at every moment', async () => {
  const random = seededRandom(20_261_120);
  const { pool } = setup({
    maxWorkers: 3,
    maxQueue: 25,
    cancelGraceMs: 30,
    killGraceMs: 50,
    restart: { maxRestarts: Infinity },
  });
  let settled = 0;
  let events = 0;
  let wrong: unknown;
  // What a listener throws is only logged, so it takes notes.
  pool.onAny(() => {
    const stats = pool.stats();
    events += 1;
    if (accounted(stats) !== stats.submitted) wrong = stats;
  });
  const kinds: readonly (() => Promise<unknown>)[] = [
    () => pool.run('echo', 1),
    () => pool.run('echo', 1, { priority: 1 + Math.floor(random() * 4) }),
    () => pool.run('fail', {}),
    () => pool.run('nope'),
    () => pool.run('echo', 1n),
    () => pool.run('exit', Math.floor(random() * 2)),
    () => pool.run('sleep', 10_000, { timeoutMs: random() * 20 }),
    () => pool.run('stubborn', 10_000, { timeoutMs: random() * 20 }),
    () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), random() * 40);
      return pool.run('sleep', 30, { signal: controller.signal });
    },
    () => pool.run('echo', 1, { signal: AbortSignal.abort() }),
    () => pool.run('answerThenExit', 0),
  ];
  const runs: Promise<void>[] = [];
  for (let i = 0; i < 150; i += 1) {
    const kind = kinds[Math.floor(random() * kinds.length)];
    if (kind === undefined) continue;
    runs.push(
      kind().then(
        () => void (settled += 1),
        () => void (settled += 1),
      ),
    );
    if (random() < 0.4) await new Promise((resolve) => setTimeout(resolve, random() * 15));
    if (random() < 0.05) void pool.scaleTo(1 + Math.floor(random() * 3)).catch(() => undefined);
    const stats = pool.stats();
    expect(accounted(stats)).toBe(stats.submitted);
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  await pool.stop({ graceMs: 200 });
  await Promise.all(runs);
  const stats = pool.stats();
  expect(settled).toBe(150);
  expect(events).toBeGreaterThan(150);
  expect(wrong).toBeUndefined();
  expect(stats).toMatchObject({ submitted: 150, queued: 0, running: 0, size: 0 });
  expect(accounted(stats)).toBe(150);
});
