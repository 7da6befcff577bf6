import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { acceptWorker, createFrameDecoder, type Message } from '@pawl/ipc';
import { startChild } from './child.ts';

const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text]) => text ?? '');

const [source = ''] = blocks('python');
const exchange = blocks('text').flatMap((text) => text.trim().split('\n'));
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Only what differs from one process to the next is made the same. */
const settled = (message: unknown): unknown =>
  JSON.parse(
    JSON.stringify(message, (key, value: unknown) =>
      key === 'pid' || key === 'stack' ? typeof value : value,
    ),
  );

it('shows the short worker of the examples, word for word', () => {
  const file = new URL('../../../examples/workers/short_worker.py', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(source);
});

describe.skipIf(!hasPython)('docs/protocol.md', () => {
  it.each(['fd3', 'stdout'] as const)(
    'shows the very exchange that its Python worker has over %s',
    (channel) => {
      const said = (who: string): readonly string[] =>
        exchange.filter((line) => line.startsWith(who)).map((line) => line.slice(line.indexOf('{')));
      // The worker's output lands in a file descriptor that the shell gives it, so that one call can run it whole.
      const command = channel === 'fd3' ? 'exec python3 -c "$0" 3>&1 >&2' : 'exec python3 -c "$0"';
      const { stdout, status } = spawnSync('sh', ['-c', command, source], {
        env: { ...process.env, PAWL_CHANNEL: channel },
        input: said('host')
          .map((line) => `${line}\n`)
          .join(''),
      });
      const frames = createFrameDecoder().push(stdout);
      expect(frames.map(settled)).toEqual(said('worker').map((line) => settled(JSON.parse(line) as Message)));
      expect(status).toBe(0);
    },
  );

  it.each(['fd3', 'stdout'] as const)('shows a worker that a host can work with over %s', async (channel) => {
    await using child = startChild({ channel, command: ['python3', '-c', source] });
    const { connection, exited } = child;
    const hello = await acceptWorker(connection, {
      workerId: 'w',
      heartbeatMs: 1_000,
      maxMessageBytes: 1_000_000,
    });
    expect(hello).toMatchObject({ name: 'divider', tasks: ['divide', 'echo'], pid: child.process.pid });
    expect(await connection.request('run', { task: 'divide', input: { a: 1, b: 4 } })).toBe(0.25);
    await expect(connection.request('run', { task: 'divide', input: { a: 1, b: 0 } })).rejects.toMatchObject({
      name: 'ZeroDivisionError',
      rpcCode: -32_000,
    });
    await expect(
      connection.request('run', { task: 'divide', input: { a: 1e300, b: 1e-300 } }),
    ).rejects.toMatchObject({
      rpcCode: -32_005,
    });
    await expect(connection.request('nope')).rejects.toMatchObject({ rpcCode: -32_601 });
    await connection.notify('shutdown', { graceMs: 1_000 });
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(child.events.events).toEqual([]);
  });

  it('names every error code and every method of the protocol', async () => {
    const { errorCodes } = await import('@pawl/ipc');
    for (const code of Object.values(errorCodes)) expect(page).toContain(`\`${code}\``);
  });
});
