import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { createShutdown, notifySystemd, type SystemdOptions } from '../src/index.ts';

/** Plays systemd: prints what arrives at a datagram socket, a line per message. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True:
    message = receiver.recv(4096).decode().strip()
    if 'BARRIER=1' not in message:
        print(message.replace('\\n', ' '), flush=True)
`;

const canRun = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const hasSystemd = canRun('systemd-notify') && canRun('python3');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function receive(): Promise<{
  readonly path: string;
  readonly heard: readonly string[];
  /** Waits until so many messages have arrived. */
  readonly count: (messages: number) => Promise<void>;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-systemd-'));
  const path = join(folder, 'notify');
  const receiver = spawn('python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(async () => {
    const exited = once(receiver, 'exit');
    receiver.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  });
  const lines: string[] = [];
  let text = '';
  receiver.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    lines.splice(0, Infinity, ...text.split('\n').slice(0, -1));
  });
  const heard = (): readonly string[] => lines.slice(1);
  const count = async (messages: number): Promise<void> => {
    while (lines.length < messages + 1) await once(receiver.stdout, 'data');
  };
  await count(0);
  return {
    path,
    get heard() {
      return heard();
    },
    count,
  };
}

function setup(options: Partial<SystemdOptions> & Pick<SystemdOptions, 'env'>) {
  const clock = createManualClock();
  const shutdown = createShutdown({ clock, activeResources: () => [] });
  const logged: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (_fields: object | string, message?: string) => void logged.push(message ?? ''),
  };
  const notifier = notifySystemd(shutdown, { clock, logger, ...options });
  return { clock, shutdown, notifier, logged };
}

describe.skipIf(!hasSystemd)('a service of systemd', () => {
  it('says once that it is ready, and once that it stops', async () => {
    const systemd = await receive();
    const env = { ...process.env, NOTIFY_SOCKET: systemd.path };
    const { shutdown, notifier } = setup({ env });
    expect(notifier.active).toBe(true);
    await Promise.all([notifier.ready(), notifier.ready()]);
    await notifier.status('serving\nwell');
    const report = await shutdown.begin('SIGTERM');
    await shutdown.begin('again');
    await systemd.count(3);
    expect(systemd.heard).toEqual(['READY=1', 'STATUS=serving well', 'STOPPING=1']);
    // The shutdown waited until it was said.
    expect(report).toMatchObject({ clean: true, pending: [] });
  });

  it('gives signs of life twice per watchdog time, until the shutdown is over', async () => {
    const systemd = await receive();
    const watchdog = { WATCHDOG_USEC: '10000000', WATCHDOG_PID: String(process.pid) };
    const { clock, shutdown, notifier } = setup({
      env: { ...process.env, NOTIFY_SOCKET: systemd.path, ...watchdog },
    });
    await clock.advance(10_000);
    await notifier.ready();
    expect(clock.nextDue).toBe(15_000);
    await clock.advance(5_000);
    await systemd.count(2);
    await clock.advance(5_000);
    await systemd.count(3);
    expect(systemd.heard).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    await shutdown.begin();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a service without systemd', () => {
  it('says nothing', async () => {
    const { clock, shutdown, notifier, logged } = setup({
      env: { WATCHDOG_USEC: '1000' },
      command: '/nowhere',
    });
    await notifier.ready();
    await notifier.status('up');
    await shutdown.begin();
    expect([notifier.active, clock.pendingTimers, logged]).toEqual([false, 0, []]);
  });

  it('says in one line that the program is missing, and stops all the same', async () => {
    const { shutdown, notifier, logged } = setup({
      env: { NOTIFY_SOCKET: '/run/systemd/notify' },
      command: '/nowhere/systemd-notify',
    });
    await expect(notifier.ready()).rejects.toMatchObject({
      code: 'SYSTEMD_NOTIFY_FAILED',
      message: 'Could not tell systemd READY=1: there is no program /nowhere/systemd-notify.',
    });
    expect(await shutdown.begin()).toMatchObject({ clean: true });
    expect(logged).toEqual(['Could not send STOPPING=1.']);
  });

  it('leaves the watchdog to the process it is meant for', async () => {
    const { clock, notifier } = setup({
      env: { NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' },
      command: 'true',
    });
    await notifier.ready();
    expect(clock.pendingTimers).toBe(0);
  });

  it('is silent once it is disposed of', async () => {
    const { clock, shutdown, notifier, logged } = setup({
      env: { ...process.env, NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '1000' },
      command: 'true',
    });
    await notifier.ready();
    expect(clock.pendingTimers).toBe(1);
    notifier[Symbol.dispose]();
    await shutdown.begin();
    expect([clock.pendingTimers, logged]).toEqual([0, []]);
  });

  it('refuses wrong options', () => {
    const shutdown = createShutdown();
    expect(() => notifySystemd(shutdown, {} as SystemdOptions)).toThrow('`env`');
    expect(() => notifySystemd(shutdown, { env: {}, socket: 1 } as object as SystemdOptions)).toThrow(
      'Unknown option `socket`',
    );
  });
});
