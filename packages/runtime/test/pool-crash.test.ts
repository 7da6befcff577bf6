import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerCrashedError } from '../src/index.ts';
import { endAtLast, failureOf, isAlive, setup, untilGone } from './setup-pool.ts';

/** A worker file that a test can rewrite while the pool runs. */
function moduleFile(text: string): { readonly url: URL; readonly write: (text: string) => void } {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'worker.mjs');
  writeFileSync(path, text);
  return { url: pathToFileURL(path), write: (to) => writeFileSync(path, to) };
}

const BROKEN = 'console.log("loading"); throw new TypeError("no such table: users");';
const MENDED = 'export const ok = () => "ok";';

/** A worker file with an `init`. */
function withInit(body: string): string {
  const sdk = new URL('../dist/worker/index.js', import.meta.url).href;
  return `import { serve } from '${sdk}'; serve({ tasks: { any: () => 1 }, init: async () => { ${body}; } });`;
}

describe('a worker that dies of its run', () => {
  it.each([
    ['exit 0', 'exit', 0, { exitCode: 0, signal: null }],
    ['exit 3', 'exit', 3, { exitCode: 3, signal: null }],
    ['SIGKILL', 'kill', 'SIGKILL', { exitCode: null, signal: 'SIGKILL' }],
    ['SIGSEGV', 'kill', 'SIGSEGV', { exitCode: null, signal: 'SIGSEGV' }],
    ['an uncaught exception', 'uncaught', null, { exitCode: 1, signal: null }],
    ['an unhandled rejection', 'rejectUnheard', null, { exitCode: 1, signal: null }],
  ])('fails it once with the facts, and the next run works: %s', async (_how, task, input, facts) => {
    const { pool, events } = setup();
    const before = await pool.run('pid');
    const error = await failureOf<WorkerCrashedError>(pool.run(task, input, { runId: 'doomed', attempt: 2 }));
    expect(error).toMatchObject({
      ...facts,
      code: 'WORKER_CRASHED',
      name: 'WorkerCrashedError',
      runId: 'doomed',
      task,
      attempt: 2,
      workerId: 'worker-1',
      pid: before,
      phase: 'run',
      runsDone: 1,
    });
    expect(error.ageMs).toBeGreaterThan(0);
    expect(await pool.run('pid')).not.toBe(before);
    expect(events.count('run:failed')).toBe(1);
    expect(await events.next('worker:crashed')).toEqual({
      ...facts,
      workerId: 'worker-1',
      pid: before,
      runId: 'doomed',
    });
    expect(pool.stats()).toMatchObject({ submitted: 3, succeeded: 2, lost: 1, queued: 0, running: 0 });
  });

  it('says in one sentence what happened, with the reason from stderr', async () => {
    const { pool } = setup();
    const error = await failureOf<WorkerCrashedError>(pool.run('dieSaying', 'disk on fire'));
    expect(error.message).toMatch(
      /^Worker worker-1 \(pid \d+\) exited with code 3 while it ran "dieSaying" \(run \w+-1, attempt 1\), after 0 finished runs\. It said on stderr: disk on fire$/,
    );
    expect((await failureOf(pool.run('uncaught'))).message).toMatch(/stderr: Error: thrown from a timer$/);
  });

  it('keeps the last 16 KiB of stderr, also what was printed right before the exit', async () => {
    const { pool } = setup();
    const error = await failureOf<WorkerCrashedError>(pool.run('printMuchAndExit', 300_000));
    expect(error.exitCode).toBe(4);
    expect(error.stderrTail).toMatch(/^e+\nthe very end\n$/);
    expect(Buffer.byteLength(error.stderrTail)).toBe(16_384);
  });

  it('survives a stack overflow in a task, which is an error like any other', async () => {
    const { pool } = setup();
    const before = await pool.run('pid');
    expect(await failureOf(pool.run('overflowStack'))).toMatchObject({ name: 'RangeError' });
    expect(await pool.run('pid')).toBe(before);
  });

  it('counts a result that came whole before the exit', async () => {
    const { pool, events } = setup();
    const printed: string[] = [];
    const onOutput = (_stream: string, chunk: Buffer): void => void printed.push(chunk.toString());
    expect(await pool.run('answerThenExit', 0, { onOutput })).toBe('answered');
    expect(printed.join('')).toBe('last words\n');
    expect(await events.next('worker:crashed')).toMatchObject({ workerId: 'worker-1', exitCode: 0 });
    expect(await pool.run('answerThenThrow')).toBe('answered');
    expect(await events.next('worker:crashed')).toMatchObject({ workerId: 'worker-2', exitCode: 1 });
    expect(await pool.run('echo', 1)).toBe(1);
    expect(pool.stats()).toMatchObject({ succeeded: 3, lost: 0 });
  });

  it('counts it also when the exit is seen while its output is still being read', async () => {
    const { pool } = setup();
    // The host is busy while the worker answers and exits, so that all news of it arrive together.
    const onOutput = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    expect(await pool.run('answerThenExit', 0, { onOutput })).toBe('answered');
    expect(pool.stats()).toMatchObject({ succeeded: 1, lost: 0 });
  });

  it('does not disturb the runs of other workers, and serves those that wait', async () => {
    const { pool } = setup({ maxWorkers: 2 });
    const slow = pool.run('sleep', 300);
    const doomed = failureOf(pool.run('exit', 1));
    const waiting = [1, 2, 3].map((value) => pool.run('echo', value));
    expect(await doomed).toMatchObject({ code: 'WORKER_CRASHED' });
    expect(await Promise.all([slow, ...waiting])).toEqual([300, 1, 2, 3]);
  });

  it('lets the handler of a crash submit the next run', async () => {
    const { pool } = setup();
    const next = pool.run('exit', 1).catch(() => pool.run('echo', 'after'));
    expect(await next).toBe('after');
  });

  it('does not wait for a grandchild that left its group and holds the pipes, and ends it', async () => {
    const { pool } = setup();
    const escaped = (await pool.run('escapee')) as number;
    endAtLast(escaped);
    const startedAt = performance.now();
    expect(await failureOf(pool.run('exit', 5))).toMatchObject({ exitCode: 5 });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(await pool.run('echo', 1)).toBe(1);
    await untilGone([escaped], 2_000);
  });

  it('does not wait for it either when the frames go over stdout', async () => {
    const file = new URL('fixtures/own-serve.mjs', import.meta.url).pathname;
    const { pool } = setup({ worker: { command: process.execPath, args: [file] } });
    const escaped = (await pool.run('escapee')) as number;
    endAtLast(escaped);
    expect(await failureOf(pool.run('exit', 5))).toMatchObject({ exitCode: 5 });
    expect(await pool.run('add', 1)).toBe(4);
  });

  it('takes its grandchildren with it', async () => {
    const { pool } = setup();
    const grandchild = (await pool.run('grandchild')) as number;
    expect(isAlive(grandchild)).toBe(true);
    await failureOf(pool.run('kill', 'SIGKILL'));
    await untilGone([grandchild], 1_000);
  });

  it('is replaced when it dies idle, and a run that comes meanwhile waits for the next', async () => {
    const { pool, events } = setup({ minWorkers: 1 });
    await pool.start();
    const { pid } = await events.next('worker:ready');
    process.kill(pid ?? 0, 'SIGKILL');
    expect(await events.next('worker:crashed')).toEqual({
      workerId: 'worker-1',
      pid,
      exitCode: null,
      signal: 'SIGKILL',
    });
    expect(await pool.run('pid')).not.toBe(pid);
  });

  it('takes no run after its end was seen, though its pipes are still open', async () => {
    const { pool, events } = setup();
    const escaped = (await pool.run('escapee')) as number;
    endAtLast(escaped);
    const { pid } = await events.next('worker:ready');
    process.kill(pid ?? 0, 'SIGKILL');
    await untilGone([pid ?? 0], 1_000);
    // The kernel's news reach us with the next turns of the event loop, the end of the pipes only 250 ms later.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await pool.run('pid')).not.toBe(pid);
  });
});

