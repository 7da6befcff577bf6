import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLeakCheck } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createConcurrentRunner } from '../src/patterns/concurrent.ts';

function setup() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'pawl-concurrent-')));
  const leaks = createLeakCheck();
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true });
    await leaks.assertNoLeak();
  });
  const script = (name: string, code: string): string => {
    const path = join(folder, name);
    writeFileSync(path, code);
    return path;
  };
  return { folder, script, runner: createConcurrentRunner({ maxConcurrent: 3 }) };
}

describe('a concurrent runner with real processes', () => {
  it('reads everything a script prints, however much', async () => {
    const { script, runner } = setup();
    const scriptPath = script(
      'chatty.mjs',
      'process.stdout.write("o".repeat(2_000_000)); process.stderr.write("e".repeat(400_000));',
    );
    const reports = await runner.runAll(Array.from({ length: 4 }, () => ({ scriptPath })));
    const lengths = reports.map(({ status, stdout, stderr }) => [status, stdout.length, stderr.length]);
    expect(lengths).toEqual(Array.from({ length: 4 }, () => ['succeeded', 2_000_000, 400_000]));
  });

  it('runs each in its own folder, and tells how it ended', async () => {
    const { folder, script, runner } = setup();
    const where = script('where.mjs', 'console.log(process.cwd(), process.argv[2], process.env.GREETING);');
    const fails = script('fails.mjs', 'console.error("no such table"); process.exit(3);');
    const throws = script('throws.mjs', 'throw new TypeError("no table");');
    const sleeps = script('sleeps.mjs', 'console.log("asleep"); setTimeout(() => {}, 60_000);');
    const reports = await runner.runAll([
      { scriptPath: where, args: ['ünï'], cwd: folder, env: { GREETING: 'hello' } },
      { scriptPath: fails },
      { scriptPath: throws },
      { scriptPath: sleeps, timeoutMs: 500 },
    ]);
    expect(reports.map(({ status, reason, stdout }) => [status, reason, stdout])).toEqual([
      ['succeeded', undefined, `${folder} ünï hello\n`],
      ['failed', 'Exited with code 3: no such table', ''],
      ['failed', 'Exited with code 1: TypeError: no table', ''],
      ['timed-out', `The script ${sleeps} timed out after 500 ms.`, 'asleep\n'],
    ]);
  });

  it('ends what runs when it is cancelled', async () => {
    const { script, runner } = setup();
    const scriptPath = script('sleeps.mjs', 'setTimeout(() => {}, 60_000);');
    const quick = script('quick.mjs', '');
    const controller = new AbortController();
    const reports = await runner.runAll(
      [{ scriptPath: quick }, ...Array.from({ length: 4 }, () => ({ scriptPath }))],
      { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) },
    );
    expect(reports.map(({ status }) => status)).toEqual([
      'succeeded',
      ...Array.from({ length: 4 }, () => 'cancelled'),
    ]);
  });
});
