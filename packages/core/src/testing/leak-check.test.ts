import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLeakCheck } from './leak-check.ts';

const linux = process.platform === 'linux';
const settleMs = 40;

describe('createLeakCheck', () => {
  it('passes when nothing is left', async () => {
    const leaks = createLeakCheck({ settleMs });
    clearTimeout(setTimeout(() => undefined, 60_000));
    await leaks.assertNoLeak();
  });

  it('finds a timer', async () => {
    const leaks = createLeakCheck({ settleMs });
    const timer = setTimeout(() => undefined, 60_000);
    onTestFinished(() => clearTimeout(timer));
    await expect(leaks.assertNoLeak()).rejects.toThrow('Left behind: timer.');
    clearTimeout(timer);
    await leaks.assertNoLeak();
  });

  it('finds a timer that takes the place of one that was pending before', async () => {
    const earlier = setTimeout(() => undefined, 60_000);
    const leaks = createLeakCheck({ settleMs });
    clearTimeout(earlier);
    const interval = setInterval(() => undefined, 60_000);
    onTestFinished(() => clearInterval(interval));
    await expect(leaks.assertNoLeak()).rejects.toThrow('Left behind: timer.');
    clearInterval(interval);
    await leaks.assertNoLeak();
  });

  it('leaves a timer that keeps nothing alive alone', async () => {
    const leaks = createLeakCheck({ settleMs });
    const timer = setTimeout(() => undefined, 60_000);
    onTestFinished(() => clearTimeout(timer));
    timer.unref();
    await leaks.assertNoLeak();
  });

  it('finds a listener on process', async () => {
    const leaks = createLeakCheck({ settleMs });
    const listener = (): void => undefined;
    process.on('SIGUSR2', listener);
    onTestFinished(() => void process.off('SIGUSR2', listener));
    await expect(leaks.assertNoLeak()).rejects.toThrow('process listener SIGUSR2');
    process.off('SIGUSR2', listener);
    await leaks.assertNoLeak();
  });

  it('finds a server that still listens', async () => {
    const leaks = createLeakCheck({ settleMs });
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await expect(leaks.assertNoLeak()).rejects.toThrow('handle TCPServerWrap');
    server.close();
    await leaks.assertNoLeak();
  });

  it.runIf(linux)('finds a child process, also one that nothing waits for', async () => {
    const leaks = createLeakCheck({ settleMs });
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 60_000)'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.unref();
    await expect(leaks.assertNoLeak()).rejects.toThrow(`child process ${child.pid} `);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await leaks.assertNoLeak();
  });

  it.runIf(linux)('finds an open descriptor', async () => {
    const leaks = createLeakCheck({ settleMs });
    const file = await open('/dev/null');
    onTestFinished(() => file.close());
    await expect(leaks.assertNoLeak()).rejects.toThrow('open descriptor');
    await file.close();
    await leaks.assertNoLeak();
  });

  it('waits for what is on its way out', async () => {
    const leaks = createLeakCheck({ settleMs: 5_000 });
    setTimeout(() => undefined, 50);
    await leaks.assertNoLeak();
  });

  it('counts what it finds more than once', async () => {
    const leaks = createLeakCheck({ settleMs });
    const timers = [1, 2, 3].map(() => setTimeout(() => undefined, 60_000));
    onTestFinished(() => timers.forEach((timer) => clearTimeout(timer)));
    await expect(leaks.assertNoLeak()).rejects.toThrow('Left behind: 3 × timer.');
  });
});
