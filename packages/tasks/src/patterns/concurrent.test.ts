import { createDeferred, type Deferred, PawlError } from '@pawl/core';
import { describe, expect, it, vi } from 'vitest';
import { resourceAdmission } from './concurrent-admission.ts';
import {
  type ConcurrentRunnerOptions,
  createConcurrentRunner,
  type ModuleEnd,
  type ModuleItem,
  type RunModule,
} from './concurrent.ts';

const ended = (end: Partial<ModuleEnd> = {}): ModuleEnd => ({
  exitCode: 0,
  stdout: '',
  stderr: '',
  durationMs: 5,
  pid: 42,
  signal: null,
  ...end,
});

/** A runner whose modules end when the test says so. */
function setup(options: Partial<ConcurrentRunnerOptions> = {}) {
  const started: string[] = [];
  const ends = new Map<string, Deferred<ModuleEnd>>();
  let mostAtOnce = 0;
  let atOnce = 0;
  const run: RunModule = (scriptPath, _args, { signal }) => {
    started.push(scriptPath);
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    const end = createDeferred<ModuleEnd>();
    ends.set(scriptPath, end);
    signal?.addEventListener('abort', () =>
      end.resolve(ended({ exitCode: null, signal: 'SIGTERM', stdout: 'so far' })),
    );
    return end.promise.finally(() => {
      atOnce -= 1;
    });
  };
  const runner = createConcurrentRunner({ run, ...options });
  const finish = async (script: string, end: Partial<ModuleEnd> = {}): Promise<void> => {
    await turn();
    ends.get(script)?.resolve(ended(end));
    await turn();
  };
  return { runner, started, ends, finish, mostAtOnce: () => mostAtOnce };
}

