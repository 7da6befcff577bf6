import { createLeakCheck } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import type { Connection } from '@pawl/ipc';
import { startChild } from './child.ts';

/** Sends three requests that stay open, and counts how often each settles. */
function openRequests(connection: Connection) {
  const settled = [0, 0, 0];
  const codes: string[] = [];
  const all = settled.map((_, index) =>
    connection.call('hang').response.then(
      () => (settled[index] = (settled[index] ?? 0) + 1),
      (error: { readonly code: string }) => {
        settled[index] = (settled[index] ?? 0) + 1;
        codes.push(error.code);
      },
    ),
  );
  return { settled, codes, all: Promise.all(all) };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('a worker process that ends with requests open', () => {
  it.each([
    ['exits 0', 'exit', { code: 0 }, { code: 0, signal: null }],
    ['exits 3', 'exit', { code: 3 }, { code: 3, signal: null }],
    ['is killed', 'kill', undefined, { code: null, signal: 'SIGKILL' }],
    ['closes its channel and lives on', 'closeChannel', undefined, { code: null, signal: 'SIGTERM' }],
  ])('settles each of them once when it %s', async (_, method, params, exit) => {
    await using child = startChild();
    expect(await child.connection.request('echo', 1)).toBe(1);
    const open = openRequests(child.connection);
    await expect(child.connection.request(method, params)).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      reason: 'ended',
      method,
    });
    await open.all;
    // Ends the one that lives on.
    child.process.kill('SIGTERM');
    expect(await child.exited).toEqual(exit);
    await turn();
    expect(open.settled).toEqual([1, 1, 1]);
    expect(open.codes).toEqual(Array.from({ length: 3 }, () => 'CONNECTION_CLOSED'));
    await expect(child.connection.notify('late')).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(child.connection.openRequests).toBe(0);
  });

  it('settles each of them once when it sends garbage first, and reports the garbage', async () => {
    await using child = startChild();
    const open = openRequests(child.connection);
    await expect(child.connection.request('garbageThenExit')).rejects.toMatchObject({ reason: 'ended' });
    await open.all;
    expect(open.settled).toEqual([1, 1, 1]);
    expect(child.events.events.map(({ payload }) => payload)).toMatchObject([
      { reason: 'not valid UTF-8', preview: String.raw`\xff\u0000` },
      { reason: 'not JSON', preview: 'print' },
      { id: 77 },
      { reason: 'not ended by a newline' },
    ]);
  });

  it('rejects a send that nobody will take, also when a grandchild holds the pipe open', async () => {
    await using child = startChild();
    const grandchild = new Promise<number>((resolve) => {
      child.connection.onNotification('grandchild', (params) => resolve((params as { pid: number }).pid));
    });
    const left = child.connection.request('leaveGrandchild');
    left.catch(() => undefined);
    const pid = await grandchild;
    try {
      // More than the pipe holds: it waits for a reader.
      const waiting = child.connection.notify('load', { data: 'x'.repeat(10_000_000) });
      await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      await expect(left).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it('leaves no process, handle or listener behind', async () => {
    const leaks = createLeakCheck();
    {
      await using child = startChild();
      await expect(child.connection.request('exit', { code: 0 })).rejects.toThrow('the far side ended it');
    }
    await leaks.assertNoLeak();
  });
});

describe('a worker process', () => {
  it('ends when its host closes the connection, by itself', async () => {
    await using child = startChild();
    const open = openRequests(child.connection);
    await child.connection.close();
    await open.all;
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('is told a result over the limit by its size', async () => {
    await using child = startChild({ maxMessageBytes: 100_000 });
    // The worker's own limit is higher, as that of one that does not read `welcome`.
    await expect(child.connection.request('bigThenExit', { bytes: 200_000 })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      fields: { sizeBytes: 200_036, maxMessageBytes: 100_000 },
    });
  });

  it('loses no answer to a print without a newline on a channel it shares', async () => {
    await using child = startChild({ channel: 'stdout' });
    expect(await child.connection.request('printThenAnswer')).toBe('whole');
    expect(child.events.events.map(({ payload }) => payload)).toMatchObject([{ preview: 'no newline here' }]);
  });
});
