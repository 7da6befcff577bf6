import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { makeFolder, NO_PROC, NO_PYTHON, processesWith } from './processes.ts';

const DEMO = fileURLToPath(new URL('../../../examples/demo.mjs', import.meta.url));

it.skipIf(NO_PROC)(`npm run demo shows what can happen to a run, and leaves nothing${NO_PROC}`, async () => {
  // Passed on to every process that the demo starts.
  const folder = makeFolder();
  onTestFinished(folder.remove);
  const child = spawn(process.execPath, [DEMO], {
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  expect(output.stderr).toBe('');

  const lines = output.stdout.split('\n');
  const counted = /(\d+) words, counted by process (\d+)$/;
  const expected = [
    /^a Node task +succeeded after \d+ ms: 25 words, counted by process \d+$/,
    NO_PYTHON === ''
      ? /^a Python task +succeeded after \d+ ms: mean 3\.875, deviation 2\.748; 8 progress reports on the way$/
      : /^a Python task +skipped: Can't use `python3` as Python/,
    /^a crash +lost after \d+ ms: its worker exited with code 3 and said "the disk is on fire"$/,
    /^a timeout +timed-out after \d{4,} ms: and so did its grandchild, process \d+$/,
    /^computed +succeeded after \d+ ms: 4 words, counted by process \d+$/,
    /^cached +taken from the cache: 4 words, counted by process \d+$/,
    /^retried +succeeded after \d+ ms \(3 attempts\): worked at attempt 3$/,
    /^$/,
    /^\d+ processes were started, 0 are left\.$/,
    /^$/,
  ];
  expect(lines).toEqual(expected.map((line) => expect.stringMatching(line)));
  // The same process as the one that computed it: nobody counted again.
  expect(counted.exec(lines[5] ?? '')?.[0]).toBe(counted.exec(lines[4] ?? '')?.[0]);
  expect(code).toBe(0);
  expect(processesWith(folder.path)).toEqual([]);
});
