import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ExecutionResult } from '../src/index.ts';
import { resolveRunnerOptions } from '../src/runner-options.ts';
import { bubblewrapSandbox } from '../src/sandbox/bubblewrap.ts';
import { noSandbox } from '../src/sandbox/none.ts';
import { openSandbox, type OpenSandbox } from '../src/sandbox/selection.ts';

const NO_BUBBLEWRAP = bubblewrapSandbox('/nowhere/bwrap');

async function open(pythons: readonly string[]): Promise<OpenSandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-test-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const opened = await openSandbox({
    ...resolveRunnerOptions({ maxConcurrent: 1 }),
    sandboxes: [NO_BUBBLEWRAP, noSandbox],
    pythons,
    folder,
    // Without a sandbox nothing depends on what the probe finds.
    runIn: async () => ({ output: '', errors: null }) as ExecutionResult,
    signal: new AbortController().signal,
  });
  onTestFinished(async () => void (await opened.pool.stop({ graceMs: 0 })));
  return opened;
}

it('reports the interpreter in use, those that did not work with it, and the stronger sandboxes that work with none', async () => {
  const { report } = await open(['/nowhere/python3', 'python3']);
  expect(report).toMatchObject({ kind: 'none', tier: 0, python: expect.stringMatching(/^\/.*python/) });
  expect(report.python).not.toContain('nowhere');
  expect(report.rejectedPythons).toEqual([
    { python: '/nowhere/python3', reason: expect.stringContaining('/nowhere/python3') },
  ]);
  expect(report.rejected).toEqual([{ kind: 'bubblewrap', reason: expect.stringContaining('bwrap') }]);
});

it('rejects a sandbox once, with what each interpreter met', async () => {
  await expect(open(['/nowhere/python3', '/nowhere/too'])).rejects.toMatchObject({
    code: 'SANDBOX_UNAVAILABLE',
    rejected: [
      { kind: 'bubblewrap', reason: expect.stringContaining('bwrap') },
      {
        kind: 'none',
        reason: expect.stringMatching(/^with \/nowhere\/python3: .+ with \/nowhere\/too: .+/),
      },
    ],
  });
});
