import { createEventMonitor } from '@pawl/core/testing';
import { fixedBackoff } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createProcessManager } from '../src/process/process-manager.ts';
import { createSupervisor } from '../src/supervisor/supervisor.ts';
import { firstLine, isAlive } from './setup-process.ts';

describe('a supervisor of real processes', () => {
  it('starts a killed process again, and the one after it, and ends all at last', async () => {
    const manager = createProcessManager();
    onTestFinished(async () => {
      await manager.stop({ graceMs: 0 });
    });
    const pids: number[] = [];
    const child = (id: string) => ({
      id,
      async start() {
        const handle = await manager.spawn({ command: 'sh', args: ['-c', 'echo up; exec sleep 300'] });
        await firstLine(handle);
        pids.push(handle.pid);
        const stop = ({ graceMs }: { readonly graceMs: number }) => handle.terminate({ graceMs });
        return { exited: handle.exited, stop };
      },
    });
    const supervisor = createSupervisor({
      strategy: 'rest-for-one',
      backoff: fixedBackoff(1),
      children: [child('one'), child('two'), child('three')],
    });
    const events = createEventMonitor(supervisor);
    await supervisor.start();
    const [one, two, three] = pids as [number, number, number];
    process.kill(two, 'SIGKILL');
    expect((await events.next('child:exited')).error?.message).toBe('Child two was killed by SIGKILL.');
    await events.next('child:started', ({ childId, starts }) => childId === 'three' && starts === 2);
    expect([one, two, three].map(isAlive)).toEqual([true, false, false]);
    expect(pids.slice(3).map(isAlive)).toEqual([true, true]);
    expect(await supervisor.stop()).toEqual({ drained: true, orphaned: [] });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('takes processes as children, and opens the loop for one that always fails', async () => {
    const supervisor = createSupervisor({
      backoff: fixedBackoff(1),
      maxRestarts: 2,
      children: [
        { id: 'sleeper', process: { command: 'sleep', args: ['300'] } },
        // More than a pipe holds, so that it would hang if nobody read.
        {
          id: 'failing',
          process: { command: 'sh', args: ['-c', 'head -c 300000 /dev/zero; exit 7'], stdout: 'pipe' },
        },
      ],
    });
    onTestFinished(async () => {
      await supervisor.stop({ graceMs: 0 });
    });
    const events = createEventMonitor(supervisor);
    await supervisor.start();
    const { error } = await events.next('supervisor:crash-loop');
    expect(error).toMatchObject({
      code: 'CRASH_LOOP',
      cause: { message: 'Child failing exited with code 7.' },
    });
    expect(supervisor.children()).toMatchObject([{ state: 'running' }, { starts: 3, failuresInRow: 3 }]);
  });

  it('says which process could not be started', async () => {
    const supervisor = createSupervisor({
      children: [
        { id: 'sleeper', process: { command: 'sleep', args: ['300'] } },
        { id: 'missing', process: { command: 'pawl-no-such-program' } },
      ],
    });
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'CHILD_START_FAILED',
      cause: { code: 'PROCESS_START_FAILED', fault: 'not-found' },
    });
    expect(supervisor.children().map(({ state }) => state)).toEqual(['stopped', 'stopped']);
  });
});
