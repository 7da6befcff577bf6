import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { NO_PROC } from '../../test/processes.ts';
import { readProcessUsage } from './process-usage.ts';

it.skipIf(NO_PROC)(`adds up a process, its group and what left it${NO_PROC}`, async ({ onTestFinished }) => {
  // One of the group, and one in a session of its own, which says its number.
  const script = 'sleep 60 & setsid sleep 60 & echo $!; wait';
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = child.pid ?? 0;
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  onTestFinished(async () => {
    process.kill(Number(output.toString()), 'SIGKILL');
    process.kill(-pid, 'SIGKILL');
    await once(child, 'exit');
  });
  await expect.poll(async () => (await readProcessUsage([pid])).get(pid)?.processes).toBe(3);
  const usage = await readProcessUsage([pid, 999_999_999]);
  expect([...usage.keys()]).toEqual([pid]);
  expect(usage.get(pid)?.rssBytes).toBeGreaterThan(100_000);
});

it('asks nothing where nobody is asked for', async () => {
  expect(await readProcessUsage([])).toEqual(new Map());
});
