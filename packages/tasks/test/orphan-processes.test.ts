import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemClock } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import { endOrphans, type OrphanedAttempt } from '../src/tracking/orphan-processes.ts';
import { isRunning, processStartTime, thisHost } from '../src/tracking/process-identity.ts';
import { endAtLast, isAlive } from './setup-processes.ts';

const MARK = 'host-1:run_x:1';

/** A process in a group of its own that says `up`; it is ended when the test is over. */
async function start(
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const child = spawn('sh', ['-c', `${script} echo up; while :; do sleep 0.05; done`], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pid = child.pid ?? 0;
  endAtLast(pid);
  await once(child.stdout, 'data');
  return { child, pid };
}

const end = (attempts: readonly OrphanedAttempt[], graceMs = 1_000): ReturnType<typeof endOrphans> =>
  endOrphans(attempts, { graceMs, clock: systemClock });

describe.runIf(process.platform === 'linux')('endOrphans', () => {
  it('ends the processes that carry the mark of an attempt, and no others', async () => {
    const ours = await start('', { PAWL_ATTEMPT: MARK });
    const other = await start('', { PAWL_ATTEMPT: 'host-1:run_x:2' });
    const plain = await start('');
    const ended = await end([
      { mark: MARK, process: undefined },
      { mark: 'host-2:run_y:1', process: undefined },
    ]);
    expect(ended[0]).toContain(ours.pid);
    expect(ended[1]).toEqual([]);
    expect([ours.pid, other.pid, plain.pid].map(isAlive)).toEqual([false, true, true]);
  });

  it('ends the group of the noted process, also without its mark', async () => {
    const { pid } = await start('');
    const noted = { pid, startTime: processStartTime(pid) };
    expect(await end([{ mark: MARK, process: noted }])).toEqual([[pid]]);
    expect(isAlive(pid)).toBe(false);
  });

  it('leaves a later process with the same number alone', async () => {
    const { pid } = await start('');
    const earlier = { pid, startTime: '12345' };
    expect(await end([{ mark: MARK, process: earlier }])).toEqual([[]]);
    expect(await end([{ mark: MARK, process: { pid, startTime: undefined } }])).toEqual([[]]);
    expect(isAlive(pid)).toBe(true);
  });

  it('asks first and kills who does not go after the grace', async () => {
    const { child, pid } = await start('trap "" TERM;', { PAWL_ATTEMPT: MARK });
    const exit = once(child, 'exit');
    const ended = await end([{ mark: MARK, process: undefined }], 100);
    expect(ended[0]).toContain(pid);
    expect(await exit).toEqual([null, 'SIGKILL']);
    const polite = await start('', { PAWL_ATTEMPT: MARK });
    const politeExit = once(polite.child, 'exit');
    await end([{ mark: MARK, process: undefined }], 60_000);
    expect(await politeExit).toEqual([null, 'SIGTERM']);
  });
});

describe('who a process is', () => {
  it('tells one that runs from one that ended, or has another start', async () => {
    const me = thisHost('id', 5);
    expect(me).toMatchObject({ id: 'id', pid: process.pid, since: 5 });
    expect(isRunning(me)).toBe(true);
    expect(isRunning({ pid: process.pid, startTime: '1' })).toBe(false);
    const child = spawn('true');
    const identity = { pid: child.pid ?? 0, startTime: processStartTime(child.pid ?? 0) };
    await once(child, 'exit');
    expect(isRunning(identity)).toBe(false);
  });
});
