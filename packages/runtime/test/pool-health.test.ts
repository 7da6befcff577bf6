import { describe, expect, it } from 'vitest';
import { createPool, type RunTimeoutError, type WorkerCrashedError } from '../src/index.ts';
import { endAtLast, failureOf, isAlive, setup as setupPool, TASKS } from './setup-pool.ts';
import { setup } from './simulation/setup-simulation.ts';
import { GOOD_PLAN } from './simulation/simulated-worker.ts';

const PYTHON_TASKS = new URL('fixtures/tasks.py', import.meta.url);

describe('the health of workers', () => {
  it('kills a worker that answers no three pings, fails its run with that, and starts another', async () => {
    const { pool, clock, events, settled } = setup({ runTimeoutMs: 300_000, heartbeatMs: 1_000 });
    await settled(pool.start());
    const frozen = failureOf<WorkerCrashedError>(pool.run('work', { how: 'freeze' }, { runId: 'frozen' }));
    const behind = pool.run('work', { ms: 1 });
    await clock.advance(3_500);
    expect(pool.workers()).toMatchObject([{ workerId: 'worker-1', state: 'busy', health: 'healthy' }]);
    const error = await settled(frozen);
    expect(error).toMatchObject({
      code: 'WORKER_CRASHED',
      reason: 'unresponsive',
      phase: 'run',
      signal: 'SIGKILL',
    });
    expect(error.message).toBe(
      'Worker worker-1 (pid 1001) was killed by SIGKILL while it ran "work" (run frozen, attempt 1), ' +
        'after 0 finished runs. It gave no answer to 3 pings in a row.',
    );
    expect(clock.now()).toBeLessThan(6_000);
    expect(await settled(behind)).toBe(1);
    expect(await events.next('worker:stopped')).toMatchObject({
      workerId: 'worker-1',
      reason: 'unresponsive',
    });
    expect(await events.next('worker:health')).toMatchObject({ workerId: 'worker-1', class: 'healthy' });
    expect(await events.next('worker:health')).toMatchObject({
      workerId: 'worker-1',
      before: 'healthy',
      class: 'unhealthy',
      findings: [{ fault: 'unresponsive' }],
    });
    expect(pool.stats()).toMatchObject({ lost: 1, succeeded: 1 });
  });

  it('shows a worker that is being killed as unresponsive, and does not count it', async () => {
    const { pool, clock, settled } = setup({ heartbeatMs: 1_000 });
    await settled(pool.start());
    const states = new Set<string>();
    pool.on('worker:health', () => {
      queueMicrotask(() => {
        for (const { workerId, state } of pool.workers()) states.add(`${workerId} ${state}`);
      });
    });
    const frozen = failureOf(pool.run('work', { how: 'freeze' }, { timeoutMs: Infinity }));
    await settled(frozen);
    expect([...states]).toContain('worker-1 unresponsive');
    await clock.advance(100);
    expect(pool.workers()).toMatchObject([{ workerId: 'worker-2', state: 'ready' }]);
  });

  it('replaces an idle worker that gives no sign of life', async () => {
    let freezesAfterMs = 500;
    const { pool, clock, events, settled } = setup({
      heartbeatMs: 1_000,
      plan: () => ({ ...GOOD_PLAN, freezesAfterMs }),
    });
    await settled(pool.start());
    freezesAfterMs = Infinity;
    await clock.advance(6_000);
    expect(events.count('worker:stopped')).toBe(1);
    expect(pool.workers()).toMatchObject([{ workerId: 'worker-2', state: 'ready' }]);
    await clock.advance(60_000);
    expect(events.count('worker:stopped')).toBe(1);
  });

  it('leaves a worker alone whose task spins: it is busy, which its status says', async () => {
    const { pool, clock, events, settled } = setup({
      minWorkers: 2,
      maxWorkers: 2,
      heartbeatMs: 1_000,
      runTimeoutMs: Infinity,
    });
    await settled(pool.start());
    void pool.run('work', { how: 'spin' }, { timeoutMs: 30_000 }).catch(() => undefined);
    await clock.advance(20_000);
    expect(events.count('worker:stopped')).toBe(0);
    const busy = pool.workers().find(({ state }) => state === 'busy');
    expect(busy).toMatchObject({ health: 'degraded', findings: [{ fault: 'busy', action: 'none' }] });
    await clock.advance(15_000);
    expect(pool.stats()).toMatchObject({ timedOut: 1 });
  });

  it('does not ask a worker during a run that only answers between runs', async () => {
    const { pool, clock, events, settled } = setup({
      features: ['cancel'],
      heartbeatMs: 1_000,
      runTimeoutMs: 60_000,
    });
    await settled(pool.start());
    const late = failureOf(pool.run('work', { how: 'freeze' }));
    await clock.advance(50_000);
    expect(events.count('worker:stopped')).toBe(0);
    expect(await settled(late)).toMatchObject({ code: 'RUN_TIMEOUT' });
  });

  it('kills a worker whose memory must not be waited with, and says so', async () => {
    const { pool, settled } = setup({
      heartbeatMs: 1_000,
      health: { killRssBytes: 100_000_000 },
      plan: () => ({ ...GOOD_PLAN, rssBytes: 150_000_000 }),
    });
    await settled(pool.start());
    const error = await settled(failureOf(pool.run('work', { ms: 60_000 })));
    expect(error).toMatchObject({ code: 'WORKER_CRASHED', reason: 'memory', rssBytes: 150_000_000 });
    expect(error.message).toContain('It holds 150000000 bytes of memory; 100000000 are allowed.');
  });

  it('finds a run stuck that takes far longer than its task usually does', async () => {
    const { pool, clock, settled } = setup({ heartbeatMs: 1_000, health: { stuckMinMs: 5_000 } });
    for (let i = 0; i < 5; i += 1) await settled(pool.run('work', { ms: 2 }));
    const slow = pool.run('work', { ms: 20_000 }, { runId: 'slow' });
    await clock.advance(10_000);
    expect(pool.workers()).toMatchObject([
      { health: 'degraded', findings: [{ fault: 'stuck', runId: 'slow' }] },
    ]);
    expect(await settled(slow)).toBe(20_000);
    await clock.advance(5_000);
    expect(pool.workers()).toMatchObject([{ health: 'healthy', findings: [] }]);
  });
});

