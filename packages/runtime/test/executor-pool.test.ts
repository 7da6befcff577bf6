// What an executor does with real worker processes.
import { getEventListeners } from 'node:events';
import { createEventMonitor, createLeakCheck } from '@pawl/core/testing';
import { circuitBreaker, fixedBackoff, retry } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createAdmission,
  createExecutor,
  createPool,
  type ExecutorOptions,
  type RunOptions,
} from '../src/index.ts';
import type * as TypedTasks from './fixtures/typed-tasks.ts';
import { isAlive, setup as setupPool, TASKS, untilGone } from './setup-pool.ts';

function setup(options: ExecutorOptions) {
  const executor = createExecutor(options);
  const events = createEventMonitor(executor);
  onTestFinished(() => events[Symbol.dispose]());
  return { executor, events };
}

describe('an executor of a pool', () => {
  it('keeps what was admitted until the worker of a run that was given up is done with it', async () => {
    const { pool } = setupPool({ cancelGraceMs: 100, killGraceMs: 100 });
    const admission = createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0, tokens: { gpu: 1 } });
    const { executor, events } = setup({ pools: { '*': pool }, admission });
    const outcome = executor.execute('spin', null, { runId: 'r', tokens: { gpu: 1 } });
    await events.next('attempt:executing');
    executor.cancel('r');
    expect(await outcome).toMatchObject({ status: 'cancelled' });
    const [{ pid = 0, runIds } = { runIds: [] }] = pool.workers();
    expect([runIds, admission.stats().free]).toEqual([['r'], { gpu: 0 }]);
    let wasAlive: boolean | undefined;
    executor.on('admission:released', () => {
      wasAlive = isAlive(pid);
    });
    expect((await events.next('admission:released')).heldMs).toBeGreaterThan(100);
    expect([wasAlive, admission.stats().free]).toEqual([false, { gpu: 1 }]);
  });

  it('bounds what is left of a deadline by the time limit of its pool', async () => {
    const { pool } = setupPool({ runTimeoutMs: 100, cancelGraceMs: 0, killGraceMs: 0 });
    const { executor } = setup({ pools: { '*': pool }, timeoutMs: 60_000 });
    expect(await executor.execute('spin')).toMatchObject({ status: 'timed-out', error: { timeoutMs: 100 } });
  });

  it('hands a run that is in its queue to nobody once it is cancelled', async () => {
    const { pool } = setupPool();
    const { executor, events } = setup({ pools: { '*': pool } });
    const first = executor.execute('sleep', 100);
    await events.next('attempt:executing');
    const second = executor.execute('sleep', 100, { runId: 'r' });
    await events.next('attempt:started', ({ runId }) => runId === 'r');
    expect(executor.stats().byStage).toMatchObject({
      queue: { running: 1 },
      worker: { running: 1 },
    });
    executor.cancel('r');
    expect(await second).toMatchObject({ status: 'cancelled', stage: 'queue', attempts: 1 });
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(pool.stats()).toMatchObject({ succeeded: 1, cancelled: 1 });
  });

  it('gives a run whose worker was killed to another', async () => {
    const { pool } = setupPool({ maxWorkers: 2 });
    const { executor, events } = setup({
      pools: { '*': pool },
      retry: retry({ maxAttempts: 2, backoff: fixedBackoff(1) }),
    });
    const outcome = executor.execute('sleep', 200);
    const { workerId } = await events.next('attempt:executing');
    const worker = pool.workers().find((each) => each.workerId === workerId);
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    expect(await outcome).toMatchObject({ status: 'succeeded', value: 200, attempts: 2 });
    expect(await events.next('attempt:failed')).toMatchObject({
      attempt: 1,
      error: { code: 'WORKER_CRASHED', signal: 'SIGKILL' },
    });
    const second = await events.next('attempt:executing');
    expect([second.attempt, second.workerId === workerId]).toEqual([2, false]);
  });

  it('makes no signal for a run, whatever is asked of it, and cancels it all the same', async () => {
    const { pool } = setupPool();
    const { executor, events } = setup({
      pools: { '*': pool },
      timeoutMs: 60_000,
      admission: createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0 }),
      retry: retry(),
      breaker: circuitBreaker(),
    });
    await executor.execute('echo', 1);
    let made = 0;
    const { AbortController: Real } = globalThis;
    onTestFinished(() => void (globalThis.AbortController = Real));
    globalThis.AbortController = class extends Real {
      constructor() {
        super();
        made += 1;
      }
    };
    expect(await executor.execute('echo', 1, { runId: 'r' })).toMatchObject({ status: 'succeeded' });
    const endless = executor.execute('sleep', 60_000);
    const { runId } = await events.next('attempt:executing', ({ task }) => task === 'sleep');
    // The executor named it.
    expect(executor.cancel(runId)).toBe(true);
    expect(await endless).toMatchObject({ status: 'cancelled', stage: 'worker', attempts: 1 });
    expect(made).toBe(0);
  });

  it('answers a cancelled run at once, also when a pool around its own is not done with it', async () => {
    const { pool } = setupPool();
    const around = {
      run: async (task: string, input: unknown, options: RunOptions) => {
        await pool.run(task, input, options);
        return new Promise(() => undefined);
      },
    };
    const { executor, events } = setup({ pools: { '*': around } });
    const outcome = executor.execute('echo', 1, { runId: 'r' });
    await events.next('attempt:started');
    await pool.run('echo', 2);
    executor.cancel('r');
    expect(await outcome).toMatchObject({ status: 'cancelled', attempts: 1 });
  });

  it('tries no more a run that too many workers died of', async () => {
    const { pool } = setupPool({ maxCrashes: 2, restart: { maxRestarts: Infinity } });
    const { executor } = setup({
      pools: { '*': pool },
      retry: retry({ maxAttempts: 5, backoff: fixedBackoff(1), shouldRetry: () => true }),
    });
    expect(await executor.execute('exit', 1)).toMatchObject({
      status: 'failed',
      cause: 'poison',
      error: { code: 'POISON_RUN' },
      attempts: 3,
    });
  });

  it('spreads runs over equal pools by their load, and stops them all', async () => {
    // A pool that knows its tasks is one as well.
    const node = createPool<typeof TypedTasks>({
      worker: TASKS,
      minWorkers: 0,
      maxWorkers: 1,
    });
    const other = createPool({ worker: TASKS, minWorkers: 0, maxWorkers: 1 });
    const pids = new Set<unknown>();
    {
      await using executor = createExecutor({ pools: { pid: [node, other] } });
      const both = [executor.run('pid'), executor.run('pid')];
      for (const pid of await Promise.all(both)) pids.add(pid);
      expect(pids.size).toBe(2);
      expect(await executor.execute('echo')).toMatchObject({ cause: 'invalid', attempts: 1 });
    }
    expect([node.state, other.state]).toEqual(['stopped', 'stopped']);
    await untilGone([...pids] as number[], 1_000);
  });

  it('leaves nothing behind: 1000 runs, crashes, cancels of one signal, streams', async () => {
    const check = createLeakCheck({ settleMs: 3_000 });
    const controller = new AbortController();
    {
      await using executor = createExecutor({
        pools: {
          '*': createPool({ worker: TASKS, maxWorkers: 2, restart: { maxRestarts: Infinity } }),
        },
        admission: createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0 }),
        retry: retry({ maxAttempts: 2, backoff: fixedBackoff(1) }),
        timeoutMs: 30_000,
      });
      const { signal } = controller;
      await Promise.all(Array.from({ length: 1_000 }, (_, i) => executor.execute('echo', i, { signal })));
      for (let i = 0; i < 5; i += 1) await executor.execute('exit', 1, { signal });
      const late = Array.from({ length: 50 }, () => executor.execute('sleep', 60_000, { signal }));
      controller.abort(new Error('all of them'));
      for (const outcome of await Promise.all(late)) expect(outcome.status).toBe('cancelled');
      expect(getEventListeners(signal, 'abort')).toEqual([]);
      expect(executor.stats()).toMatchObject({
        running: 0,
        total: 1_055,
        byStatus: { succeeded: 1_000, lost: 5, cancelled: 50 },
        attempts: expect.any(Number),
      });
    }
    await check.assertNoLeak();
  });
});
