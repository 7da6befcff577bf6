import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { type Child, startChild } from './child.ts';

const at = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const hasPython = spawnSync('python3', ['--version']).status === 0;
const PYTHON = ['python3', '-I', '-S', at('raw_worker.py')] as const;
const NODE = [process.execPath, at('raw_worker.mjs')] as const;
const ROUNDS = 20;

const PRINTS = [
  "a user's print",
  'a native write',
  'a grandchild',
  'and no newline',
  'unterminated, right before a result',
];

/** Asks for prints of all kinds, each right before a result, and for results between them. */
async function makeNoise({ connection }: Child, forge: boolean): Promise<readonly unknown[]> {
  const requests: Promise<unknown>[] = [];
  for (let n = 0; n < ROUNDS; n += 1) {
    requests.push(connection.request('noise', { forge }), connection.request('echo', n));
  }
  return Promise.all(requests);
}

const expected = Array.from({ length: ROUNDS }, (_, n) => ['genuine', n]).flat();
const count = (text: string, part: string): number => text.split(part).length - 1;

describe.each([
  ['Node', NODE, true],
  ['Python', PYTHON, hasPython],
] as const)('a raw worker in %s', (_, command, canRun) => {
  it.skipIf(!canRun)('loses and invents no message on fd3, whatever is printed', async () => {
    await using child = startChild({ command, channel: 'fd3', keepsPrints: true });
    expect(await makeNoise(child, true)).toEqual(expected);
    // A forged answer is a print like others.
    expect(child.events.events).toEqual([]);
    await vi.waitUntil(() => count(child.printed.stdout, PRINTS[4] ?? '') === ROUNDS);
    for (const print of [...PRINTS, 'forged']) expect(count(child.printed.stdout, print), print).toBe(ROUNDS);
  });

  it.skipIf(!canRun)('loses no message on a stdout that everybody prints to', async () => {
    await using child = startChild({ command, channel: 'stdout' });
    expect(await makeNoise(child, false)).toEqual(expected);
    const previews = child.events.events.map(
      ({ payload }) => (payload as { readonly preview: string }).preview,
    );
    expect(previews).toHaveLength(PRINTS.length * ROUNDS);
    for (const print of PRINTS) expect(previews.filter((preview) => preview === print)).toHaveLength(ROUNDS);
  });

  it.skipIf(!canRun)(
    'has a print that is a frame taken for one on a stdout that everybody prints to',
    async () => {
      await using child = startChild({ command, channel: 'stdout' });
      expect(await child.connection.request('noise', { forge: true })).toBe('forged');
      // The genuine answer comes to a request that is no longer open; the next one is not touched.
      expect(await child.events.next('protocol:unknown-response')).toEqual({ id: 1 });
      expect(await child.connection.request('echo', 'next')).toBe('next');
    },
  );
});

describe.skipIf(!hasPython)('a worker that keeps stdout for its frames', () => {
  it('loses and invents no message either, and what is printed comes over stderr', async () => {
    const command = [...PYTHON, '--guard'] as const;
    await using child = startChild({ command, channel: 'stdout', keepsPrints: true });
    expect(await makeNoise(child, true)).toEqual(expected);
    expect(child.events.events).toEqual([]);
    await vi.waitUntil(() => count(child.printed.stderr, PRINTS[4] ?? '') === ROUNDS);
    for (const print of [...PRINTS, 'forged']) expect(count(child.printed.stderr, print), print).toBe(ROUNDS);
  });
});

describe.skipIf(!hasPython)('a flood of prints', () => {
  const LINES = 5_000;

  it.each(['fd3', 'stdout'] as const)(
    'from a worker and its grandchild at the same time costs no message on %s',
    { timeout: 60_000 },
    async (channel) => {
      await using child = startChild({ command: PYTHON, channel });
      const { connection } = child;
      const flood = connection.request('chatter', LINES);
      const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => connection.request('echo', n)));
      expect(answers).toEqual(Array.from(answers.keys()));
      expect(await flood).toBe(LINES);
      // On fd3 the prints go elsewhere; on stdout each line of each writer is reported whole.
      expect(child.events.count('protocol:malformed')).toBe(channel === 'fd3' ? 0 : 2 * LINES);
      expect(child.events.count('protocol:unknown-response')).toBe(0);
    },
  );
});
