import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasCode } from '@pawl/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPool } from '../src/index.ts';
import { failureOf, isAlive, setup, TASKS, untilGone } from './setup-pool.ts';

const HOST = fileURLToPath(new URL('fixtures/host.mjs', import.meta.url));

/** Runs a program of its own that uses a pool; gives what it prints first and how it ends. */
function startHost(...args: readonly string[]): {
  readonly pid: number;
  readonly line: Promise<string>;
  readonly exited: Promise<readonly unknown[]>;
} {
  const child = spawn(process.execPath, [HOST, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout);
  const line = once(lines, 'line').then(([text]) => String(text));
  const ended = once(lines, 'close').then(() => 'It printed nothing.');
  return { pid: child.pid ?? 0, line: Promise.race([line, ended]), exited: once(child, 'exit') };
}

describe('stopping a pool', () => {
  it('lets running and waiting runs finish within the grace', async () => {
    const { pool, events } = setup();
    const running = pool.run('sleep', 100);
    await events.next('run:started');
    const waiting = pool.run('echo', 'waited');
    const stopped = pool.stop({ graceMs: 10_000 });
    expect(await Promise.all([running, waiting])).toEqual([100, 'waited']);
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
    expect(pool.stats()).toMatchObject({ succeeded: 2, stopped: 0, size: 0 });
  });

  it('ends what is left after the grace, and names it', async () => {
    const { pool, events } = setup();
    const running = failureOf(pool.run('stubborn', 60_000, { runId: 'runs' }));
    await events.next('run:started');
    const waiting = failureOf(pool.run('echo', 1, { runId: 'waits' }));
    const [worker] = pool.workers();
    const report = await pool.stop({ graceMs: 50 });
    expect(report.drained).toBe(false);
    expect(report.orphaned.toSorted()).toEqual(['runs', 'waits']);
    expect(await running).toMatchObject({ code: 'POOL_STOPPED' });
    expect((await waiting).message).toBe('Run waits was ended: the pool was stopped.');
    expect(isAlive(worker?.pid ?? 0)).toBe(false);
    expect(pool.stats()).toMatchObject({ stopped: 2, running: 0, queued: 0, size: 0 });
  });

  it('waits for the last process, however stubborn, and no longer than one grace for all', async () => {
    const { pool, events } = setup({ maxWorkers: 3, killGraceMs: 500 });
    const runs = [1, 2, 3].map(() => failureOf(pool.run('ignoreTerm')));
    for (const _ of runs) {
      await events.next('worker:output', ({ line }) => line === 'ignoring');
    }
    const pids = pool.workers().map(({ pid }) => pid ?? 0);
    const startedAt = performance.now();
    await pool.stop({ graceMs: 0 });
    const tookMs = performance.now() - startedAt;
    expect(pids.map(isAlive)).toEqual([false, false, false]);
    expect(tookMs).toBeGreaterThan(450);
    expect(tookMs).toBeLessThan(1_300);
    await Promise.all(runs);
  });

  it('refuses new runs from the first moment on', async () => {
    const { pool } = setup();
    await pool.run('echo', 1);
    const stopped = pool.stop();
    const error = await failureOf(pool.run('echo', 2));
    expect(error).toMatchObject({ code: 'POOL_STOPPED', name: 'PoolStoppedError' });
    await stopped;
    expect(await failureOf(pool.run('echo', 3))).toMatchObject({ code: 'POOL_STOPPED' });
    expect(pool.stats()).toMatchObject({ submitted: 3, succeeded: 1, stopped: 2 });
  });

  it('goes on as before when the stop was asked for wrongly', async () => {
    const { pool } = setup();
    await pool.run('echo', 1);
    await failureOf(pool.stop({ graceMs: -1 }));
    expect(await pool.run('echo', 2)).toBe(2);
  });

  it('may come before the start', async () => {
    const { pool } = setup();
    expect(await pool.stop()).toEqual({ drained: true, orphaned: [] });
    expect(await failureOf(pool.run('echo', 1))).toMatchObject({ code: 'POOL_STOPPED' });
  });

  it.each([0, 20, 60])('leaves nothing when it comes %i ms into the start', async (afterMs) => {
    const { pool, events } = setup({ minWorkers: 2, maxWorkers: 2 });
    // A quick machine has started by then.
    const started = pool.start().catch((error: unknown) => error);
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    const pids = pool.workers().map(({ pid }) => pid ?? 0);
    await pool.stop({ graceMs: 0 });
    expect(pool.workers()).toEqual([]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await started).toSatisfy((end) => end === undefined || hasCode(end, 'SERVICE_STOPPED'));
    expect(events.count('worker:crashed')).toBe(0);
  });

  it('does not wait for workers that take their time to start', async () => {
    const { pool } = setup({
      worker: new URL('fixtures/slow-start.mjs', import.meta.url),
      env: { SLOW_START_MS: '5000' },
      minWorkers: 1,
    });
    const started = failureOf(pool.start());
    while (pool.workers()[0]?.pid === undefined) await new Promise((resolve) => void setImmediate(resolve));
    const stoppedAt = performance.now();
    await pool.stop({ graceMs: 0 });
    expect(performance.now() - stoppedAt).toBeLessThan(1_000);
    expect(await started).toBeInstanceOf(Error);
  });

  it('settles a run that was submitted in the same breath', async () => {
    const { pool } = setup();
    const run = pool.run('echo', 'in time');
    const stopped = pool.stop({ graceMs: 10_000 });
    expect(await run).toBe('in time');
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
  });

  it('stops at the end of an `await using` block', async () => {
    let pid: number;
    {
      await using pool = createPool({ worker: TASKS, maxWorkers: 1 });
      pid = (await pool.run('pid')) as number;
      expect(isAlive(pid)).toBe(true);
    }
    expect(isAlive(pid)).toBe(false);
  });
});

describe('a program that uses a pool', () => {
  it.each(['idle', 'disposed'])('ends by itself when its pool has nothing to do (%s)', async (mode) => {
    const host = startHost(mode);
    const pids = JSON.parse(await host.line) as number[];
    expect(await host.exited).toEqual([0, null]);
    await untilGone(pids, 2_000);
  });

  it('ends by itself when its pool was never used', async () => {
    const host = startHost('never-started');
    expect(await host.exited).toEqual([0, null]);
  });

  it('stays while a run is pending, and ends after it', async () => {
    const host = startHost('pending');
    expect(await host.line).toBe('slept 700');
    expect(await host.exited).toEqual([0, null]);
  });

  it('takes its workers along when it is killed: an idle one, and one that awaits', async () => {
    const host = startHost('hold');
    const pids = JSON.parse(await host.line) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    process.kill(host.pid, 'SIGKILL');
    await untilGone(pids, 2_000);
  });

  it('takes along a worker that is still loading', async () => {
    const host = startHost('hold-starting', './never-loaded.mjs');
    const pids = JSON.parse(await host.line) as number[];
    // It has to be up before its host is gone, or it would never have had that parent.
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(host.pid, 'SIGKILL');
    await untilGone(pids, 2_000);
  });
});
