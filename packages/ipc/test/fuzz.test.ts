import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createConnection, createFrameDecoder } from '@pawl/ipc';
import { describe, expect, it } from 'vitest';
import { runFuzzCli } from '../fuzz/cli.ts';
import type { Target } from '../fuzz/target.ts';
import { framingTargets } from '../fuzz/targets/framing.ts';
import { peerTargets } from '../fuzz/targets/peer.ts';

/** Decodes each chunk by itself, which tears a character whose bytes come in two. */
const tearing = framingTargets((options) => {
  const decoder = createFrameDecoder(options);
  return {
    push: (chunk) => decoder.push(Buffer.from(Buffer.from(chunk).toString('utf8'))),
    end: () => decoder.end(),
    get pendingBytes() {
      return decoder.pendingBytes;
    },
    maxMessageBytes: options.maxMessageBytes,
  };
});

/** Waits for ever where there is a time limit. */
const patient = peerTargets((transport, options) => {
  const connection = createConnection(transport, options);
  return {
    ...connection,
    request: (method, params, { timeoutMs, ...how } = {}) =>
      connection.request(method, params, timeoutMs === undefined || timeoutMs > 20 ? { ...how } : how),
  };
});

async function fuzz(targets: readonly Target[], ...args: readonly string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runFuzzCli(args, {
    newSeed: () => 42,
    now: () => performance.now(),
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    targets,
  });
  return { exitCode, out, err };
}

describe('the fuzzer', () => {
  it.each([
    ['framing.round-trip', tearing],
    ['connection.peer', patient],
  ])(
    'finds a planted fault in %s, makes it small and replays it',
    { timeout: 60_000 },
    async (name, planted) => {
      const found = await fuzz(planted, '--seconds', '30', '--target', name);
      expect(found.exitCode).toBe(1);
      expect(found.out[0]).toBe('seed 42');
      expect(found.out[1]).toMatch(new RegExp(`^${name} failed`));
      const input = found.out[3] ?? '';
      expect(input.length).toBeLessThan(300);

      const [, command, ...args] = /(?<command>.* -- )(?<args>.*)/.exec(found.out.at(-1) ?? '') ?? [];
      expect(command).toBe('npm run fuzz -w @pawl/ipc -- ');
      const replayed = await fuzz(planted, ...(args[0] ?? '').split(' '));
      expect(replayed.exitCode).toBe(1);
      expect(replayed.out[2]).toMatch(/^after 1 runs/);
      expect(replayed.out[3]).toBe(input);

      // The seed alone finds the same, from the start.
      const again = await fuzz(planted, '--seconds', '30', '--target', name, '--seed', '42');
      expect(again.out).toEqual(found.out);
    },
  );

  it('counts what it did when nothing failed', async () => {
    const { exitCode, out } = await fuzz(framingTargets(), '--seconds', '1', '--target', 'framing');
    expect(exitCode).toBe(0);
    expect(out).toHaveLength(5);
    for (const line of out.slice(1))
      expect(line).toMatch(/^framing\.[\w-]+ +[1-9]\d* runs {2}[1-9]\d* a second$/);
  });

  it.each([['--target', 'nope'], ['--seed', 'x'], ['--seconds', ''], ['--nope'], ['stray']])(
    'refuses %s %s',
    async (...args) => {
      const { exitCode, out, err } = await fuzz(framingTargets(), ...args.filter((arg) => arg !== undefined));
      expect([exitCode, out]).toEqual([64, []]);
      expect(err.join()).toContain('Usage: npm run fuzz');
    },
  );

  it('runs as a command, from the sources', { timeout: 60_000 }, () => {
    const fuzzer = fileURLToPath(new URL('../fuzz/fuzz.mjs', import.meta.url));
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, [fuzzer, ...args], { encoding: 'utf8' });
    const { status, stdout } = run('--seconds', '1', '--target', 'codec');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^seed \d+\ncodec\.values +\d+ runs/);
    expect(run('--list').stdout).toContain('connection.peer\t');
  });
});
