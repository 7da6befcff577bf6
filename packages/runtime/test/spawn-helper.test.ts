import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, systemClock } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createProcessManager, type ProcessManager } from '../src/process/process-manager.ts';
import type { SpawnHelperOption } from '../src/process/spawn-choice.ts';
import { endAtLast, firstLine, isAlive, untilGone } from './setup-process.ts';

const HOST = fileURLToPath(new URL('fixtures/spawning-host.mjs', import.meta.url));

function setup(
  spawnHelper: SpawnHelperOption = true,
  clock: Clock = systemClock,
): { readonly manager: ProcessManager } {
  const manager = createProcessManager({ spawnHelper, clock });
  onTestFinished(async () => {
    await manager.stop({ graceMs: 0 });
  });
  return { manager };
}

/** The spawn helpers of a host, with the folders of their sockets. */
function helpersOf(host: number): readonly { readonly pid: number; readonly folder: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      if (!readFileSync(`/proc/${name}/status`, 'utf8').includes(`\nPPid:\t${host}\n`)) return [];
      const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const at = args.findIndex((arg) => arg.endsWith('spawn-helper/main.js'));
      return at === -1 ? [] : [{ pid: Number(name), folder: dirname(args[at + 1] ?? '') }];
    } catch {
      return [];
    }
  });
}

function helperOf(host: number): { readonly pid: number; readonly folder: string } {
  const [helper, ...more] = helpersOf(host);
  if (helper === undefined || more.length > 0)
    throw new Error(`${host} has ${1 + more.length} helpers or none.`);
  return helper;
}

function hangHelper(): number {
  const { pid } = helperOf(process.pid);
  process.kill(pid, 'SIGSTOP');
  return pid;
}

async function runTrue(manager: ProcessManager): Promise<void> {
  const handle = await manager.spawn({ command: 'true' });
  expect(await handle.exited).toEqual({ exitCode: 0, signal: null });
}

