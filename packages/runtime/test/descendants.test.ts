import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProcessManager, type ProcessManager } from '../src/process/process-manager.ts';
import { endAtLast, firstLine, isAlive, untilGone } from './setup-process.ts';

const WAYS = [
  { way: 'a direct start', spawnHelper: false },
  { way: 'the spawn helper', spawnHelper: true },
];

/** Each prints the pid of a process that is not in the group of the script any more. */
const STRAYS = [
  { how: 'left the session', script: 'setsid sleep 300 & echo $!' },
  {
    how: 'ignores SIGTERM as well',
    script: `setsid sh -c 'trap "" TERM; echo $$; sleep 300 & wait; sleep 300' &`,
  },
  { how: 'was forked twice', script: `(setsid sh -c 'echo $$; exec sleep 300' &) ` },
  { how: 'has a group of its own in the session', script: 'set -m; sleep 300 & echo $!' },
  { how: 'forgot its environment, but not its session', script: 'set -m; env -i sleep 300 & echo $!' },
  {
    how: 'comes of one that remembers, and forgot',
    script: `setsid sh -c 'env -i setsid sh -c "echo \\$\\$; sleep 300" & sleep 300' &`,
  },
];

describe.each(WAYS)('what a process leaves behind, by $way', ({ spawnHelper }) => {
  function setup(): { readonly manager: ProcessManager } {
    const manager = createProcessManager({ spawnHelper });
    onTestFinished(async () => {
      await manager.stop({ graceMs: 0 });
    });
    return { manager };
  }

  it.each(STRAYS)('is ended with a process that ends by itself: $how', async ({ script }) => {
    const { manager } = setup();
    const handle = await manager.spawn({ command: 'sh', args: ['-c', `${script}\nread _`] });
    const stray = Number(await firstLine(handle));
    endAtLast(stray);
    handle.stdin?.end('\n');
    expect(await handle.released).toMatchObject({ exitCode: 0, survivors: [] });
    expect(isAlive(stray)).toBe(false);
  });

  it.each(STRAYS)('is ended with a process that is terminated: $how', async ({ script }) => {
    const { manager } = setup();
    const handle = await manager.spawn({ command: 'sh', args: ['-c', `${script}\nsleep 300`] });
    const stray = Number(await firstLine(handle));
    endAtLast(stray);
    expect(isAlive(stray)).toBe(true);
    expect(await handle.terminate({ graceMs: 2_000 })).toMatchObject({ signal: 'SIGTERM', survivors: [] });
    expect(isAlive(stray)).toBe(false);
  });

  it('is ended although it forgot its environment and its session, while its parent lives', async () => {
    const { manager } = setup();
    const script = `env -i setsid sh -c 'echo $$; exec sleep 300' & sleep 300`;
    const handle = await manager.spawn({ command: 'sh', args: ['-c', script] });
    const stray = Number(await firstLine(handle));
    endAtLast(stray);
    await handle.terminate({ graceMs: 0 });
    expect(isAlive(stray)).toBe(false);
  });

  it('may clean up on SIGTERM too', async () => {
    const { manager } = setup();
    // The script waits for it, so that it has its time.
    const stray = `setsid sh -c 'trap "echo cleaned; exit" TERM; echo up; while :; do sleep 0.02; done' & child=$!`;
    const script = `${stray}; trap "wait \\$child; exit" TERM; wait`;
    const handle = await manager.spawn({ command: 'sh', args: ['-c', script] });
    await firstLine(handle);
    const rest = handle.stdout?.toArray();
    await handle.terminate();
    expect(Buffer.concat((await rest) as Buffer[]).toString()).toBe('cleaned\n');
  });

  it('lives on where it is wanted, and is named', async () => {
    const { manager } = setup();
    const script = 'setsid sleep 301 & one=$!; sleep 302 & echo $one $!; read _';
    const handle = await manager.spawn({ command: 'sh', args: ['-c', script], descendants: 'keep' });
    const pids = (await firstLine(handle)).split(' ').map(Number);
    for (const pid of pids) endAtLast(pid);
    // Before that they are still the shell.
    await expect
      .poll(() => spawnSync('ps', ['-o', 'args=', '-p', pids.join()], { encoding: 'utf8' }).stdout)
      .toMatch(/^sleep 30\d\nsleep 30\d\n$/);
    handle.stdin?.end('\n');
    const { survivors } = await handle.released;
    expect(survivors.map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual(pids.toSorted((a, b) => a - b));
    expect(survivors.map(({ command }) => command)).toEqual([
      expect.stringContaining('sleep 30'),
      expect.stringContaining('sleep 30'),
    ]);
    expect(pids.filter(isAlive)).toEqual(pids);
    handle.stdout?.destroy();
    handle.stderr?.destroy();
  });

  it('is ended all the same when a process that would keep it is terminated', async () => {
    const { manager } = setup();
    const script = 'setsid sleep 300 & echo $!; sleep 300';
    const handle = await manager.spawn({ command: 'sh', args: ['-c', script], descendants: 'keep' });
    const stray = Number(await firstLine(handle));
    await handle.terminate();
    expect(isAlive(stray)).toBe(false);
  });

  it('is ended once, whichever host it was that started the parent', async () => {
    const { manager } = setup();
    const { manager: other } = setup();
    const script = 'setsid sleep 300 & echo $!; sleep 300';
    const [one, two] = await Promise.all(
      [manager, other].map(async (each) => {
        const handle = await each.spawn({ command: 'sh', args: ['-c', script] });
        return { handle, stray: Number(await firstLine(handle)) };
      }),
    );
    await one?.handle.terminate();
    expect([one, two].map((each) => isAlive(each?.stray ?? 0))).toEqual([false, true]);
    await other.stop({ graceMs: 0 });
    expect(isAlive(two?.stray ?? 0)).toBe(false);
  });

  it('is gone when the manager has stopped, also of a process that ended a moment before', async () => {
    const { manager } = setup();
    const handle = await manager.spawn({ command: 'sh', args: ['-c', 'setsid sleep 300 & echo $!; read _'] });
    const stray = Number(await firstLine(handle));
    handle.stdin?.end('\n');
    await handle.exited;
    await manager.stop();
    expect(isAlive(stray)).toBe(false);
  });

  it('is ended by the outer manager when a host inside it dies', async () => {
    const { manager } = setup();
    const inner = new URL('fixtures/nested-host.mjs', import.meta.url).pathname;
    const handle = await manager.spawn({
      command: process.execPath,
      args: [inner],
      stderr: 'inherit',
    });
    const stray = Number(await firstLine(handle));
    expect(isAlive(stray)).toBe(true);
    await handle.terminate({ graceMs: 0 });
    await untilGone([stray], 1_000);
  });
});
