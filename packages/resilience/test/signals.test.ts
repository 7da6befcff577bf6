import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as realSleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const FIXTURE = fileURLToPath(new URL('fixtures/shutdown-child.mjs', import.meta.url));
const WAITING = fileURLToPath(new URL('fixtures/waiting-child.mjs', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(mode: string, fixture = FIXTURE, greeting = 'ready') {
  const child = spawn(process.execPath, [fixture, mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'close') as Promise<[code: number | null, signal: string | null]>;
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
      };
      look();
      child.stdout.on('data', look);
    });
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await said(greeting);
  return { child, exited, said, output: () => output, errors: () => errors };
}

describe.skipIf(process.platform === 'win32')('a real process', () => {
  it('exits with 0 after a clean shutdown, its last hook included', async () => {
    const { child, exited, output } = await start('ends');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).toBe('ready\nbegan\nflushed\n');
  });

  it('exits as the shell shows the signal when told to', async () => {
    const { child, exited } = await start('shell');
    child.kill('SIGTERM');
    expect(await exited).toEqual([143, null]);
  });

  it('exits with 1 when a hook failed, and still runs the others', async () => {
    const { child, exited, output } = await start('fails');
    child.kill('SIGINT');
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('flushed');
  });

  it('is forced by a second signal', async () => {
    const { child, exited, said, output } = await start('hangs');
    child.kill('SIGTERM');
    await said('began');
    await realSleep(150);
    child.kill('SIGINT');
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('flushed');
  });

  it('takes one signal that is delivered twice for one', async () => {
    const { child, exited, said } = await start('hurries');
    child.kill('SIGINT');
    child.kill('SIGINT');
    await said('began');
    await realSleep(250);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await exited).toEqual([1, null]);
  });

  it('prints an uncaught error and exits with 1 after its hooks', async () => {
    const { exited, output, errors } = await start('throws');
    expect(await exited).toEqual([1, null]);
    expect(output()).toContain('flushed');
    expect(errors()).toContain('nobody caught me');
  });

  it('ends its child trees before it flushes its log', async () => {
    const { child, exited, output } = await start('tree');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).toBe('ready\ntree ended\nbegan\nflushed\n');
  });

  it('is killed by the watchdog when a hook blocks the event loop', async () => {
    const { child, exited } = await start('blocks');
    child.kill('SIGTERM');
    expect(await exited).toEqual([null, 'SIGKILL']);
  });

  it('ends while a retry waits that is not to keep it running', async () => {
    const { exited } = await start('goes', WAITING, 'waiting');
    expect(await exited).toEqual([0, null]);
  });

  it('runs on while a retry waits', async () => {
    const { child } = await start('stays', WAITING, 'waiting');
    await realSleep(300);
    expect(child.exitCode).toBeNull();
  });
});
