import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linuxProcessTable } from '../src/process/linux-process-table.ts';
import { signalEntry } from '../src/process/process-table.ts';
import { psProcessTable } from '../src/process/ps-process-table.ts';

/** `e` is what `-E` is on macOS: the environment behind the command. */
const TABLES = [
  { name: '/proc', table: linuxProcessTable() },
  { name: 'ps', table: psProcessTable(['axeww']) },
];

/** A process with spaces and brackets in its name, in a group and session of its own. */
async function startSleeper(): Promise<number> {
  const child = spawn('sh', ['-c', 'echo up; read _', 'a (b) c'], {
    env: { PATH: '/usr/bin:/bin', PAWL_PROCESS: 'outer/inner-1' },
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child.stdout, 'data');
  return child.pid ?? -1;
}

describe.each(TABLES)('a process table by $name', ({ table }) => {
  it('lists processes with their parents, groups, starts, marks and commands', async () => {
    const pid = await startSleeper();
    const entry = (await table.list()).find((each) => each.pid === pid);
    expect(entry).toMatchObject({ pid, parentPid: process.pid, groupId: pid });
    expect(entry?.startedAt).not.toBe('');
    expect(entry?.command()).toMatch(/^sh -c echo up; read _/);
    expect(['inner-1', 'outer', 'inner', 'outer/inner-1'].map((mark) => entry?.hasMark(mark))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('lists only what is asked for, and the living', async () => {
    const pid = await startSleeper();
    const pids = (await table.list([pid, process.pid, 2 ** 30])).map((entry) => entry.pid);
    expect(pids.toSorted((a, b) => a - b)).toEqual([pid, process.pid].toSorted((a, b) => a - b));
  });
});

describe('linuxProcessTable', () => {
  const table = linuxProcessTable();

  it('tells a start that stays the same, and none of who is gone', () => {
    expect(table.startOf(process.pid)).toMatch(/^\d+$/);
    expect(table.startOf(process.pid)).toBe(table.startOf(process.pid));
    expect(table.startOf(2 ** 30)).toBeUndefined();
  });

  it('tells the last pid', async () => {
    const pid = await startSleeper();
    expect(table.lastPid()).toBeGreaterThanOrEqual(pid);
  });

  it('signals no process that has the pid of another', async () => {
    const pid = await startSleeper();
    const [entry] = await table.list([pid]);
    if (entry === undefined) throw new Error('Not listed.');
    signalEntry({ ...entry, isCurrent: () => false }, 'SIGKILL');
    expect(table.startOf(pid)).toBe(entry.startedAt);
    expect(entry.isCurrent()).toBe(true);
  });
});
