import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceContract } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ProcessHandle } from '../src/process/process-handle.ts';
import { createProcessManager, type ProcessManager } from '../src/process/process-manager.ts';
import { endAtLast, failureOf, firstLine, isAlive, untilGone } from './setup-process.ts';

/** Both ways to start a process keep one contract. */
const WAYS = [
  { way: 'a direct start', spawnHelper: false },
  { way: 'the spawn helper', spawnHelper: true },
];

function setupWith(spawnHelper: boolean): { readonly manager: ProcessManager } {
  const manager = createProcessManager({ spawnHelper });
  onTestFinished(async () => {
    await manager.stop({ graceMs: 0 });
  });
  return { manager };
}

/** A shell script; resolves once it printed its first line. */
async function script(
  manager: ProcessManager,
  text: string,
): Promise<{ readonly handle: ProcessHandle; readonly line: string }> {
  const handle = await manager.spawn({ command: 'sh', args: ['-c', text] });
  return { handle, line: await firstLine(handle) };
}

/** Ignores SIGTERM, and so does what it starts. */
const STUBBORN = 'trap "" TERM; echo up; while :; do sleep 0.05; done';

describe.each(WAYS)('createProcessManager, by $way', ({ spawnHelper }) => {
  const setup = (): { readonly manager: ProcessManager } => setupWith(spawnHelper);

  describe('keeps the service contract', () => {
    for (const { title, run } of serviceContract(() => createProcessManager({ spawnHelper }))) it(title, run);
  });

  it('starts a program with its arguments, folder and streams', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({
      command: 'sh',
      args: ['-c', 'read line; echo "$line $1 $(pwd)"; echo oops >&2; exit 3', 'sh', 'a b; echo no'],
      cwd: '/tmp',
    });
    handle.stdin?.end('hello\n');
    const [out, err] = await Promise.all([handle.stdout?.toArray(), handle.stderr?.toArray()]);
    expect(Buffer.concat(out as Buffer[]).toString()).toBe('hello a b; echo no /tmp\n');
    expect(Buffer.concat(err as Buffer[]).toString()).toBe('oops\n');
    expect(await handle.exited).toEqual({ exitCode: 3, signal: null });
    expect(handle.exit).toEqual({ exitCode: 3, signal: null });
  });

  it('knows its processes by id until they end', async () => {
    const { manager } = setup();
    const one = await manager.spawn({ command: 'sleep', args: ['30'] });
    const two = await manager.spawn({ command: 'sleep', args: ['30'] });
    expect(manager.list()).toEqual([one, two]);
    expect(manager.get(one.id)).toBe(one);
    expect(one.command).toBe('sleep');
    expect(isAlive(one.pid)).toBe(true);
    expect(await manager.terminate(one.id)).toEqual({
      exitCode: null,
      signal: 'SIGTERM',
      forced: false,
      survivors: [],
    });
    expect(manager.get(one.id)).toBeUndefined();
    expect(manager.list()).toEqual([two]);
    expect(await failureOf(manager.terminate(one.id))).toMatchObject({ code: 'NO_SUCH_PROCESS' });
  });

  it.each([
    ['no such program', { command: 'pawl-no-such-program' }, 'not-found', 'there is no such program'],
    ['no such path', { command: '/nowhere/at/all' }, 'not-found', 'there is no such program'],
    ['not executable', { command: '/etc/passwd' }, 'not-permitted', 'it may not be executed'],
    ['a folder', { command: '/tmp' }, 'not-permitted', 'it may not be executed'],
    ['no such folder', { command: 'sh', cwd: '/nowhere' }, 'bad-cwd', '(/nowhere)'],
    ['a folder that is a file', { command: 'sh', cwd: '/etc/passwd' }, 'bad-cwd', '(/etc/passwd)'],
  ])('tells why a program could not be started: %s', async (_what, config, fault, message) => {
    const { manager } = setup();
    const error = await failureOf(manager.spawn(config));
    expect(error).toMatchObject({ code: 'PROCESS_START_FAILED', fault, command: config.command });
    const field = fault === 'bad-cwd' ? 'cwd' : 'command';
    expect(error).toMatchObject({
      field,
      value: (config as Record<string, string>)[field],
      retryable: false,
    });
    expect(error.message).toContain(message);
    expect(manager.list()).toEqual([]);
  });

  it('tells of what the system refuses for other reasons, and goes on', async () => {
    const { manager } = setup();
    const error = await failureOf(manager.spawn({ command: 'true', args: ['x'.repeat(500_000)] }));
    expect(error).toMatchObject({ fault: 'other', cause: { code: 'E2BIG' } });
    expect(await (await manager.spawn({ command: 'true' })).exited).toEqual({ exitCode: 0, signal: null });
  });

  it.each([
    ['that does not exist', '#!/no/such/interpreter\n', '/no/such/interpreter'],
    ['with a Windows line end', '#!/bin/sh\r\necho\n', '/bin/sh\\r'],
    ['that may not be executed', '#!/etc/passwd\n', '/etc/passwd'],
  ])('names the interpreter of a script %s', async (_what, text, interpreter) => {
    const { manager } = setup();
    const folder = mkdtempSync(join(tmpdir(), 'pawl-script-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'script'), text, { mode: 0o755 });
    const expected = {
      code: 'PROCESS_START_FAILED',
      fault: 'bad-interpreter',
      field: 'command',
      value: interpreter,
      rule: 'a script whose first line names a program that exists',
    };
    expect(await failureOf(manager.spawn({ command: join(folder, 'script') }))).toMatchObject(expected);
    const found = failureOf(manager.spawn({ command: 'script', env: { PATH: folder } }));
    expect(await found).toMatchObject(expected);
  });

  it.each([
    [{ comand: 'sh' }, /Unknown option `comand` of spawn; did you mean `command`\?/],
    [{ command: '' }, /`command` to be a non-empty string, got `""`/],
    [{ command: 'sh', args: ['a', 'b\0c'] }, /`args\[1\]` to be without a zero byte/],
    [{ command: 'sh', args: ['-c', 1] }, /`args` to be an array of strings/],
    [{ command: 'sh', env: { A: 1 } }, /`env\.A` to be a string, got `1`/],
    [{ command: 'sh', inheritEnv: 'PATH' }, /`inheritEnv` to be an array of strings/],
    [{ command: 'sh', cwd: new URL('http://localhost/') }, /`cwd` to be a path or a file: URL/],
    [{ command: 'sh', stdin: 'pipes' }, /`stdin` to be one of/],
  ])('refuses a wrong config %j', async (config, message) => {
    const { manager } = setup();
    expect((await failureOf(manager.spawn(config as never))).message).toMatch(message);
  });

  it('gives a minimal environment', async () => {
    const { manager } = setup();
    process.env['PAWL_TEST_SECRET'] = 'hush';
    process.env['PAWL_TEST_NAMED'] = 'named';
    onTestFinished(() => {
      delete process.env['PAWL_TEST_SECRET'];
      delete process.env['PAWL_TEST_NAMED'];
    });
    const handle = await manager.spawn({
      command: 'env',
      env: { ADDED: '1', HOME: '/elsewhere' },
      inheritEnv: ['PAWL_TEST_NAMED'],
    });
    const text = Buffer.concat((await handle.stdout?.toArray()) as Buffer[]).toString();
    expect(text).not.toContain('hush');
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['ADDED=1', 'HOME=/elsewhere', 'PAWL_TEST_NAMED=named']),
    );
    expect(text).toMatch(/^PATH=/m);
  });

  it('kills one that ignores SIGTERM, when the grace is over', async () => {
    const { manager } = setup();
    const { handle } = await script(manager, STUBBORN);
    const startedAt = performance.now();
    const report = await manager.terminate(handle.id, { graceMs: 200 });
    expect(report).toEqual({ exitCode: null, signal: 'SIGKILL', forced: true, survivors: [] });
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });

  it('shortens the grace when asked again, and never lengthens it', async () => {
    const { manager } = setup();
    const { handle } = await script(manager, STUBBORN);
    const startedAt = performance.now();
    const reports = await Promise.all([
      handle.terminate({ graceMs: 60_000 }),
      handle.terminate({ graceMs: 150 }),
      handle.terminate({ graceMs: 60_000 }),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    for (const report of reports) expect(report).toMatchObject({ signal: 'SIGKILL', forced: true });
  });

  it('sends another first signal when asked to', async () => {
    const { manager } = setup();
    const { handle } = await script(manager, 'trap "exit 42" INT; echo up; while :; do sleep 0.05; done');
    expect(await handle.terminate({ signal: 'SIGINT' })).toEqual({
      exitCode: 42,
      signal: null,
      forced: false,
      survivors: [],
    });
  });

  it('ends the whole group: grandchildren do not survive, stubborn ones neither', async () => {
    const { manager } = setup();
    const { handle, line } = await script(manager, `sh -c '${STUBBORN}' >/dev/null & echo $!; wait`);
    const grandchild = Number(line);
    expect(isAlive(grandchild)).toBe(true);
    await handle.terminate({ graceMs: 200 });
    await untilGone([handle.pid, grandchild], 1_000);
  });

  it('ends the group also when its leader exits by itself', async () => {
    const { manager } = setup();
    const { handle, line } = await script(manager, 'sleep 300 & echo $!');
    await handle.exited;
    await untilGone([Number(line)], 1_000);
  });

  it('tells of the exit although a process that left the group holds the pipes', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({
      command: 'sh',
      args: ['-c', 'setsid sleep 20 & echo $!; sleep 0.1'],
      descendants: 'keep',
    });
    const line = await firstLine(handle);
    endAtLast(Number(line));
    expect(await handle.exited).toEqual({ exitCode: 0, signal: null });
    expect(isAlive(Number(line))).toBe(true);
    expect(handle.stdout?.readableEnded).toBe(false);
    handle.stdout?.destroy();
    handle.stderr?.destroy();
  });

  it('stops many stubborn ones in the time of one, and names them', async () => {
    const { manager } = setup();
    const started = await Promise.all(Array.from({ length: 6 }, () => script(manager, STUBBORN)));
    const polite = await manager.spawn({ command: 'sleep', args: ['30'] });
    const startedAt = performance.now();
    const report = await manager.stop({ graceMs: 300 });
    expect(performance.now() - startedAt).toBeLessThan(1_200);
    expect(report.drained).toBe(false);
    expect(report.orphaned.toSorted()).toEqual(started.map(({ handle }) => `${handle.pid} sh`).toSorted());
    expect([...started.map(({ handle }) => handle), polite].filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  it('starts nothing after a stop, and leaves nothing that was starting', async () => {
    const { manager } = setup();
    const pids: number[] = [];
    const codes: unknown[] = [];
    const spawns = Array.from({ length: 4 }, () =>
      manager.spawn({ command: 'sleep', args: ['30'] }).then(
        ({ pid }) => pids.push(pid),
        (error: unknown) => codes.push((error as { readonly code: unknown }).code),
      ),
    );
    await manager.stop({ graceMs: 0 });
    await Promise.all(spawns);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(codes).toEqual(codes.map(() => 'SERVICE_STOPPED'));
    expect(await failureOf(manager.spawn({ command: 'true' }))).toMatchObject({ code: 'SERVICE_STOPPED' });
  });

  it('survives writing to one that is gone', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({ command: 'true' });
    await handle.exited;
    handle.stdin?.write('too late');
    handle.stdin?.write('still too late');
    expect(handle.signal('SIGTERM')).toBe(false);
    expect(await handle.terminate()).toEqual({ exitCode: 0, signal: null, forced: false, survivors: [] });
  });
});
