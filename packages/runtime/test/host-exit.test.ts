import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProcessManager } from '../src/index.ts';
import { isAlive, untilGone } from './setup-process.ts';

const HOST = fileURLToPath(new URL('fixtures/leaving-host.mjs', import.meta.url));

/** Runs a host to its end. */
async function leave(how: string, onHostExit = 'end') {
  const host = spawn(process.execPath, [HOST, how, onHostExit], { stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  host.stdout.on('data', (chunk: Buffer) => void (printed += chunk.toString()));
  const [exitCode, signal] = (await once(host, 'close')) as [number | null, NodeJS.Signals | null];
  const pid = Number(printed);
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return { exitCode, signal, pid };
}

describe.skipIf(process.platform === 'win32')('a process whose host leaves it behind', () => {
  it.each([
    ['exit', { exitCode: 3, signal: null }],
    ['throw', { exitCode: 1, signal: null }],
    ['end', { exitCode: 0, signal: null }],
    ['SIGTERM', { exitCode: null, signal: 'SIGTERM' }],
    ['SIGINT', { exitCode: null, signal: 'SIGINT' }],
    ['SIGHUP', { exitCode: null, signal: 'SIGHUP' }],
  ])('ends with it: %s', async (how, ended) => {
    const { pid, ...end } = await leave(how);
    expect(end).toEqual(ended);
    await untilGone([pid], 2_000);
  });

  it('lives on when that is wanted, or when the host could not know', async () => {
    const [kept, killed] = await Promise.all([leave('exit', 'keep'), leave('SIGKILL')]);
    expect([isAlive(kept.pid), isAlive(killed.pid)]).toEqual([true, true]);
  });

  it('costs no listener once it has ended', async () => {
    const listeners = (): number[] =>
      ['SIGTERM', 'SIGINT', 'exit'].map((name) => process.listenerCount(name));
    const before = listeners();
    await using manager = createProcessManager();
    const child = await manager.spawn({ command: 'sleep', args: ['600'] });
    expect(listeners()[0]).toBe((before[0] ?? 0) + 1);
    await child.terminate({ graceMs: 0 });
    expect(listeners()).toEqual(before);
  });
});
