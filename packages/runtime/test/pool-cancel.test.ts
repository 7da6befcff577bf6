import { getEventListeners } from 'node:events';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import type { OutputStream } from '../src/index.ts';
import { failureOf, isAlive, type PoolSetup, setup, untilGone } from './setup-pool.ts';

/** Starts a run and gives its text on stdout up to the first newline. */
function firstLine(
  { pool }: PoolSetup,
  task: string,
  input: unknown,
  how = {},
): {
  readonly line: Promise<string>;
  readonly run: Promise<unknown>;
} {
  let seen!: (line: string) => void;
  const line = new Promise<string>((resolve) => {
    seen = resolve;
  });
  let text = '';
  const onOutput = (_stream: OutputStream, chunk: Buffer): void => {
    text += chunk.toString();
    if (text.includes('\n')) seen(text.slice(0, text.indexOf('\n')));
  };
  return { line, run: pool.run(task, input, { ...how, onOutput }) };
}

describe('cancelling a run', () => {
  it('rejects at once when the signal has aborted already, and starts nothing', async () => {
    const { pool } = setup();
    const reason = { why: 'too late' };
    expect(await failureOf(pool.run('echo', 1, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(pool.state).toBe('idle');
    expect(pool.stats()).toMatchObject({ submitted: 1, cancelled: 1, size: 0 });
  });

  it("takes a waiting run out of the queue, with the caller's own reason, and frees its place", async () => {
    const { pool, events } = setup({ maxQueue: 1 });
    const first = pool.run('sleep', 50);
    await events.next('run:started');
    const controller = new AbortController();
    const waiting = failureOf(pool.run('echo', 'never', { signal: controller.signal, runId: 'waiting' }));
    expect(pool.stats().queued).toBe(1);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(pool.stats()).toMatchObject({ queued: 0, cancelled: 1 });
    const next = pool.run('echo', 'next');
    expect(await waiting).toBe(reason);
    expect(await Promise.all([first, next])).toEqual([50, 'next']);
    expect(events.events).not.toContainEqual(
      expect.objectContaining({
        name: 'run:started',
        payload: expect.objectContaining({ runId: 'waiting' }),
      }),
    );
  });

  it.each([
    ['heeds the cancel', 'untilCancelled', 5_000],
    ['is killed', 'spin', 0],
  ])('tells when the worker is done with a run that %s', async (_what, task, cancelGraceMs) => {
    const { pool, events } = setup({ cancelGraceMs, killGraceMs: 0 });
    const controller = new AbortController();
    const run = failureOf(pool.run(task, null, { signal: controller.signal, runId: 'r' }));
    const { workerId } = await events.next('run:started');
    controller.abort(new Error('enough'));
    await run;
    expect(pool.workers().flatMap(({ runIds }) => runIds)).toEqual(['r']);
    expect(await events.next('run:released')).toEqual({ runId: 'r', task, workerId });
    expect(pool.workers().flatMap(({ runIds }) => runIds)).toEqual([]);
    await pool.run('echo', 1);
    expect(events.count('run:released')).toBe(1);
  });

  it('answers the caller at once, shows the task the reason, and keeps a worker that heeds it', async () => {
    const { pool, events } = setup({ cancelGraceMs: 5_000, minWorkers: 1 });
    const before = await pool.run('pid');
    const controller = new AbortController();
    const logged: string[] = [];
    let told!: () => void;
    const log = new Promise<void>((resolve) => {
      told = resolve;
    });
    const run = failureOf(
      pool.run('untilCancelled', null, {
        signal: controller.signal,
        onLog: ({ message }) => {
          logged.push(message);
          told();
        },
      }),
    );
    await events.next('run:started', ({ task }) => task === 'untilCancelled');
    const reason = new Error('user left');
    const abortedAt = performance.now();
    controller.abort(reason);
    expect(await run).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(300);
    await log;
    expect(logged).toEqual(['cancelled: user left']);
    // Its replacement is the one to go.
    const stopped = await events.next('worker:stopped');
    expect(stopped).toMatchObject({ reason: 'cancelled-run', workerId: 'worker-2' });
    expect(await pool.run('pid')).toBe(before);
    expect(events.count('worker:crashed')).toBe(0);
  });

  it.each([
    ['the default reason', undefined, /aborted/],
    ['a text', 'no need', /^no need$/],
    ['an object no text can be made of', Object.create(null), /^\{\}$/],
    ['a symbol', Symbol('why'), /^Symbol\(why\)$/],
  ])('tells the task a reason of any kind: %s', async (_what, reason: unknown, shown) => {
    const { pool, events } = setup({ cancelGraceMs: 5_000 });
    const controller = new AbortController();
    const logged = new Promise<string>((resolve) => {
      const onLog = ({ message }: { readonly message: string }): void => resolve(message);
      pool.run('untilCancelled', null, { signal: controller.signal, onLog }).catch(() => undefined);
    });
    await events.next('run:started');
    controller.abort(reason);
    expect((await logged).replace('cancelled: ', '')).toMatch(shown);
  });

  it('ends a worker that does not heed it, after the grace, and starts another at once', async () => {
    const { pool, events } = setup({ cancelGraceMs: 1_000 });
    const before = (await pool.run('pid')) as number;
    const controller = new AbortController();
    const run = failureOf(pool.run('stubborn', 60_000, { signal: controller.signal }));
    await events.next('run:started', ({ task }) => task === 'stubborn');
    controller.abort(new Error('enough'));
    const abortedAt = performance.now();
    await run;
    expect(await pool.run('pid')).not.toBe(before);
    expect(performance.now() - abortedAt).toBeLessThan(1_000);
    expect(isAlive(before)).toBe(true);
    expect(await events.next('worker:stopped')).toMatchObject({
      pid: before,
      signal: 'SIGTERM',
      reason: 'cancelled-run',
    });
    expect(pool.stats()).toMatchObject({ cancelled: 1, lost: 0 });
  });

  it('does not send SIGKILL where SIGTERM is enough', async () => {
    const { pool, events } = setup({ killGraceMs: 10_000, cancelGraceMs: 100 });
    const run = failureOf(pool.run('heedTerm', null, { timeoutMs: 200 }));
    expect(await run).toMatchObject({ code: 'RUN_TIMEOUT' });
    expect(await events.next('worker:stopped')).toMatchObject({ exitCode: 9, signal: null });
  });

  it('leaves no listener on a signal that is used for 1,000 runs', async () => {
    const { pool } = setup({ maxWorkers: 2 });
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => pool.run('echo', i, { signal })));
    await failureOf(pool.run('fail', {}, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('survives that many runs are cancelled at the same time', async () => {
    const { pool } = setup({ maxWorkers: 2, cancelGraceMs: 50 });
    const controller = new AbortController();
    const runs = Array.from({ length: 100 }, () =>
      failureOf(pool.run('sleep', 60_000, { signal: controller.signal })),
    );
    await pool.run('echo', 1, { priority: 4 });
    controller.abort(new Error('all of you'));
    for (const error of await Promise.all(runs)) expect(error.message).toBe('all of you');
    expect(await pool.run('echo', 'fine')).toBe('fine');
  });

  it('may happen while a listener hears that the run started, and hurts no other run', async () => {
    const { pool, events } = setup({ cancelGraceMs: 200 });
    const controller = new AbortController();
    const off = pool.on('run:started', () => controller.abort(new Error('at once')));
    const run = failureOf(pool.run('sleep', 60_000, { signal: controller.signal, timeoutMs: 300 }));
    expect((await run).message).toBe('at once');
    off();
    const slow = await pool.run('sleep', 700);
    expect(slow).toBe(700);
    expect(events.count('run:failed')).toBe(1);
  });

  it('gives each cancel of a worker that is kept its whole grace', async () => {
    const clock = createManualClock();
    const { pool, events } = setup({ clock, cancelGraceMs: 1_000, minWorkers: 1 });
    const pid = await pool.run('pid');
    const cancelOne = async (task: string): Promise<void> => {
      const controller = new AbortController();
      const run = failureOf(pool.run(task, 60_000, { signal: controller.signal }));
      await events.next('run:started', (started) => started.task === task);
      controller.abort(new Error('stop'));
      await run;
    };
    await cancelOne('sleep');
    await events.next('worker:stopped');
    expect(await pool.run('pid')).toBe(pid);
    await clock.advance(600);
    await cancelOne('stubborn');
    await clock.advance(600);
    expect(pool.workers().find((worker) => worker.pid === pid)?.state).toBe('busy');
    await clock.advance(400);
    expect(pool.workers().find((worker) => worker.pid === pid)?.state ?? 'gone').not.toBe('busy');
  });
});

describe('a run that takes too long', () => {
  it('answers on time, SIGTERMs then SIGKILLs the worker, and starts the next at once', async () => {
    const { pool, events } = setup({ cancelGraceMs: 800, killGraceMs: 200 });
    const before = (await pool.run('pid')) as number;
    const startedAt = performance.now();
    const { line, run } = firstLine({ pool, events }, 'ignoreTerm', null, { timeoutMs: 250, runId: 'slow' });
    const failure = failureOf(run);
    expect(await line).toBe('ignoring');
    const error = await failure;
    const answeredMs = performance.now() - startedAt;
    expect(error).toMatchObject({ code: 'RUN_TIMEOUT', runId: 'slow', timeoutMs: 250, attempt: 1 });
    expect(error.message).toBe('Run slow of "ignoreTerm" timed out after 250 ms (attempt 1).');
    expect(answeredMs).toBeGreaterThan(240);
    expect(answeredMs).toBeLessThan(700);
    expect(await pool.run('pid')).not.toBe(before);
    expect(isAlive(before)).toBe(true);
    expect(await events.next('worker:stopped')).toMatchObject({ pid: before, signal: 'SIGKILL' });
  });

  it('ends a task that spins', async () => {
    const { pool, events } = setup({ cancelGraceMs: 100 });
    expect(await failureOf(pool.run('spin', null, { timeoutMs: 100 }))).toMatchObject({
      code: 'RUN_TIMEOUT',
    });
    expect(await events.next('worker:stopped')).toMatchObject({ signal: 'SIGTERM' });
    expect(pool.stats()).toMatchObject({ timedOut: 1, cancelled: 0, lost: 0 });
  });

  it('leaves no grandchild', async () => {
    const { pool, events } = setup({ cancelGraceMs: 50 });
    const { line, run } = firstLine({ pool, events }, 'grandchild', 'hang', { timeoutMs: 400 });
    const failure = failureOf(run);
    const grandchild = Number((await line).replace('grandchild ', ''));
    expect(isAlive(grandchild)).toBe(true);
    await failure;
    const { pid } = await events.next('worker:stopped');
    await untilGone([grandchild, pid ?? 0], 1_000);
  });

  it('counts from when it has a worker, not from when it was submitted', async () => {
    const { pool } = setup();
    const first = pool.run('sleep', 300);
    const second = pool.run('sleep', 10, { timeoutMs: 150 });
    expect(await Promise.all([first, second])).toEqual([300, 10]);
  });

  it('takes the time of the pool unless it has its own', async () => {
    const { pool } = setup({ runTimeoutMs: 60 });
    expect(await failureOf(pool.run('sleep', 5_000))).toMatchObject({ timeoutMs: 60 });
    expect(await pool.run('sleep', 100, { timeoutMs: Infinity })).toBe(100);
  });

  it('gives the task its deadline as a signal to heed', async () => {
    const { pool, events } = setup({ cancelGraceMs: 5_000, minWorkers: 1 });
    const before = await pool.run('pid');
    // Whichever of the two sees first that the time is up.
    expect(await failureOf(pool.run('sleep', 60_000, { timeoutMs: 50 }))).toMatchObject({
      code: 'RUN_TIMEOUT',
      timeoutMs: 50,
    });
    expect(await pool.run('pid')).toBeTypeOf('number');
    await pool.stop();
    const pids = events.events.flatMap(({ name, payload }) =>
      name === 'worker:stopped' ? [payload as { readonly pid: number; readonly exitCode: number }] : [],
    );
    expect(pids.find(({ pid }) => pid === before)).toMatchObject({ exitCode: 0 });
  });
});
