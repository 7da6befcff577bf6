import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDeferred } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createCache } from './cache.ts';
import { createTaskCache, type TaskCache, type TaskCacheOptions } from './task-cache.ts';

const pure = { deterministic: true } as const;

function setup(options: TaskCacheOptions = {}): { tasks: TaskCache; clock: ManualClock } {
  const clock = createManualClock();
  return {
    clock,
    tasks: createTaskCache({ clock, cache: createCache({ clock }), version: '1', ...options }),
  };
}

function setupFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-task-cache-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'input.csv');
  writeFileSync(path, content);
  return path;
}

describe('run', () => {
  it('runs a deterministic task once for equal input, and says which result was cached', async () => {
    const { tasks, clock } = setup();
    const fn = vi.fn<(input: { a: number; b: number }) => Promise<number>>(async ({ a, b }) => {
      await clock.advance(5);
      return a + b;
    });
    const first = await tasks.run('add', { a: 1, b: 2 }, fn, pure);
    const second = await tasks.run('add', { b: 2, a: 1 }, fn, pure);
    expect(first).toEqual({
      value: 3,
      cached: false,
      shared: false,
      notStored: undefined,
      key: await tasks.keyFor('add', { a: 1, b: 2 }),
      provenance: { task: 'add', computedAt: clock.wallTime(), durationMs: 5 },
    });
    expect(second).toEqual({ ...first, cached: true });
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('runs a task that is not declared deterministic every time', async () => {
    const { tasks } = setup();
    let count = 0;
    const fn = (): number => (count += 1);
    for (const value of [1, 2]) {
      const result = await tasks.run('count', { fn: () => 'no key is made' }, fn);
      expect(result).toMatchObject({ value, cached: false, notStored: 'not-deterministic', key: undefined });
    }
  });

  it('shares one run among calls at the same time', async () => {
    const { tasks, clock } = setup();
    const work = createDeferred<string>();
    const fn = vi.fn<() => Promise<string>>(() => work.promise);
    const calls = [tasks.run('t', 1, fn, pure), tasks.run('t', 1, fn, pure)];
    await clock.settle();
    work.resolve('value');
    const results = await Promise.all(calls);
    expect(results.map(({ cached, shared }) => ({ cached, shared }))).toEqual([
      { cached: false, shared: false },
      { cached: false, shared: true },
    ]);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('remembers no failure, unless it is asked to', async () => {
    const { tasks, clock } = setup();
    const fn = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('down')));
    for (let round = 0; round < 2; round += 1)
      await expect(tasks.run('t', 1, fn, pure)).rejects.toThrow('down');
    expect(fn).toHaveBeenCalledTimes(2);
    const remembering = { ...pure, failureTtlMs: 100 };
    for (let round = 0; round < 2; round += 1) {
      await expect(tasks.run('t', 2, fn, remembering)).rejects.toThrow('down');
    }
    expect(fn).toHaveBeenCalledTimes(3);
    await clock.advance(100);
    await expect(tasks.run('t', 2, fn, remembering)).rejects.toThrow('down');
    expect(fn).toHaveBeenCalledTimes(4);
  });

  it('runs by force and stores, and with noStore reads and does not', async () => {
    const { tasks } = setup();
    let count = 0;
    const fn = (): number => (count += 1);
    const run = (options: object): Promise<{ value: number; cached: boolean; notStored: unknown }> =>
      tasks.run('t', 1, fn, { ...pure, ...options });
    expect(await run({ noStore: true })).toMatchObject({ value: 1, cached: false, notStored: 'no-store' });
    expect(await run({})).toMatchObject({ value: 2, cached: false });
    expect(await run({ noStore: true })).toMatchObject({ value: 2, cached: true, notStored: undefined });
    expect(await run({ force: true })).toMatchObject({ value: 3, cached: false });
    expect(await run({})).toMatchObject({ value: 3, cached: true });
  });

  it('does not store what shouldStore declines', async () => {
    const { tasks } = setup();
    const options = { ...pure, shouldStore: (result: { ok: boolean }) => result.ok };
    expect(await tasks.run('t', 1, () => ({ ok: false }), options)).toMatchObject({ notStored: 'declined' });
    expect(await tasks.run('t', 1, () => ({ ok: true }), options)).toMatchObject({ cached: false });
    expect(await tasks.run('t', 1, () => ({ ok: true }), options)).toMatchObject({ cached: true });
  });

  it('keeps a result for its time to live', async () => {
    const { tasks, clock } = setup();
    const options = { ...pure, ttlMs: 100 };
    await tasks.run('t', 1, () => 1, options);
    await clock.advance(99);
    expect((await tasks.run('t', 1, () => 1, options)).cached).toBe(true);
    await clock.advance(1);
    expect((await tasks.run('t', 1, () => 1, options)).cached).toBe(false);
  });

  it('returns and does not store a result whose input was changed meanwhile', async () => {
    const { tasks } = setup();
    const input = { list: [1] };
    const changing = (given: { list: number[] }): number => given.list.push(2);
    expect(await tasks.run('t', input, changing, pure)).toMatchObject({
      value: 2,
      notStored: 'input-changed',
    });
    expect(await tasks.run('t', { list: [1] }, () => 9, pure)).toMatchObject({ value: 9, cached: false });
    const breaking = (given: { list?: unknown }): void => {
      given.list = () => 1;
    };
    expect(await tasks.run('t', { list: [1, 1] }, breaking, pure)).toMatchObject({
      notStored: 'input-changed',
    });
  });

  it.each([false, true])('lets a caller leave at once, deterministic or not: %j', async (deterministic) => {
    const { tasks, clock } = setup();
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const fn = (_input: number, { signal }: { signal: AbortSignal }): Promise<never> => {
      seen = signal;
      return new Promise<never>(() => undefined);
    };
    const run = expect(tasks.run('t', 1, fn, { deterministic, signal: controller.signal })).rejects.toBe(
      'bye',
    );
    await clock.settle();
    controller.abort('bye');
    await run;
    expect(seen?.reason).toBe('bye');
    const aborted = { deterministic, signal: AbortSignal.abort('no') };
    await expect(tasks.run('t', 1, fn, aborted)).rejects.toBe('no');
  });

  it('drops the results of one task, also of a run in progress', async () => {
    const { tasks, clock } = setup();
    await tasks.run('a', 1, () => 1, pure);
    await tasks.run('b', 1, () => 1, pure);
    const work = createDeferred<number>();
    const running = tasks.run('a', 2, () => work.promise, pure);
    await clock.settle();
    expect(await tasks.invalidateTask('a')).toBe(1);
    work.resolve(2);
    await running;
    for (const [task, input, cached] of [
      ['a', 1, false],
      ['a', 2, false],
      ['b', 1, true],
    ] as const) {
      expect((await tasks.run(task, input, () => 0, pure)).cached).toBe(cached);
    }
  });

  it.each([
    [{ deterministic: 1 }, 'deterministic'],
    [{ file: [] }, 'did you mean `files`'],
    [{ files: 'a' }, 'files'],
    [{ env: ['HOME'] }, 'environment'],
    [{ env: { A: 1 } }, 'env.A'],
    [{ version: 2 }, 'version'],
    [{ failureTtlMs: -1 }, 'failureTtlMs'],
  ])('refuses %j', async (options, part) => {
    const { tasks } = setup();
    await expect(tasks.run('t', 1, () => 1, { ...pure, ...options } as object)).rejects.toThrow(part);
  });

  it('holds a thousand results in 100 MB on its own', async () => {
    const tasks = createTaskCache();
    for (let input = 0; input < 1_001; input += 1) await tasks.run('t', input, () => input, pure);
    expect((await tasks.run('t', 1_000, () => 0, pure)).cached).toBe(true);
    expect((await tasks.run('t', 0, () => 0, pure)).cached).toBe(false);
    expect(() => createTaskCache({ cache: {} as never })).toThrow('cache');
    expect(() => createTaskCache({ versions: '1' } as object)).toThrow('did you mean `version`');
  });
});

describe('keyFor', () => {
  it('is another for another task, version, input, environment or file', async () => {
    const path = setupFile('a,b');
    const { tasks } = setup({ environment: { MODE: 'fast', OTHER: 'x' } });
    const { tasks: next } = setup({ version: '2' });
    const keys = [
      await tasks.keyFor('t', 1),
      await tasks.keyFor('u', 1),
      await tasks.keyFor('t', '1'),
      await tasks.keyFor('t', 1, { version: '2' }),
      await tasks.keyFor('t', 1, { env: ['MODE'] }),
      await tasks.keyFor('t', 1, { env: ['MISSING'] }),
      await tasks.keyFor('t', 1, { env: { MODE: '' } }),
      await tasks.keyFor('t', 1, { files: [path] }),
      await next.keyFor('t', 1),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(await tasks.keyFor('t', 1, { env: { MODE: 'fast' } })).toBe(keys[4]);
  });

  it('does not hang on the order or repetition of names, nor on what was not chosen', async () => {
    const path = setupFile('a');
    const other = setupFile('b');
    const { tasks } = setup({ environment: { A: '1', B: '2', C: '3' } });
    const { tasks: elsewhere } = setup({ environment: { B: '2', A: '1', C: 'another' } });
    expect(await tasks.keyFor('t', 1, { env: ['A', 'B'], files: [path, other] })).toBe(
      await elsewhere.keyFor('t', 1, { env: ['B', 'A', 'A'], files: [other, path, other] }),
    );
  });

  it('sees content that changed under the same size and time, and ignores a mere touch', async () => {
    const path = setupFile('aaaa');
    const { tasks } = setup();
    const { atime, mtime } = statSync(path);
    const before = await tasks.keyFor('t', 1, { files: [path] });
    utimesSync(path, 1, 1);
    expect(await tasks.keyFor('t', 1, { files: [path] })).toBe(before);
    writeFileSync(path, 'bbbb');
    utimesSync(path, atime, mtime);
    expect(await tasks.keyFor('t', 1, { files: [path] })).not.toBe(before);
  });

  it('names the file it can not read', async () => {
    const { tasks } = setup();
    await expect(tasks.keyFor('t', 1, { files: ['/nowhere/at/all'] })).rejects.toMatchObject({
      code: 'TASK_FILE_UNREADABLE',
      path: '/nowhere/at/all',
      cause: { code: 'ENOENT' },
    });
  });

  it('names what can not be part of a key', async () => {
    const { tasks } = setup();
    await expect(tasks.keyFor('t', { items: [() => 1] })).rejects.toMatchObject({
      code: 'CACHE_KEY_UNSUPPORTED',
      path: 'input.items[0]',
    });
  });

  it('does not store a result whose files were changed or lost while it ran', async () => {
    const path = setupFile('before');
    const { tasks } = setup();
    const options = { ...pure, files: [path] };
    const writing = (): string => {
      writeFileSync(path, 'after');
      return 'of before, or of after?';
    };
    expect(await tasks.run('t', 1, writing, options)).toMatchObject({
      cached: false,
      notStored: 'files-changed',
    });
    expect(await tasks.run('t', 1, () => 'after', options)).toMatchObject({ cached: false, value: 'after' });
    expect(await tasks.run('t', 1, () => 'x', options)).toMatchObject({ cached: true, value: 'after' });
    const removing = (): void => rmSync(path);
    expect(await tasks.run('u', 1, removing, options)).toMatchObject({ notStored: 'files-changed' });
  });

  it('does not store a result whose environment changed while it ran', async () => {
    const environment: Record<string, string> = { MODE: 'fast' };
    const { tasks } = setup({ environment });
    const changing = (): void => {
      environment['MODE'] = 'slow';
    };
    const result = await tasks.run('t', 1, changing, { ...pure, env: ['MODE'] });
    expect(result.notStored).toBe('env-changed');
  });
});

describe('explain', () => {
  it('names the first ingredient that differs, with its path', async () => {
    const path = setupFile('a');
    const { tasks } = setup();
    const input = { items: [{ id: 1 }, { id: 2 }] };
    const base = await tasks.keyFor('t', input, { env: { MODE: 'a' }, files: [path] });
    const explain = async (...args: Parameters<TaskCache['keyFor']>): Promise<unknown> =>
      tasks.explain(base, await tasks.keyFor(...args));
    const rest = { env: { MODE: 'a' }, files: [path] };
    expect(await explain('t', input, rest)).toBeUndefined();
    expect(await explain('u', input, rest)).toEqual({ ingredient: 'task', path: 'task', a: '"t"', b: '"u"' });
    expect(await explain('t', input, { ...rest, version: '2' })).toMatchObject({ ingredient: 'version' });
    expect(await explain('t', { items: [{ id: 1 }, { id: '2' }] }, rest)).toEqual({
      ingredient: 'input',
      path: 'input.items[1].id',
      a: 'd2;',
      b: '"2"',
    });
    expect(await explain('t', { items: [{ id: 1 }] }, rest)).toMatchObject({
      path: 'input.items[1]',
      b: undefined,
    });
    expect(await explain('t', { ...input, more: 1 }, rest)).toMatchObject({
      path: 'input.more',
      a: undefined,
    });
    expect(await explain('t', { items: {} }, rest)).toMatchObject({ path: 'input.items', a: '[]', b: '{}' });
    expect(await explain('t', input, { ...rest, env: { MODE: 'b' } })).toMatchObject({
      ingredient: 'env',
      path: 'env.MODE',
    });
    writeFileSync(path, 'b');
    expect(await explain('t', input, rest)).toMatchObject({
      ingredient: 'files',
      path: `files[${JSON.stringify(path)}]`,
    });
  });

  it('shows no value of the environment', async () => {
    const { tasks } = setup();
    const key = await tasks.keyFor('t', 1, { env: { TOKEN: 'secret' } });
    expect(JSON.stringify(tasks.manifestOf(key))).not.toContain('secret');
  });

  it('tells why a key missed by the most similar one before it', async () => {
    const { tasks } = setup();
    expect(tasks.why(await tasks.keyFor('t', { a: 1, b: 1, c: 1 }))).toBeUndefined();
    await tasks.keyFor('t', { a: 2, b: 2, c: 1 });
    await tasks.keyFor('other', { a: 1, b: 1, c: 2 });
    const key = await tasks.keyFor('t', { a: 1, b: 1, c: 2 });
    expect(tasks.why(key)).toEqual({ ingredient: 'input', path: 'input.c', a: 'd1;', b: 'd2;' });
  });

  it('says so when it does not know a key', () => {
    const { tasks } = setup();
    expect(() => tasks.explain('a', 'b')).toThrow(
      expect.objectContaining({ code: 'TASK_KEY_UNKNOWN', key: 'a' }),
    );
  });
});
