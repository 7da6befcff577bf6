import { createDeferred, createLifecycle } from '@pawl/core';
import { createManualClock, serviceContract } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createExecutor } from './executor.ts';
import type { ExecutorPool } from './pool-routes.ts';

/** A pool whose runs end when the test says so, or when it is stopped. */
function fakePool(log: string[] = []) {
  const done = createDeferred<string>();
  done.promise.catch(() => undefined);
  const listeners = new Set<unknown>();
  const lifecycle = createLifecycle({
    name: 'a pool',
    start: () => void log.push('start'),
    stop: ({ graceMs }) => {
      log.push(`stop ${graceMs}`);
      done.reject(Object.assign(new Error('the pool was stopped'), { code: 'POOL_STOPPED' }));
    },
  });
  const pool: ExecutorPool = {
    run: async () => {
      await lifecycle.start();
      return done.promise;
    },
    on: (_name, listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => lifecycle.start(),
    stop: (options) => lifecycle.stop(options),
    state: 'idle',
    [Symbol.asyncDispose]: () => lifecycle[Symbol.asyncDispose](),
  };
  return { pool, done, listeners, log };
}

describe('an executor', () => {
  const contract = serviceContract(() => createExecutor({ pools: { '*': fakePool().pool } }));
  it.each(contract)('$title', ({ run }) => run());

  it('starts and stops its pools', async () => {
    const { pool, log } = fakePool();
    {
      await using executor = createExecutor({ pools: { a: pool, b: pool } });
      await executor.start();
      expect(log).toEqual(['start']);
    }
    expect(log).toEqual(['start', 'stop 0']);
  });

  it('leaves pools alone that it does not own', async () => {
    const { pool, log } = fakePool();
    await using executor = createExecutor({ pools: { '*': pool }, ownsPools: false });
    await executor.start();
    expect(log).toEqual([]);
    const outcome = executor.execute('t');
    expect(await executor.stop({ graceMs: 0 })).toMatchObject({ drained: false });
    expect(await outcome).toMatchObject({ status: 'cancelled', cause: 'stopped' });
    // Its first run has started it, and nobody has stopped it.
    expect(log).toEqual(['start']);
  });

  it('listens to its pools until it is stopped', async () => {
    const { pool, listeners } = fakePool();
    const executor = createExecutor({ pools: { '*': pool } });
    await executor.start();
    expect(listeners.size).toBe(1);
    await executor.stop();
    expect(listeners.size).toBe(0);
  });

  it('fails to start when a pool does', async () => {
    const { pool } = fakePool();
    const failing = { ...pool, start: () => Promise.reject(new Error('no worker')) };
    const executor = createExecutor({ pools: { '*': failing } });
    await expect(executor.start()).rejects.toThrow('no worker');
    expect(executor.state).toBe('stopped');
  });

  it('drains what runs, and takes nothing new', async () => {
    const { pool, done } = fakePool();
    const clock = createManualClock();
    const executor = createExecutor({ pools: { '*': pool }, clock });
    const first = executor.execute('t');
    const stopped = executor.stop({ graceMs: 1_000 });
    await clock.settle();
    expect(executor.state).toBe('draining');
    expect(await executor.execute('t', 0, { runId: 'late' })).toMatchObject({
      status: 'cancelled',
      cause: 'stopped',
      error: { code: 'EXECUTOR_STOPPED', message: 'Run late was refused: the executor was stopped.' },
      attempts: 0,
    });
    done.resolve('well');
    expect(await first).toMatchObject({ status: 'succeeded', value: 'well' });
    expect(await stopped).toEqual({ drained: true, orphaned: [] });
    expect(clock.pendingTimers).toBe(0);
    expect(executor.stats()).toMatchObject({ total: 2, byCause: { stopped: 1 } });
  });

  it('ends after the grace what has not ended, and names it', async () => {
    const { pool, log } = fakePool();
    const clock = createManualClock();
    const executor = createExecutor({ pools: { '*': pool }, clock });
    const outcomes = [executor.execute('t', 0, { runId: 'named' }), executor.execute('t')];
    const stopped = executor.stop({ graceMs: 1_000 });
    await clock.advance(1_000);
    const report = await stopped;
    expect(report.drained).toBe(false);
    expect(report.orphaned).toHaveLength(2);
    expect(report.orphaned[0]).toBe('named');
    expect(await Promise.all(outcomes)).toMatchObject([
      { cause: 'stopped', error: { code: 'EXECUTOR_STOPPED' } },
      { cause: 'stopped', error: { code: 'EXECUTOR_STOPPED' } },
    ]);
    expect(log.at(-1)).toBe('stop 0');
  });
});
