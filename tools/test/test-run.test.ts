import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const nested = fileURLToPath(new URL('./fixtures/nested', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

/** Runs the fixture files of those names in a test run of their own. */
async function testRun(...names: string[]): Promise<{ code: number | null; output: string; last: string }> {
  const outer = /^(VITEST|TEST|NODE_OPTIONS|NODE_V8_COVERAGE|FORCE_COLOR)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outer.test(name)));
  const files = names.map((name) => `${name}.fixture.ts`);
  const child = spawn(process.execPath, [vitest, 'run', '--root', nested, ...files], {
    cwd: nested,
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stderr.on('data', (data) => (output += String(data)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, output, last: output.trimEnd().split('\n').at(-1) ?? '' };
}

describe('the closing line', { timeout: 30_000 }, () => {
  it('counts what passed', async () => {
    const { code, last } = await testRun('passing');
    expect([code, last]).toEqual([0, '2 passed, 0 failed']);
  });

  it('counts what failed, across files', async () => {
    const { code, last } = await testRun('passing', 'failing');
    expect([code, last]).toEqual([1, '3 passed, 1 failed']);
  });

  it('names what was skipped', async () => {
    const { code, output, last } = await testRun('skipped');
    expect([code, last]).toEqual([0, '1 passed, 0 failed, 1 skipped']);
    expect(output).toContain('skipped: nested: on another platform > forks\n');
  });

  it('counts a file that breaks at its import, and a rejection that nobody handles', async () => {
    const { code, last } = await testRun('throws', 'rejects');
    expect([code, last]).toEqual([1, '1 passed, 2 failed']);
  });

  it('is no success when nothing was run', async () => {
    const { code, last } = await testRun('no-such-file');
    expect([code, last]).toEqual([1, '0 passed, 1 failed']);
  });
});

describe.runIf(process.platform === 'linux')('the search for orphans', { timeout: 30_000 }, () => {
  it('fails a run that leaves a process behind, names it, and kills it', async () => {
    const { code, output, last } = await testRun('orphan');
    expect([code, last]).toEqual([1, '1 passed, 1 failed']);
    expect(output).toMatch(/The tests left 1 process\(es\) behind:\n.*planted-orphan/);
    expect(livingOrphans()).toEqual([]);
  });
});

/** A killed process may stay as a zombie where nobody reaps it; it is dead all the same. */
function livingOrphans(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('planted-orphan')) return false;
      return !/\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  });
}