describe('the health of real workers', () => {
  it('kills and replaces a process that was stopped', async () => {
    const { pool, events } = setupPool({ heartbeatMs: 1_000, worker: TASKS });
    const pid = (await pool.run('pid')) as number;
    const lost = failureOf<WorkerCrashedError>(pool.run('sleep', 60_000));
    endAtLast(pid);
    process.kill(pid, 'SIGSTOP');
    expect(await lost).toMatchObject({ pid, reason: 'unresponsive', phase: 'run', signal: 'SIGKILL' });
    expect(isAlive(pid)).toBe(false);
    expect(await pool.run('pid')).not.toBe(pid);
    expect(events.count('worker:crashed')).toBe(0);
  }, 20_000);

  it.each([
    ['Node', TASKS],
    ['Python', PYTHON_TASKS],
  ])(
    'leaves a %s worker alone whose task spins, and only its timeout ends it',
    async (_, worker) => {
      const { pool, events } = setupPool({
        worker,
        heartbeatMs: 1_000,
        health: { maxMissedPings: 0 },
      });
      await pool.start();
      const late = failureOf(pool.run('spin', null, { timeoutMs: 4_500 }));
      expect(await late).toMatchObject({ code: 'RUN_TIMEOUT' });
      expect(events.count('worker:stopped')).toBe(0);
      const [worker1] = pool.workers();
      expect(worker1?.findings.map(({ fault }) => fault)).not.toContain('unresponsive');
    },
    20_000,
  );

  it('attaches where a Node worker spins to the error of the timeout', async () => {
    const { pool } = setupPool({ worker: TASKS });
    await pool.run('pid');
    const error = await failureOf<RunTimeoutError>(pool.run('spin', null, { timeoutMs: 3_000 }));
    expect(error).toMatchObject({ code: 'RUN_TIMEOUT' });
    expect(error.workerStack).toMatch(/^ {4}at spin \(file:.*tasks\.mjs:\d+:\d+\)/);
  }, 20_000);

  it('has no stack of a worker that waits, nor of one in Python', async () => {
    for (const [worker, task] of [
      [TASKS, 'stubborn'],
      [PYTHON_TASKS, 'spin'],
    ] as const) {
      await using pool = createPool({ worker, cancelGraceMs: 0, killGraceMs: 0 });
      const error = await failureOf<RunTimeoutError>(pool.run(task, 60_000, { timeoutMs: 500 }));
      expect(error).toMatchObject({ code: 'RUN_TIMEOUT', workerStack: undefined });
    }
  });
});
