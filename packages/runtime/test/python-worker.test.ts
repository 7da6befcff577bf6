import type { RemoteError } from '@pawl/ipc';
import { describe, expect, it } from 'vitest';
import { findPython, type OutputStream, type PoolOptions, PythonNotFoundError } from '../src/index.ts';
import { failureOf, setup as setupPool, type PoolSetup } from './setup-pool.ts';

function setup(options: Partial<PoolOptions> = {}): PoolSetup {
  return setupPool({
    worker: new URL('fixtures/tasks.py', import.meta.url),
    cancelGraceMs: 100,
    killGraceMs: 500,
    ...options,
  });
}

describe('a .py file as a worker', () => {
  it('gives the results of its functions, from one process', async () => {
    const { pool } = setup();
    expect(await pool.run('add', { a: 2, b: 40 })).toBe(42);
    expect(await pool.run('pid')).toBe(await pool.run('pid'));
  });

  it('fails with what was raised, and the traceback behind it', async () => {
    const { pool } = setup();
    const error = await failureOf<RemoteError>(pool.run('fail', 'not this'));
    expect(error).toMatchObject({ name: 'ValueError', message: 'not this' });
    expect((error.cause as Error).stack).toMatch(/Traceback[\s\S]*tasks\.py[\s\S]*raise ValueError/);
    expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
  });

  it('names the tasks there are when one is unknown', async () => {
    const { pool } = setup();
    const error = await failureOf(pool.run('nope'));
    expect(error['code']).toBe('NO_SUCH_TASK');
    expect(error.message).toContain('add');
  });

  it('prints without harm, and the run gets it whole', async () => {
    const { pool } = setup();
    let text = '';
    const onOutput = (stream: OutputStream, chunk: Buffer): void => {
      if (stream === 'stdout') text += chunk.toString();
    };
    expect(await pool.run('say', 'hellö', { onOutput })).toBe('said');
    expect(text).toBe('hellö\nby descriptor\nno newline');
  });

  it('ends when it spins', async () => {
    const { pool, events } = setup({ minWorkers: 1 });
    expect(await failureOf(pool.run('spin', null, { timeoutMs: 200 }))).toMatchObject({
      code: 'RUN_TIMEOUT',
    });
    // The SDK raises in the loop and the worker is kept; if it could not, the worker would be the one to go.
    expect(await events.next('worker:stopped')).toMatchObject({ reason: 'cancelled-run' });
    expect(pool.workers().map(({ state }) => state)).not.toContain('busy');
    expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
  });

  it.each([
    [
      'os._exit(3)',
      'leave',
      3,
      { exitCode: 3, signal: null, stderrTail: expect.stringMatching(/leaving\n$/) },
    ],
    ['os._exit(0)', 'leave', 0, { exitCode: 0, signal: null }],
    ['a segmentation fault', 'segfault', null, { exitCode: null, signal: 'SIGSEGV' }],
  ])('fails its run once when it dies of it: %s', async (_how, task, input, facts) => {
    const { pool, events } = setup();
    expect(await failureOf(pool.run(task, input))).toMatchObject({ code: 'WORKER_CRASHED', ...facts });
    expect(await pool.run('add', { a: 1, b: 1 })).toBe(2);
    expect(events.count('run:failed')).toBe(1);
  });

  it('fails the waiting runs with the reason when it does not load', async () => {
    const { pool } = setupPool({ worker: new URL('fixtures/fails_to_load.py', import.meta.url) });
    const error = await failureOf(pool.run('any'));
    expect(error['code']).toBe('WORKER_START_FAILED');
    expect(error.message).toMatch(/did not start.*Error: /);
  });
});

describe('findPython', () => {
  it('finds the real program and its version', async () => {
    const { path, version } = await findPython();
    expect(path).toMatch(/^\/.*python3/);
    expect(version).toMatch(/^3\.\d+\.\d+$/);
  });

  it.each([
    ['pawl-no-python', 'there is no such program'],
    ['true', 'it does not answer as a Python would'],
    ['false', 'Command failed with exit code 1'],
  ])('tells what is wrong with `%s`', async (command, why) => {
    const error = await failureOf(findPython(command));
    expect(error).toBeInstanceOf(PythonNotFoundError);
    expect(error.message).toContain(`Can't use \`${command}\` as Python: ${why}`);
  });
});
