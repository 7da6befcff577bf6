import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { startChild } from './child.ts';

const at = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
const PYTHON = ['python3', '-I', '-S', at('raw_worker.py')] as const;
const MIB = 2 ** 20;

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Resident memory of a process, in bytes. Linux. */
function rssBytes(pid: number | 'self' | undefined): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
}

const workers = [
  ['fdTransport', [process.execPath, at('worker.mjs')], true],
  ['raw Node', [process.execPath, at('raw_worker.mjs')], true],
  ['raw Python', PYTHON, hasPython],
] as const;

describe.each(workers)('a worker on %s that exits at once', (_, command, canRun) => {
  it.skipIf(!canRun)(
    'has its 10 MB result arrive whole on fd3, and what waits behind it rejected',
    async () => {
      await using child = startChild({ command });
      const big = child.connection.request('bigThenExit', { bytes: 10_000_000 });
      const behind = child.connection.request('hang');
      behind.catch(() => undefined);
      expect(await big).toHaveLength(10_000_000);
      await expect(behind).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', reason: 'ended' });
      expect(await child.exited).toEqual({ code: 0, signal: null });
      expect(child.events.events).toEqual([]);
    },
  );
});

describe.each(workers.filter(([name]) => name !== 'raw Node'))(
  'a worker on %s that sends 50 MB while it is sent 50 MB',
  (_, command, canRun) => {
    // The raw one has a single thread: it reads none of these before it has written all of its own.
    it.skipIf(!canRun)('waits for nobody in a circle', async () => {
      await using child = startChild({ command });
      const { connection } = child;
      const bytes = 5_000_000;
      const seen: number[] = [];
      const flood = connection.request(
        'flood',
        { count: 10, bytes },
        { onNotification: (__, { seq }) => seen.push(seq as number) },
      );
      const data = 'y'.repeat(bytes);
      const loads = Array.from({ length: 10 }, () => connection.notify('load', { data }));
      expect(await flood).toBe(10);
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      await Promise.all(loads);
      expect(await connection.request('received')).toBe(10 * bytes);
    });
  },
);

describe.skipIf(process.platform !== 'linux' || !hasPython)('a reader that stops reading', () => {
  it('bounds the memory of a worker that sends', async () => {
    await using child = startChild({ command: PYTHON });
    const { connection, process: worker } = child;
    await connection.request('echo', 1);
    const before = rssBytes(worker.pid);
    const channel = worker.stdio[3] as NodeJS.ReadableStream;
    let chunks = 0;
    const flood = connection.request(
      'flood',
      { count: 1_000, bytes: 100_000 },
      {
        onNotification() {
          chunks += 1;
          if (chunks === 1) channel.pause();
        },
      },
    );
    await vi.waitUntil(() => chunks > 0, { interval: 5 });
    for (let idle = 0; idle < 2_000; idle += 1) await turn();
    expect(chunks).toBeLessThan(50);
    expect(readFileSync(`/proc/${worker.pid}/status`, 'utf8')).toContain('State:\tS');
    expect(rssBytes(worker.pid) - before).toBeLessThan(5 * MIB);
    channel.resume();
    expect(await flood).toBe(1_000);
    const peakKib = await connection.request('peakRssKib');
    expect((peakKib as number) * 1_024 - before).toBeLessThan(10 * MIB);
  });

  it('bounds the memory of a host that awaits what it sends, and its death ends the wait', async () => {
    await using child = startChild({ command: PYTHON });
    const { connection, process: worker } = child;
    await connection.request('echo', 1);
    process.kill(worker.pid ?? 0, 'SIGSTOP');
    const before = rssBytes('self');
    const data = 'x'.repeat(100_000);
    let taken = 0;
    let idleTurns = 0;
    const sending = (async () => {
      // 500 MB, if nothing held it back.
      while (taken < 5_000) {
        await connection.notify('load', { data });
        taken += 1;
        idleTurns = 0;
      }
    })();
    sending.catch(() => undefined);
    while (idleTurns < 2_000) {
      idleTurns += 1;
      await turn();
    }
    expect(taken).toBeLessThan(50);
    expect(worker.stdin?.writableLength).toBeLessThan(MIB);
    expect(rssBytes('self') - before).toBeLessThan(100 * MIB);
    worker.kill('SIGKILL');
    await expect(sending).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
  });
});
