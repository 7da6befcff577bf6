import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  attemptLogId,
  createMemoryRunStore,
  createOutputLogs,
  createRunTracker,
  moduleTask,
} from '../src/index.ts';
import type { RunTrackerOptions } from '../src/index.ts';
import { endAtLast, isAlive } from './setup-processes.ts';
import { setupScripts } from './setup-scripts.ts';

const FAMILY = fileURLToPath(new URL('fixtures/family.sh', import.meta.url));

function setup(options: Partial<RunTrackerOptions> = {}) {
  const { script, folder } = setupScripts();
  const logFolder = mkdtempSync(join(tmpdir(), 'pawl-logs-'));
  const logs = createOutputLogs({ folder: logFolder });
  const tracker = createRunTracker({
    store: createMemoryRunStore(),
    killGraceMs: 200,
    ...options,
    tasks: { module: moduleTask({ logs }) },
  });
  onTestFinished(async () => {
    await tracker.stop({ graceMs: 0 });
    rmSync(logFolder, { recursive: true, force: true });
  });
  /** It is made a moment after the attempt has started. */
  const logOf = (id: string) => vi.waitFor(() => logs.open(id), { timeout: 10_000 });
  return { script, folder, logs, logOf, tracker };
}

describe('a script as a tracked run', () => {
  it('is answered with an id, and found with its result and its output', async () => {
    const { script, tracker, logs } = setup();
    const path = script('job.py', 'import sys\nfor i in range(30): print("row", i, *sys.argv[1:])');
    const { id, state } = await tracker.start({ task: 'module', input: { scriptPath: path, args: ['ü'] } });
    expect([id.startsWith('run_'), state]).toEqual([true, 'queued']);
    const run = await tracker.wait(id);
    expect(run).toMatchObject({ state: 'succeeded', result: { exitCode: 0, logId: id } });
    const { lastLines } = run.result as { readonly lastLines: readonly string[] };
    expect([lastLines.length, lastLines.at(-1)]).toEqual([20, 'row 29 ü']);
    const log = await logs.open(id);
    expect((await log.tail()).length).toBe(30);
  });

  it('fails with its last error lines, and is tried again with a log of its own', async () => {
    const { script, tracker, logs } = setup({ retry: { maxAttempts: 2, backoff: () => 0 } });
    const path = script('job.sh', 'echo working; echo "no such table" >&2; exit 3');
    const { id } = await tracker.start({ task: 'module', input: { scriptPath: path } });
    const run = await tracker.wait(id);
    expect(run).toMatchObject({
      state: 'failed',
      error: {
        code: 'MODULE_FAILED',
        message: `The script ${path} exited with code 3: no such table.`,
        details: { scriptPath: path, exitCode: 3, signal: null },
      },
    });
    expect(run.attempts).toHaveLength(2);
    expect((await logs.list()).map(({ id: log }) => log).toSorted()).toEqual([id, `${id}.attempt-2`]);
  });

  it('has a log of its own for what is tried again after a stop, which costs no attempt', async () => {
    const store = createMemoryRunStore();
    const first = setup({ store });
    const path = first.script(
      'job.sh',
      // It leaves its mark before it says that it has begun: then it may be ended.
      '[ -e "$0.again" ] && again=yes; touch "$0.again"; echo begun; [ -n "$again" ] || sleep 600',
    );
    const { id } = await first.tracker.start({ task: 'module', input: { scriptPath: path } });
    for await (const event of (await first.logOf(id)).follow()) if (event.type === 'entry') break;
    await first.tracker.stop({ graceMs: 0 });
    const second = setup({ store });
    const run = await second.tracker.wait(id);
    expect(run.attempts.map(({ number, fence }) => [number, fence])).toEqual([
      [1, 1],
      [1, 2],
    ]);
    const log = await second.logs.open(attemptLogId(id, 2));
    expect((await log.tail()).map(({ text }) => text)).toEqual(['begun']);
  });

  it('fails when there is no such script', async () => {
    const { tracker, folder } = setup();
    const { id } = await tracker.start({ task: 'module', input: { scriptPath: join(folder, 'missing.py') } });
    expect(await tracker.wait(id)).toMatchObject({ state: 'failed', error: { code: 'SCRIPT_NOT_FOUND' } });
  });

  it('fails with the message of the error that a Node script did not catch', async () => {
    const { tracker, script } = setup();
    const path = script('throws.mjs', 'console.error("one"); throw new TypeError("no table");');
    const { id } = await tracker.start({ task: 'module', input: { scriptPath: path } });
    expect((await tracker.wait(id)).error?.message).toBe(
      `The script ${path} exited with code 1: TypeError: no table.`,
    );
  });

  it('is really ended when it is cancelled', async () => {
    const { tracker, logOf } = setup();
    const { id } = await tracker.start({ task: 'module', input: { scriptPath: FAMILY, args: ['stubborn'] } });
    const pids: number[] = [];
    const log = await logOf(id);
    for await (const event of log.follow()) {
      if (event.type !== 'entry') continue;
      const pid = Number(event.text.split(' ')[1]);
      endAtLast(pid);
      if (pids.push(pid) === 3) break;
    }
    expect(pids.filter(isAlive)).toHaveLength(3);
    expect(await tracker.cancel(id)).toMatchObject({ state: 'cancelled' });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(log.isComplete).toBe(true);
  });
});