describe('a worker that does not start', () => {
  it('fails every waiting run with the error of its module, and works when that is mended', async () => {
    const file = moduleFile(BROKEN);
    const { pool } = setup({ worker: file.url, maxWorkers: 5 });
    const errors = await Promise.all(Array.from({ length: 12 }, () => failureOf(pool.run('ok'))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'WORKER_START_FAILED', exitCode: 1, stdoutHead: 'loading\n' });
      expect(error.message).toMatch(
        /^Worker worker-\d did not start: it exited with code 1\. It said on stderr: TypeError: no such table: users$/,
      );
    }
    expect(pool.stats()).toMatchObject({ refused: 12, size: 0 });
    file.write(MENDED);
    expect(await pool.run('ok')).toBe('ok');
  });

  it.each([
    ['an exit 0 while loading', 'process.exit(0);', /it exited with code 0/],
    ['nothing to run', 'export const version = 1;', /exports no task/],
    ['a syntax error', 'export const = 1;', /SyntaxError/],
    ['a death by signal', 'process.kill(process.pid, "SIGKILL"); await new Promise(() => {});', /by SIGKILL/],
    ['a failing init', withInit('throw new Error("no database")'), /Error: no database/],
  ])('names the cause: %s', async (_what, text, message) => {
    const { pool } = setup({ worker: moduleFile(text).url });
    const error = await failureOf(pool.run('any'));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED', retryable: true });
    expect(error.message).toMatch(message);
  });

  it('fails the start of the pool, which is stopped then', async () => {
    const { pool } = setup({ worker: moduleFile(BROKEN).url, minWorkers: 1 });
    expect(await failureOf(pool.start())).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(pool.state).toBe('stopped');
    expect(await failureOf(pool.run('ok'))).toMatchObject({ code: 'POOL_STOPPED' });
  });

  it.each([
    ['no such program', 'pawl-no-such-program', 'not-found'],
    [
      'a file that may not be executed',
      new URL('fixtures/tasks.mjs', import.meta.url).pathname,
      'not-permitted',
    ],
  ])('tells a command that can not be started: %s', async (_what, command, fault) => {
    const { pool } = setup({ worker: { command } });
    const error = await failureOf(pool.run('any'));
    expect(error).toMatchObject({ code: 'WORKER_START_FAILED', cause: { fault } });
    expect(error.message).toContain(`Can't start \`${command}\``);
  });

  it('is given up after the start timeout and killed', async () => {
    const clock = createManualClock();
    const { pool, events } = setup({
      worker: new URL('fixtures/slow-start.mjs', import.meta.url),
      env: { SLOW_START_MS: '60000' },
      startTimeoutMs: 700,
      clock,
    });
    const failure = failureOf(pool.run('pid'));
    while (pool.workers()[0]?.pid === undefined) await clock.settle();
    const [worker] = pool.workers();
    await clock.advance(699);
    expect(events.count('worker:start-failed')).toBe(0);
    await clock.advance(1);
    const error = await failure;
    expect(error.message).toBe('Worker worker-1 did not start: No `hello` within 700 ms.');
    expect(isAlive(worker?.pid ?? 0)).toBe(false);
  });

  it('is not waited for when the program is no worker: it says what it printed', async () => {
    const { pool } = setup({
      worker: { command: 'sh', args: ['-c', 'echo usage: sh; echo bad >&2; exit 64'] },
    });
    const error = await failureOf(pool.run('any'));
    expect(error).toMatchObject({ exitCode: 64, stderrTail: 'bad\n' });
  });
});

