import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@pawl/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutputLogs } from '../src/output/output-logs.ts';
import type { OutputEvent } from '../src/output/output-entry.ts';
import type { OutputLog } from '../src/output/output-log.ts';
import { startModule } from '../src/patterns/long-running.ts';
import { endAtLast, isAlive } from './setup-processes.ts';
import { setupScripts } from './setup-scripts.ts';

const FAMILY = new URL('fixtures/family.sh', import.meta.url);

function setup() {
  const { script, folder } = setupScripts();
  const logFolder = mkdtempSync(join(tmpdir(), 'pawl-logs-'));
  onTestFinished(() => rmSync(logFolder, { recursive: true, force: true }));
  return { script, folder, logFolder, logs: createOutputLogs({ folder: logFolder }) };
}

async function textsOf(output: OutputLog): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const event of output.follow()) texts.push(event.type === 'entry' ? event.text : event.type);
  return texts;
}

describe('startModule', () => {
  it('answers at once, shows lines while they are printed, and tells the end', async () => {
    const { script, folder } = setup();
    const path = script(
      'job.py',
      'import os, sys, time\nprint("ready")\nwhile not os.path.exists("go"): time.sleep(0.01)\nprint("oops", file=sys.stderr)\nsys.exit(4)',
    );
    const run = startModule(path, [], { cwd: folder });
    expect(run.runId).toMatch(/^run_\d{8}_\d{6}_job_[0-9a-f]{8}$/);
    const follower = run.output.follow();
    expect(await follower.next()).toMatchObject({
      value: { text: 'ready', level: 'INFO', stream: 'stdout' },
    });
    script('go', '');
    expect(await follower.next()).toMatchObject({
      value: { text: 'oops', level: 'ERROR', stream: 'stderr' },
    });
    expect(await follower.next()).toMatchObject({ value: { type: 'complete' } });
    expect(await run.result).toMatchObject({ exitCode: 4, signal: null });
    expect(await textsOf(run.output)).toEqual(['ready', 'oops', 'complete']);
  });

  it('tells of a script that can not be started, and completes its log', async () => {
    const { folder } = setup();
    const run = startModule(join(folder, 'missing.py'));
    expect(await textsOf(run.output)).toEqual(['complete']);
    await expect(run.result).rejects.toMatchObject({ code: 'SCRIPT_NOT_FOUND' });
    await run.cancel();
  });

  it.each(['polite', 'stubborn'])(
    'is cancelled with all it started, and its last words are kept: %s',
    async (how) => {
      const run = startModule(FAMILY, [how]);
      const pids: number[] = [];
      for await (const event of run.output.follow()) {
        if (event.type !== 'entry') continue;
        const pid = Number(event.text.split(' ')[1]);
        endAtLast(pid);
        if (pids.push(pid) === 3) break;
      }
      await run.cancel({ graceMs: 200, reason: new Error('enough') });
      expect([pids.length, pids.filter(isAlive), run.output.isComplete]).toEqual([3, [], true]);
      await expect(run.result).rejects.toMatchObject({
        code: 'RUN_CANCELLED',
        cause: { message: 'enough' },
        end: { signal: how === 'polite' ? 'SIGTERM' : 'SIGKILL' },
      });
      expect((await run.output.tail()).length).toBe(3);
    },
  );

  it('is cancelled before it starts, and not after its end', async () => {
    const { script, folder } = setup();
    const early = startModule(script('touch.sh', 'touch started'), [], { cwd: folder });
    await early.cancel();
    await expect(early.result).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    const aborted = startModule(script('a.sh', ''), [], { signal: AbortSignal.abort() });
    await expect(aborted.result).rejects.toMatchObject({ code: 'RUN_CANCELLED', end: undefined });
    const late = startModule(script('ok.sh', 'echo ok'));
    expect(await late.result).toMatchObject({ exitCode: 0 });
    await late.cancel();
    expect(await late.result).toMatchObject({ exitCode: 0 });
  });

  it('is given back byte for byte, whatever was printed', async () => {
    const { script, logs } = setup();
    const bytes = 'bytes([i % 256 for i in range(200000)])';
    const path = script(
      'bytes.py',
      `import sys\nout, err = sys.stdout.buffer, sys.stderr.buffer\nfor i in range(20):\n  out.write(${bytes} + b"x" * i); err.write("é\\r\\n".encode() * i)\nout.write(b"no end")`,
    );
    const run = startModule(path, [], { logs });
    await run.result;
    const all = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 256));
    const expected = {
      stdout: Buffer.concat([
        ...Array.from({ length: 20 }, (_, i) => [all, Buffer.alloc(i, 'x')]).flat(),
        Buffer.from('no end'),
      ]),
      stderr: Buffer.from(Array.from({ length: 20 }, (_, i) => 'é\r\n'.repeat(i)).join('')),
    };
    for (const log of [run.output, await logs.open(run.runId)]) {
      for (const stream of ['stdout', 'stderr'] as const) {
        const hash = createHash('sha256');
        for await (const part of log.download(stream)) hash.update(part);
        expect(hash.digest('hex')).toBe(createHash('sha256').update(expected[stream]).digest('hex'));
      }
    }
  });

  it('is read in pieces, cut at any byte, that join to the file', async () => {
    const { script, logs, logFolder } = setup();
    const path = script(
      'count.mjs',
      'for (let i = 0; i < 20000; i += 1) console.log(`line ${i} ${"ü".repeat(i % 50)}`);',
    );
    const run = startModule(path, [], { logs });
    const random = seededRandom(7);
    const pieces: Buffer[] = [];
    let offset = 0;
    for (let cut = 0; cut < 20; cut += 1) {
      let left = 1 + Math.floor(random() * 60_000);
      for await (const bytes of run.output.read({ from: offset })) {
        const piece = bytes.subarray(0, left);
        pieces.push(piece);
        offset += piece.length;
        left -= piece.length;
        if (left === 0) break;
      }
    }
    for await (const bytes of run.output.read({ from: offset })) pieces.push(bytes);
    await run.result;
    expect(Buffer.concat(pieces).equals(readFileSync(join(logFolder, `${run.runId}.log`)))).toBe(true);
  });

  it('is followed with 20 interruptions, and no entry is lost or given twice', async () => {
    const { script, logs } = setup();
    const path = script('count.mjs', 'for (let i = 0; i < 20000; i += 1) console.log(i);');
    const run = startModule(path, [], { logs });
    const random = seededRandom(11);
    const seen: string[] = [];
    let from = 0;
    let last: OutputEvent['type'] | undefined;
    while (last !== 'complete') {
      let left = 1 + Math.floor(random() * 2_000);
      for await (const event of run.output.follow({ from })) {
        last = event.type;
        if (event.type === 'entry') seen.push(event.text);
        from = event.nextOffset;
        left -= 1;
        if (left === 0) break;
      }
    }
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index)));
  });

  it('costs nothing for a reader that hardly reads: neither the run, nor memory, nor the end', async () => {
    const { script, logs } = setup();
    const line = 'x'.repeat(99);
    const path = script('flood.sh', `yes ${line} | head -c 100000000`);
    // What this process takes for writing at all it takes here.
    await startModule(script('warm.sh', `yes ${line} | head -c 100000000`), [], { logs }).result;
    const before = process.memoryUsage.rss();
    const run = startModule(path, [], { logs });
    const follower = run.output.follow();
    await follower.next();
    // Asks no more while 100 MB are printed.
    expect(await run.result).toMatchObject({ exitCode: 0 });
    expect((process.memoryUsage.rss() - before) / 1_000_000).toBeLessThan(60);
    let entries = 1;
    let last: OutputEvent['type'] | undefined;
    for await (const event of follower) {
      last = event.type;
      if (event.type === 'entry' && event.text === line) entries += 1;
    }
    expect([entries, last]).toEqual([1_000_000, 'complete']);
  });

  it('has many logs in one folder', async () => {
    const { script, logs } = setup();
    const path = script('say.sh', 'echo "$1"');
    const runs = Array.from({ length: 10 }, (_, index) => startModule(path, [`number ${index}`], { logs }));
    await Promise.all(runs.map(({ result }) => result));
    expect((await logs.list()).map(({ id }) => id).toSorted()).toEqual(
      runs.map(({ runId }) => runId).toSorted(),
    );
    for (const [index, { runId }] of runs.entries()) {
      const log = await logs.open(runId);
      expect((await log.tail()).map(({ text }) => text)).toEqual([`number ${index}`]);
    }
  });

  it.each(['threaded', 'local', 'dry-run'] as const)('runs in the mode %s too', async (mode) => {
    const { script } = setup();
    const run = startModule(script('hi.mjs', 'console.log("hi"); console.error("warning: low");'), [], {
      mode,
    });
    expect(await run.result).toMatchObject({ exitCode: 0 });
    const texts = await textsOf(run.output);
    expect(texts.at(-1)).toBe('complete');
    expect(texts).toHaveLength(mode === 'dry-run' ? 2 : 3);
  });
});
