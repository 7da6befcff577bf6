import { seededRandom } from '@pawl/core';
import { expect, it } from 'vitest';
import type { PoolStats, ProcessPool, WorkerStatus } from '../src/index.ts';
import { isAlive, untilGone } from './setup-process.ts';
import { setup } from './setup-pool.ts';

function accounted(stats: PoolStats): number {
  const { queued, running, succeeded, failed, timedOut, cancelled, lost, refused, stopped } = stats;
  return queued + running + succeeded + failed + timedOut + cancelled + lost + refused + stopped;
}

function liveWorkers(pool: ProcessPool): readonly WorkerStatus[] {
  return pool.workers().filter(({ pid, state }) => pid !== undefined && state !== 'starting');
}

function workerReady(pool: ProcessPool): Promise<void> {
  return new Promise((resolve) => {
    const stop = pool.on('worker:ready', () => {
      stop();
      resolve();
    });
  });
}

const FEWEST_KILLS = 10;

it.each([
  ['sent ahead', { prefetch: 'auto' as const }],
  ['one by one', { prefetch: false as const }],
  ['four at once', { runsPerWorker: 4 }],
])(
  'settles every run once while its workers are killed at random moments: %s',
  { timeout: 60_000 },
  async (_how, options) => {
    const random = seededRandom(20_261_121);
    const { pool, events } = setup({
      ...options,
      minWorkers: 2,
      maxWorkers: 3,
      maxQueue: Infinity,
      restart: { maxRestarts: Infinity },
    });
    // A listener of every event would want the output of each run, and so have them one by one.
    events[Symbol.dispose]();
    const ends = new Map<string, number>();
    const noteEnd = ({ runId }: { readonly runId: string }): void =>
      void ends.set(runId, (ends.get(runId) ?? 0) + 1);
    pool.on('run:succeeded', noteEnd);
    pool.on('run:failed', noteEnd);
    const pids = new Set<number>();
    pool.on('worker:ready', ({ pid }) => void pids.add(pid ?? 0));
    await pool.start();

    const outcomes: Promise<unknown>[] = [];
    const codes = new Set<string | undefined>();
    let kills = 0;
    for (let round = 0; round < 80; round += 1) {
      for (let i = 0; i < 25; i += 1) {
        const run = random() < 0.8 ? pool.run('echo', i) : pool.run('sleep', random() * 10);
        outcomes.push(run.catch(({ code }: { readonly code?: string }) => void codes.add(code)));
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 50));
      let live = liveWorkers(pool);
      // On a busy machine a worker needs longer to boot than all the rounds take.
      if (live.length === 0 && kills <= FEWEST_KILLS) {
        await workerReady(pool);
        live = liveWorkers(pool);
      }
      const victim = live[Math.floor(random() * live.length)];
      if (victim?.pid !== undefined && isAlive(victim.pid)) {
        process.kill(victim.pid, 'SIGKILL');
        kills += 1;
      }
      const stats = pool.stats();
      expect(accounted(stats)).toBe(stats.submitted);
    }
    await Promise.all(outcomes);
    expect([...codes]).toEqual(['WORKER_CRASHED']);
    const stats = pool.stats();
    expect(kills).toBeGreaterThan(FEWEST_KILLS);
    expect(stats).toMatchObject({ submitted: 2_000, queued: 0, running: 0 });
    expect(stats.succeeded + stats.lost).toBe(2_000);
    // A death takes along what was executed, and nothing that only waited in the worker.
    expect(stats.lost).toBeLessThanOrEqual(kills * ('runsPerWorker' in options ? 4 : 1));
    expect([...ends.values()].every((count) => count === 1)).toBe(true);
    expect(ends.size).toBe(2_000);
    await pool.stop();
    await untilGone([...pids], 2_000);
  },
);