describe('the spawn helper', () => {
  it('is one for all, started when it is needed, and gone with its folder after the stop', async () => {
    const { manager } = setup();
    await manager.start();
    expect(helpersOf(process.pid)).toEqual([]);
    await Promise.all([runTrue(manager), runTrue(manager), runTrue(manager)]);
    const helper = helperOf(process.pid);
    expect(existsSync(helper.folder)).toBe(true);
    await manager.stop();
    expect(helpersOf(process.pid)).toEqual([]);
    expect(existsSync(helper.folder)).toBe(false);
  });

  it('is not used where it was turned off', async () => {
    const { manager } = setup(false);
    await Promise.all([runTrue(manager), runTrue(manager), runTrue(manager)]);
    expect(helpersOf(process.pid)).toEqual([]);
  });

  it('is used by itself once the host is large and starts a second process', async () => {
    const { manager } = setup('auto');
    const rss = vi.spyOn(process.memoryUsage, 'rss').mockReturnValue(50 * 1024 * 1024);
    await runTrue(manager);
    await runTrue(manager);
    rss.mockReturnValue(500 * 1024 * 1024);
    await runTrue(manager);
    expect(helpersOf(process.pid)).toEqual([]);
    await runTrue(manager);
    expect(helpersOf(process.pid)).toHaveLength(1);
  });

  it('stays when the system refuses a start', async () => {
    const { manager } = setup();
    await runTrue(manager);
    const { pid } = helperOf(process.pid);
    for (const config of [{ command: 'true', args: ['x'.repeat(500_000)] }, { command: '/nowhere' }]) {
      await expect(manager.spawn(config)).rejects.toMatchObject({ code: 'PROCESS_START_FAILED' });
    }
    await runTrue(manager);
    expect(helperOf(process.pid).pid).toBe(pid);
  });

  it('gives the child descriptors that block, so that a program that knows of no others loses nothing', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({
      command: 'sh',
      args: ['-c', 'head -c 3000000 /dev/zero >&3 && head -c 3000000 /dev/zero >&4 && echo done'],
      channel: true,
      control: true,
    });
    // Both fill up before anybody reads.
    let read = 0;
    for await (const chunk of handle.channel ?? []) {
      read += (chunk as Buffer).length;
      if (read === 3_000_000) break;
    }
    handle.control?.resume();
    expect(await firstLine(handle)).toBe('done');
  });

  it('passes the end of stdin on, and what is written to descriptor 4', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({
      command: 'sh',
      args: ['-c', 'cat; head -n 1 <&4'],
      control: true,
    });
    handle.stdin?.end('to stdin\n');
    handle.control?.write('to control\n');
    const printed = Buffer.concat((await handle.stdout?.toArray()) as Buffer[]).toString();
    expect(printed).toBe('to stdin\nto control\n');
  });

  it('takes what it started along when it dies, and is replaced', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({ command: 'sleep', args: ['300'] });
    const first = helperOf(process.pid);
    process.kill(first.pid, 'SIGKILL');
    expect(await handle.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
    await untilGone([handle.pid], 1_000);
    await runTrue(manager);
    expect(helperOf(process.pid).pid).not.toBe(first.pid);
    expect(existsSync(first.folder)).toBe(false);
  });

  it('fails no start when it dies in the middle, and leaves no process that nobody knows of', async () => {
    const { manager } = setup();
    await runTrue(manager);
    const marker = `${300 + process.pid / 1e6}`;
    const starts = Array.from({ length: 8 }, () => manager.spawn({ command: 'sleep', args: [marker] }));
    process.kill(helperOf(process.pid).pid, 'SIGKILL');
    const handles = await Promise.all(starts);
    const living = handles.filter(({ exit }) => exit === undefined).map(({ pid }) => pid);
    const sleepers = (): readonly number[] =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
        .filter((name) => commandOf(name) === `sleep\0${marker}\0`)
        .map(Number);
    expect(sleepers().filter((pid) => !living.includes(pid))).toEqual([]);
    expect(living.length).toBeGreaterThan(0);
  });

  it('is done without while it hangs, and starts nothing twice when it wakes up', async () => {
    const clock = createManualClock();
    const { manager } = setup(true, clock);
    await runTrue(manager);
    const hung = hangHelper();
    const folder = mkdtempSync(join(tmpdir(), 'pawl-hung-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = { command: 'sh', args: ['-c', 'echo started >> log'], cwd: folder };
    const starting = Array.from({ length: 8 }, () => manager.spawn(config));
    await vi.waitUntil(() => clock.pendingTimers === starting.length);
    await clock.advance(5_000);
    const handles = await Promise.all(starting);
    await Promise.all(handles.map(({ exited }) => exited));
    process.kill(hung, 'SIGCONT');
    await wait(300);
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('started\n'.repeat(8));
    // It was heard of: it goes on for what it has started.
    await clock.advance(30_000);
    expect(isAlive(hung)).toBe(true);
    await runTrue(manager);
    expect(helpersOf(process.pid)).toHaveLength(2);
  });

  it('is ended with what it started when it hangs for good', async () => {
    const clock = createManualClock();
    const { manager } = setup(true, clock);
    const held = await manager.spawn({ command: 'sleep', args: ['300'] });
    const hung = hangHelper();
    const starting = manager.spawn({ command: 'sleep', args: ['300'] });
    await vi.waitUntil(() => clock.pendingTimers > 0);
    await clock.advance(5_000);
    const other = await starting;
    await clock.advance(30_000);
    expect(await held.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect(other.exit).toBe(undefined);
    expect(isAlive(hung)).toBe(false);
  });

  it('keeps no stop waiting when it hangs', async () => {
    const clock = createManualClock();
    const { manager } = setup(true, clock);
    await runTrue(manager);
    const hung = hangHelper();
    const stopped = manager.stop();
    await vi.waitUntil(() => clock.pendingTimers > 0);
    await clock.advance(3_000);
    await stopped;
    expect(isAlive(hung)).toBe(false);
  });

  it('is done without after it died too often', async () => {
    const { manager } = setup();
    for (let losses = 0; losses < 4; losses += 1) {
      const pid = await vi.waitFor(async () => {
        await runTrue(manager);
        return helperOf(process.pid).pid;
      });
      process.kill(pid, 'SIGKILL');
      await untilGone([pid], 2_000);
    }
    // The first of these may be what tells of the last loss.
    for (let starts = 0; starts < 4; starts += 1) await runTrue(manager);
    expect(helpersOf(process.pid)).toEqual([]);
  });

  it('is done without where its socket can not be', async () => {
    const deep = mkdtempSync(join(tmpdir(), 'pawl-deep-'));
    onTestFinished(() => rmSync(deep, { recursive: true }));
    const folder = join(deep, 'x'.repeat(120));
    mkdirSync(folder);
    vi.stubEnv('TMPDIR', folder);
    const { manager } = setup();
    await runTrue(manager);
    await runTrue(manager);
    await manager.stop();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is done without where there is no temporary folder', async () => {
    vi.stubEnv('TMPDIR', '/nowhere/at/all');
    const { manager } = setup();
    for (let starts = 0; starts < 6; starts += 1) await runTrue(manager);
  });

  it('dies with a host that is killed, and so does what it started', async () => {
    const host = spawn(process.execPath, [HOST, 'hold'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(host.stdout, 'data')) as [Buffer];
    const child = Number(line.toString());
    endAtLast(child);
    const helper = helperOf(host.pid ?? -1);
    host.kill('SIGKILL');
    await untilGone([child, helper.pid], 2_000);
    expect(existsSync(helper.folder)).toBe(false);
  });

  it.each([
    ['runs', 'running', 'waits'],
    ['was let go of', 'let-go', 'leaves'],
  ])('keeps the host while a child %s as that child would', async (_what, mode, expected) => {
    const host = spawn(process.execPath, [HOST, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
    const printed = Buffer.concat((await host.stdout.toArray()) as Buffer[]).toString();
    expect(printed.trim()).toBe(expected);
  });
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
