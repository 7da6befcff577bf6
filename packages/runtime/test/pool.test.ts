import { AsyncLocalStorage } from 'node:async_hooks';
import { RemoteError } from '@pawl/ipc';
import { serviceContract } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createPool } from '../src/index.ts';
import { failureOf, setup, TASKS } from './setup-pool.ts';

describe('createPool', () => {
  describe('keeps the service contract', () => {
    for (const { title, run } of serviceContract(() => createPool({ worker: TASKS, maxWorkers: 1 }))) {
      it(title, run);
    }
  });

  it('gives what a task returns, sync or async', async () => {
    const { pool } = setup();
    expect(await pool.run('echo', { a: [1, 'zwei', null] })).toEqual({ a: [1, 'zwei', null] });
    expect(await pool.run('sleep', 5)).toBe(5);
  });

  it('gives undefined for a task that returns nothing, and takes a run without input', async () => {
    const { pool } = setup();
    expect(await pool.run('nothing')).toBeUndefined();
  });

  it('refuses what would not arrive as it was, and keeps the worker', async () => {
    const { pool } = setup({ maxWorkers: 1 });
    const pid = await pool.run('pid');
    expect(await failureOf(pool.run('echo', { at: new Date(0) }))).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      path: 'params.input.at',
    });
    const error = await failureOf(pool.run('mapOf'));
    expect(error.message).toContain('`result.items`: a Map is not JSON');
    expect(await pool.run('pid')).toBe(pid);
  });

  it('serves on after a task that broke the globals of its worker', async () => {
    const { pool } = setup({ maxWorkers: 1 });
    const pid = await pool.run('pid');
    expect(await pool.run('breakGlobals', null, { timeoutMs: 5_000 })).toBe('broken');
    const after = await Promise.all([1, 2, 3].map((n) => pool.run('echo', n, { timeoutMs: 5_000 })));
    expect(after).toEqual([1, 2, 3]);
    expect(pool.workers().map((worker) => worker.pid)).toEqual([pid]);
  });

  it('takes no option for the caller’s that somebody put on Object.prototype', async () => {
    // oxlint-disable no-extend-native -- that is what it is about
    Object.defineProperty(Object.prototype, 'env', {
      value: { PLANTED: 'yes' },
      configurable: true,
      writable: true,
    });
    Object.defineProperty(Object.prototype, 'runId', {
      value: 'planted',
      configurable: true,
      writable: true,
    });
    try {
      const { pool } = setup({ maxWorkers: 1 });
      expect(await pool.run('environment', ['PLANTED'])).toEqual({ PLANTED: null });
      expect(await pool.run('context', null, {})).not.toMatchObject({ runId: 'planted' });
    } finally {
      Reflect.deleteProperty(Object.prototype, 'env');
      Reflect.deleteProperty(Object.prototype, 'runId');
    }
    // oxlint-enable no-extend-native
  });

  it('calls the callbacks of a run in the context it was submitted in', async () => {
    const { pool } = setup({ maxWorkers: 1 });
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const runs = ['one', 'two', 'three'].map((name) =>
      storage.run(name, () =>
        pool.run('report', null, { onProgress: () => seen.push([name, storage.getStore()]) }),
      ),
    );
    await Promise.all(runs);
    expect(seen).not.toEqual([]);
    for (const [name, found] of seen as [string, string][]) expect(found).toBe(name);
  });

  it('keeps one worker for run after run', async () => {
    const { pool } = setup({ maxWorkers: 4 });
    const pids = new Set<unknown>();
    for (let i = 0; i < 10; i += 1) pids.add(await pool.run('pid'));
    expect(pids.size).toBe(1);
  });

  it('starts runs in the order of their calls, from the very first', async () => {
    const { pool, events } = setup();
    await Promise.all(['a', 'b', 'c', 'd'].map((runId) => pool.run('echo', 1, { runId })));
    const started = events.events.filter(({ name }) => name === 'run:started');
    expect(started.map(({ payload }) => (payload as { runId: string }).runId)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('refuses an unknown task by name and names those there are', async () => {
    const { pool } = setup();
    const error = await failureOf(pool.run('nope'));
    expect(error).toMatchObject({ code: 'NO_SUCH_TASK', rpcCode: -32_003 });
    expect(error.message).toMatch(/no task "nope".*There are: .*\becho\b/);
    expect(await pool.run('echo', 1)).toBe(1);
  });

  it('rebuilds what a task throws: name, message, code, fields, cause, far stack', async () => {
    const { pool } = setup();
    const error = await failureOf<RemoteError>(
      pool.run('fail', { message: 'no luck', code: 'E_LUCK', cause: 'the moon' }),
    );
    expect(error).toBeInstanceOf(RemoteError);
    expect(error).toMatchObject({ name: 'RangeError', message: 'no luck', code: 'E_LUCK' });
    expect(error.fields).toMatchObject({ detail: { a: [1] } });
    const far = error.cause as Error;
    expect(far.stack).toContain('tasks.mjs');
    expect(far.cause).toMatchObject({ message: 'the moon' });
  });

  it('keeps the errors of an AggregateError', async () => {
    const { pool } = setup();
    const error = await failureOf<RemoteError>(pool.run('aggregate'));
    expect(error.errors.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'Error: first',
      'TypeError: second',
    ]);
  });

  it.each([
    ['a text', 'throwText', 'plain text', 'plain text'],
    ['null', 'throwText', null, null],
    ['undefined', 'throwNothing', undefined, undefined],
  ])('carries a thrown value that is no error: %s', async (_what, task, input, thrown) => {
    const { pool } = setup();
    const error = await failureOf<RemoteError>(pool.run(task, input));
    expect(error).toBeInstanceOf(RemoteError);
    expect(error.thrown).toEqual({ value: thrown });
  });

  it('settles a run whose task throws an error that looks like a lost connection', async () => {
    const { pool } = setup();
    const error = await failureOf(pool.run('failWithCode', 'CONNECTION_CLOSED', { timeoutMs: 2_000 }));
    expect(error).toMatchObject({ code: 'CONNECTION_CLOSED', message: 'failed with CONNECTION_CLOSED' });
  });

  it.each(['bigInt', 'cycle'])('refuses a result that is no JSON (%s) and keeps the worker', async (task) => {
    const { pool } = setup();
    const before = await pool.run('pid');
    const error = await failureOf(pool.run(task));
    expect(error).toMatchObject({ rpcCode: -32_005 });
    expect(error.message).toContain('result');
    expect(await pool.run('pid')).toBe(before);
  });

  it('refuses an input that is no JSON, naming where, and keeps the worker', async () => {
    const { pool } = setup();
    const before = await pool.run('pid');
    const error = await failureOf(pool.run('echo', { items: [1, { id: 1n }] }));
    expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', path: 'params.input.items[1].id' });
    expect(await pool.run('pid')).toBe(before);
  });

  it('refuses a message over the limit either way and keeps the worker', async () => {
    const { pool } = setup({ maxMessageBytes: 2_048 });
    const before = await pool.run('pid');
    expect(await failureOf(pool.run('echo', 'x'.repeat(3_000)))).toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      maxMessageBytes: 2_048,
    });
    const error = await failureOf(pool.run('repeat', 3_000));
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', rpcCode: -32_005 });
    expect(await pool.run('pid')).toBe(before);
  });

  it('polls on both sides unless it is told not to', async () => {
    const names = ['PAWL_BUSY_POLL'];
    for (const [busyPoll, expected] of [
      [false, { PAWL_BUSY_POLL: 'off' }],
      [true, { PAWL_BUSY_POLL: null }],
    ] as const) {
      const { pool } = setup({ busyPoll });
      expect(await pool.run('environment', names)).toEqual(expected);
      expect(await Promise.all(Array.from({ length: 20 }, (_, i) => pool.run('echo', i)))).toHaveLength(20);
    }
  });

  it('carries a big value there and back', async () => {
    const { pool } = setup();
    const text = 'äö€😀'.repeat(200_000);
    expect((await pool.run('echo', text)) === text).toBe(true);
  });

  it('tells the task about its run', async () => {
    const { pool } = setup();
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(await pool.run('context', null, { runId: 'mine', attempt: 2, trace, timeoutMs: 5_000 })).toEqual({
      runId: 'mine',
      attempt: 2,
      trace,
      hasDeadline: true,
    });
    expect(await pool.run('context', null, { timeoutMs: Infinity })).toMatchObject({
      attempt: 1,
      trace: null,
      hasDeadline: false,
    });
  });

  it('keeps the frames of the host away from tasks that read stdin', async () => {
    const { pool } = setup();
    expect(await pool.run('readStdin')).toBe('');
    expect(await pool.run('echo', 'still here')).toBe('still here');
  });

  it('gives a worker a minimal environment, what is added and what is named', async () => {
    process.env['PAWL_TEST_SECRET'] = 'hush';
    process.env['PAWL_TEST_NAMED'] = 'named';
    const { pool } = setup({ env: { ADDED: 'yes' }, inheritEnv: ['PAWL_TEST_NAMED'] });
    const names = ['PATH', 'PAWL_TEST_SECRET', 'PAWL_TEST_NAMED', 'ADDED', 'NODE_OPTIONS'];
    expect(await pool.run('environment', names)).toEqual({
      PATH: process.env['PATH'],
      PAWL_TEST_SECRET: null,
      PAWL_TEST_NAMED: 'named',
      ADDED: 'yes',
      NODE_OPTIONS: null,
    });
    delete process.env['PAWL_TEST_SECRET'];
    delete process.env['PAWL_TEST_NAMED'];
  });

  it('starts workers in the folder and with the Node arguments it was given', async () => {
    const { pool } = setup({ cwd: new URL('fixtures/', import.meta.url), execArgv: ['--title=pawl-test'] });
    expect(await pool.run('folder')).toMatch(/test\/fixtures$/);
    expect(await pool.run('title')).toBe('pawl-test');
  });

  it.each([
    ['a CommonJS module', 'common.cjs', 'double', 4],
    ['a module that calls serve() itself', 'own-serve.mjs', 'add', 5],
    ['a default export', 'default-export.mjs', 'default', 'the default'],
  ])('runs the tasks of %s', async (_what, file, task, result) => {
    const { pool } = setup({ worker: new URL(`fixtures/${file}`, import.meta.url) });
    expect(await pool.run(task, 2)).toBe(result);
  });

  it('serves on stdout a command that calls serve() itself, whatever it prints', async () => {
    const file = new URL('fixtures/own-serve.mjs', import.meta.url).pathname;
    const { pool } = setup({ worker: { command: process.execPath, args: [file] } });
    expect(await pool.run('add', 2)).toBe(5);
    expect(await pool.run('printAndSpawn', 'unfinished')).toBe('unfinished');
    expect(await pool.run('add', 3)).toBe(6);
  });

  it('runs init before the first task and teardown at the end', async () => {
    const { pool, events } = setup({ worker: new URL('fixtures/own-serve.mjs', import.meta.url) });
    expect(await pool.run('isInitialised')).toBe(true);
    await pool.stop();
    expect(events.events.map(({ payload }) => payload)).toContainEqual(
      expect.objectContaining({ line: 'teardown done' }),
    );
    expect(await events.next('worker:stopped')).toMatchObject({ exitCode: 0, reason: 'pool-stopped' });
  });

  it('does not share ids or counts with another pool', async () => {
    const one = setup();
    const two = setup();
    await Promise.all([one.pool.run('echo', 1), two.pool.run('echo', 1), two.pool.run('echo', 2)]);
    expect(one.pool.stats().submitted).toBe(1);
    expect(two.pool.stats().submitted).toBe(2);
    const ids = [one, two].flatMap(({ events }) =>
      events.events
        .filter(({ name }) => name === 'run:started')
        .map(({ payload }) => (payload as { runId: string }).runId),
    );
    expect(new Set(ids).size).toBe(3);
  });

  it.each([
    [{ timeoutMs: -1 }, /`timeoutMs` to be milliseconds ≥ 0, or Infinity, got `-1`/],
    [{ priority: Number.NaN }, /`priority` to be a number, got `NaN`/],
    [{ attempt: 0 }, /`attempt` to be an integer ≥ 1, got `0`/],
    [{ onprogress: () => undefined }, /Unknown option `onprogress` of run; did you mean `onProgress`\?/],
    [{ signal: {} }, /`signal` to be an AbortSignal/],
    [{ onLog: 'x' }, /`onLog` to be a function/],
    [{ runId: 7 }, /`runId` to be a non-empty string/],
  ])('refuses wrong run options %j', async (how, message) => {
    const { pool } = setup();
    expect((await failureOf(pool.run('echo', 1, how as never))).message).toMatch(message);
    expect(pool.stats().submitted).toBe(0);
  });
});