describe('a crash loop', () => {
  it('opens when the budget is spent, refuses runs at once, and one probe closes it', async () => {
    const clock = createManualClock();
    const file = moduleFile(BROKEN);
    const { pool, events } = setup({
      worker: file.url,
      maxWorkers: 3,
      restart: { maxRestarts: 2, withinMs: 10_000 },
      clock,
    });
    expect(await failureOf(pool.run('ok'))).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(await failureOf(pool.run('ok'))).toMatchObject({ code: 'WORKER_START_FAILED' });
    const opening = await failureOf(pool.run('ok'));
    expect(opening).toMatchObject({ code: 'CRASH_LOOP', retryAfterMs: 10_000 });
    expect(opening.cause).toMatchObject({ code: 'WORKER_START_FAILED' });
    expect(await events.next('pool:crash-loop')).toMatchObject({ failures: 3, retryAfterMs: 10_000 });

    const startsBefore = events.count('worker:start-failed');
    await clock.advance(4_000);
    expect(await failureOf(pool.run('ok'))).toMatchObject({ code: 'CRASH_LOOP', retryAfterMs: 6_000 });
    expect(await failureOf(pool.scaleTo(3))).toMatchObject({ code: 'CRASH_LOOP' });
    expect(events.count('worker:start-failed')).toBe(startsBefore);

    // Still broken: the probe is a single worker, and its failure opens the loop again at once.
    await clock.advance(6_000);
    const failures = await Promise.all([1, 2, 3].map(() => failureOf(pool.run('ok'))));
    for (const failure of failures)
      expect(failure).toMatchObject({ code: 'CRASH_LOOP', retryAfterMs: 10_000 });
    expect(events.count('worker:start-failed')).toBe(startsBefore + 1);

    file.write(MENDED);
    await clock.advance(10_000);
    expect(await Promise.all([1, 2, 3].map(() => pool.run('ok')))).toEqual(['ok', 'ok', 'ok']);
    expect(events.count('pool:crash-loop')).toBe(2);
  });

  it('probes by itself for the workers that should always be there', async () => {
    const clock = createManualClock();
    const file = moduleFile(MENDED);
    const { pool, events } = setup({
      worker: file.url,
      minWorkers: 1,
      restart: { maxRestarts: 0, withinMs: 5_000 },
      clock,
    });
    await pool.start();
    file.write(BROKEN);
    process.kill((await events.next('worker:ready')).pid ?? 0, 'SIGKILL');
    await events.next('pool:crash-loop');
    file.write(MENDED);
    await clock.advance(4_999);
    expect(pool.size).toBe(0);
    await clock.advance(1);
    await events.next('worker:ready');
    expect(await pool.run('ok')).toBe('ok');
  });

  it('opens for workers that start well and die idle again and again', async () => {
    const file = moduleFile(`${MENDED} setTimeout(() => process.exit(1), 60);`);
    const { pool, events } = setup({ worker: file.url, minWorkers: 1, restart: { maxRestarts: 2 } });
    await pool.start();
    await events.next('pool:crash-loop');
    expect(events.count('worker:ready')).toBe(3);
    expect(await failureOf(pool.run('ok'))).toMatchObject({ code: 'CRASH_LOOP' });
  });

  it('does not open for workers that die of their runs', async () => {
    const { pool, events } = setup({ restart: { maxRestarts: 0 } });
    for (let i = 0; i < 5; i += 1)
      expect(await failureOf(pool.run('exit', 1))).toMatchObject({ exitCode: 1 });
    expect(events.count('pool:crash-loop')).toBe(0);
  });

  it('refuses the runs that wait when the last worker dies of its run meanwhile', async () => {
    const file = moduleFile(
      `${MENDED} export const die = () => new Promise(() => setTimeout(process.exit, 400, 1));`,
    );
    const { pool, events } = setup({ worker: file.url, maxWorkers: 2, restart: { maxRestarts: 0 } });
    const doomed = failureOf(pool.run('die'));
    await events.next('run:started');
    file.write(BROKEN);
    // Starts a second worker, which opens the loop; it waits on for the first.
    const waiting = failureOf(pool.run('ok'));
    await events.next('pool:crash-loop');
    expect(await doomed).toMatchObject({ code: 'WORKER_CRASHED' });
    expect(await waiting).toMatchObject({ code: 'CRASH_LOOP' });
  });
});