/** Lets everything happen that can. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const items = (...scripts: readonly string[]): ModuleItem[] => scripts.map((scriptPath) => ({ scriptPath }));
const statuses = (reports: readonly { id: string; status: string }[]): string[] =>
  reports.map(({ id, status }) => `${id} ${status}`);

describe('a concurrent runner', () => {
  it('reports in the order of the items, whatever the order of their ends', async () => {
    const { runner, finish } = setup();
    const all = runner.runAll(items('a', 'b', 'c'));
    await finish('c', { stdout: 'C' });
    await finish('a', { stdout: 'A' });
    await finish('b', { exitCode: 3, stdout: 'B', stderr: 'first\nno such table\n\n' });
    expect(await all).toEqual([
      expect.objectContaining({
        id: 'a',
        success: true,
        status: 'succeeded',
        stdout: 'A',
        reason: undefined,
      }),
      {
        id: 'b',
        scriptPath: 'b',
        success: false,
        status: 'failed',
        reason: 'Exited with code 3: no such table',
        error: undefined,
        exitCode: 3,
        signal: null,
        stdout: 'B',
        stderr: 'first\nno such table\n\n',
        pid: 42,
        durationMs: 5,
      },
      expect.objectContaining({ id: 'c', success: true, stdout: 'C' }),
    ]);
  });

  it('runs ten at a time by default, the others in order', async () => {
    const { runner, started, finish, mostAtOnce } = setup();
    const scripts = Array.from({ length: 50 }, (_, index) => `script-${index}`);
    const all = runner.runAll(items(...scripts));
    await finish('none');
    expect(started).toHaveLength(10);
    for (const script of scripts) await finish(script);
    expect(await all).toHaveLength(50);
    expect(started).toEqual(scripts);
    expect(mostAtOnce()).toBe(10);
  });

  it('shares its bound among all calls', async () => {
    const { runner, started, finish } = setup({ maxConcurrent: 1 });
    const all = [runner.run({ scriptPath: 'a' }), runner.runAll(items('b'))];
    await finish('none');
    expect(started).toEqual(['a']);
    await finish('a');
    await finish('b');
    await Promise.all(all);
    expect(started).toEqual(['a', 'b']);
  });

  it('has nothing to report of nothing', async () => {
    expect(await setup().runner.runAll([])).toEqual([]);
  });

  it('never rejects', async () => {
    const error = new PawlError('There is no script "x.py".', { code: 'SCRIPT_NOT_FOUND' });
    const runner = createConcurrentRunner({
      run: (script) => {
        if (script === 'throws') throw error;
        return Promise.reject(script === 'late' ? new PawlError('too late', { code: 'RUN_TIMEOUT' }) : error);
      },
    });
    const reports = await runner.runAll(items('throws', 'rejects', 'late'));
    expect(statuses(reports)).toEqual(['throws failed', 'rejects failed', 'late timed-out']);
    expect(reports[0]).toMatchObject({ reason: 'There is no script "x.py".', error, exitCode: null });
  });

  it('gives each item its own folder, environment, time and interpreter', async () => {
    const run = vi.fn<RunModule>(async () => ended());
    const runner = createConcurrentRunner({ run });
    const how = { cwd: '/tmp', env: { A: '1' }, timeoutMs: 5, interpreter: 'bash', mode: 'async' as const };
    const [report] = await runner.runAll([{ id: 'first', scriptPath: 'a', args: ['x'], ...how }]);
    expect(report?.id).toBe('first');
    expect(run).toHaveBeenCalledWith('a', ['x'], how);
  });

  it('tells its progress, and survives a listener that throws', async () => {
    const { runner, finish } = setup();
    const seen: unknown[] = [];
    const all = runner.runAll(items('a', 'b'), {
      onProgress: ({ report, done, total }) => {
        seen.push([report.id, done, total]);
        throw new Error('no');
      },
    });
    await finish('b');
    await finish('a');
    expect(statuses(await all)).toEqual(['a succeeded', 'b succeeded']);
    expect(seen).toEqual([
      ['b', 1, 2],
      ['a', 2, 2],
    ]);
  });

  it('cancels what runs, with its output, and what waits, at once', async () => {
    const { runner, started, finish } = setup({ maxConcurrent: 2 });
    const controller = new AbortController();
    const all = runner.runAll(items('a', 'b', 'c'), { signal: controller.signal });
    await finish('a', { stdout: 'done' });
    controller.abort(new Error('shutting down'));
    const reports = await all;
    expect(statuses(reports)).toEqual(['a succeeded', 'b cancelled', 'c cancelled']);
    expect(reports[1]).toMatchObject({ stdout: 'so far', signal: 'SIGTERM' });
    expect(started).toEqual(['a', 'b', 'c']);
    expect(statuses(await runner.runAll(items('d'), { signal: controller.signal }))).toEqual(['d cancelled']);
    expect(started).not.toContain('d');
  });

  it('lets an item leave the queue while others run', async () => {
    const { runner, started, finish } = setup({ maxConcurrent: 1 });
    const first = runner.run({ scriptPath: 'a' });
    const controller = new AbortController();
    const second = runner.run({ scriptPath: 'b' }, { signal: controller.signal });
    controller.abort(new Error('never mind'));
    expect(await second).toMatchObject({ status: 'cancelled', reason: 'never mind' });
    await finish('a');
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(started).toEqual(['a']);
  });

  it('starts nothing when any item is wrong', async () => {
    const { runner, started } = setup();
    await expect(runner.runAll([{ scriptPath: 'a' }, { scriptPath: '' }])).rejects.toThrow(
      '`items[1].scriptPath`',
    );
    await expect(runner.runAll([{ scriptPath: 'a', args: [5] } as never])).rejects.toThrow('`items[0].args`');
    await expect(runner.run({ scriptPath: 'a', script: 1 } as never)).rejects.toThrow(
      'Unknown option `script`',
    );
    expect(started).toEqual([]);
  });

  it.each([0, 1.5, -1])('refuses a bound of %s', (maxConcurrent) => {
    expect(() => setup({ maxConcurrent })).toThrow('`maxConcurrent`');
  });
});

describe('admission', () => {
  it('refuses an item with a reason, and the others go on', async () => {
    const run = vi.fn<RunModule>(async () => ended());
    const admission = ({ scriptPath }: ModuleItem) =>
      scriptPath === 'big' ? { admitted: false, reason: 'Too big.' } : { admitted: true };
    const reports = await createConcurrentRunner({ run, admission }).runAll(items('big', 'small'));
    expect(reports[0]).toMatchObject({ status: 'refused', reason: 'Too big.', success: false });
    expect(reports[1]?.status).toBe('succeeded');
    expect(run).toHaveBeenCalledOnce();
  });

  it('fails an item when it throws', async () => {
    const admission = (): never => {
      throw new Error('no probe');
    };
    const { runner } = setup({ admission });
    expect(await runner.run({ scriptPath: 'a' })).toMatchObject({ status: 'failed', reason: 'no probe' });
  });

  it('by resources needs processors and memory to spare', async () => {
    const GIB = 1_024 ** 3;
    const verdictOf = (cpu: number, free: number) =>
      resourceAdmission({ probe: { cpuPercent: async () => cpu, freeMemoryBytes: async () => free } })({
        scriptPath: 'a',
      });
    expect(await verdictOf(80, 4 * GIB)).toEqual({ admitted: true });
    expect(await verdictOf(80.5, 2 * GIB)).toEqual({
      admitted: false,
      reason:
        'Not enough resources: the CPU is 80.5 % busy, above 80 %; 2048 MiB of memory are free, below 4096 MiB.',
    });
  });

  it('by resources looks at this machine', async () => {
    const admission = resourceAdmission({ maxCpuPercent: 100, minFreeMemoryBytes: 0 });
    expect(await admission({ scriptPath: 'a' })).toEqual({ admitted: true });
  });
});
