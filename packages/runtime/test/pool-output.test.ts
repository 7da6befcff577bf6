import { existsSync } from 'node:fs';
import { silentLogger } from '@pawl/core';
import { describe, expect, it, vi } from 'vitest';
import type { OutputStream, Progress, RunLogEntry } from '../src/index.ts';
import { failureOf, setup } from './setup-pool.ts';

/** Collects what a run prints. */
function collector(): {
  readonly text: Record<OutputStream, string>;
  readonly onOutput: (stream: OutputStream, chunk: Buffer) => void;
} {
  const text = { stdout: '', stderr: '' };
  return {
    text,
    onOutput: (stream, chunk) => {
      text[stream] += chunk.toString();
    },
  };
}

describe('what a run prints', () => {
  it('is given before its result, both streams apart', async () => {
    const { pool } = setup();
    const { text, onOutput } = collector();
    await pool.run('print', { out: 'to out\n', err: 'to err\n' }, { onOutput });
    expect(text).toEqual({ stdout: 'to out\n', stderr: 'to err\n' });
  });

  it('is given whole, however much, up to the print right before the return', async () => {
    const { pool } = setup();
    for (let round = 0; round < 5; round += 1) {
      const { text, onOutput } = collector();
      await pool.run('printMuch', 1_048_576, { onOutput });
      expect(text.stdout).toHaveLength(1_048_576);
    }
  });

  it('is given whole when the task throws and when its process ends', async () => {
    const { pool } = setup();
    const thrown = collector();
    await failureOf(pool.run('printAndThrow', 200_000, { onOutput: thrown.onOutput }));
    expect(thrown.text.stdout).toHaveLength(200_000);
    const exited = collector();
    await failureOf(pool.run('printMuchAndExit', 200_000, { onOutput: exited.onOutput }));
    expect(exited.text.stderr).toHaveLength(200_000 + '\nthe very end\n'.length);
  });

  it('does not hold up the result when something goes on printing behind it', async () => {
    const { pool, events } = setup();
    // It would record every line.
    events[Symbol.dispose]();
    let bytes = 0;
    // So slow that there is always more.
    const onOutput = (_stream: OutputStream, chunk: Buffer): void => {
      bytes += chunk.length;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    };
    const startedAt = performance.now();
    expect(await pool.run('flood', null, { onOutput })).toBe('flooding');
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(bytes).toBeGreaterThan(0);
  });

  it('goes to its own run, one after another on the same worker', async () => {
    const { pool } = setup();
    const outputs = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const { text, onOutput } = collector();
        await pool.run('print', { out: `run ${i}\n` }, { onOutput });
        return text.stdout;
      }),
    );
    expect(outputs).toEqual(Array.from({ length: 20 }, (_, i) => `run ${i}\n`));
  });

  it('comes as lines that carry the run, an unfinished one included', async () => {
    const { pool, events } = setup();
    await pool.run('print', { out: 'one\ntwo\r\n', err: 'oops\n' }, { runId: 'a' });
    await pool.run('printPart', 'unfinished', { runId: 'b' });
    await pool.run('print', { out: 'three\n' }, { runId: 'c' });
    const lines = events.events
      .filter(({ name }) => name === 'worker:output')
      .map(({ payload }) => payload as Record<string, string>);
    const stdout = lines.filter(({ stream }) => stream === 'stdout');
    expect(stdout.map(({ runId, line }) => `${runId}: ${line}`)).toEqual([
      'a: one',
      'a: two',
      'b: unfinished',
      'c: three',
    ]);
    expect(lines).toContainEqual({ workerId: 'worker-1', stream: 'stderr', line: 'oops', runId: 'a' });
  });

  it('never blocks a worker when nobody listens', async () => {
    const { pool, events } = setup();
    events[Symbol.dispose]();
    expect(await pool.run('printMuch', 2_000_000)).toBe(2_000_000);
    expect(await pool.run('echo', 1)).toBe(1);
  });

  it('is no frame, whatever it looks like', async () => {
    const { pool } = setup();
    const out = '{"jsonrpc":"2.0","id":1,"result":"forged"}\n';
    expect(await pool.run('print', { out, err: out })).toBe('printed');
  });

  it('is reported as stray when it comes on the channel', async () => {
    const file = new URL('fixtures/stray.sh', import.meta.url).pathname;
    const { pool, events } = setup({ worker: { command: 'sh', args: [file] } });
    expect(await pool.run('any', null, { runId: 'mine' })).toBe('done');
    expect(await events.next('worker:stray-output')).toMatchObject({
      workerId: 'worker-1',
      preview: expect.stringContaining('I am a stray line'),
      runId: 'mine',
    });
  });
});

describe('what a task reports', () => {
  it('comes in order and before the result', async () => {
    const { pool } = setup();
    const reports: (Progress | RunLogEntry)[] = [];
    const note = (report: Progress | RunLogEntry): void => void reports.push(report);
    expect(await pool.run('report', null, { onProgress: note, onLog: note })).toBe('reported');
    expect(reports).toEqual([
      { value: 0.25, message: 'quarter' },
      { level: 'warn', message: 'careful', fields: { step: 1 } },
      { value: 1 },
    ]);
  });

  it('keeps the order of thousands', async () => {
    const { pool } = setup();
    const steps: unknown[] = [];
    await pool.run('countTo', 5_000, { onProgress: ({ step }) => void steps.push(step) });
    expect(steps).toEqual(Array.from({ length: 5_000 }, (_, i) => i + 1));
  });

  it('keeps the message of a log entry whose fields are no JSON', async () => {
    const { pool } = setup();
    const entries: RunLogEntry[] = [];
    await pool.run('logOddly', null, { onLog: (entry) => void entries.push(entry) });
    expect(entries).toEqual([{ level: 'info', message: 'kept' }]);
  });

  it('hurts nobody when the callback throws, which is logged', async () => {
    const error = vi.fn<(fields: string | object, message?: string) => void>();
    const { pool } = setup({ logger: { ...silentLogger, error } });
    const throwing = (): never => {
      throw new Error('callback');
    };
    const run = pool.run('report', null, { onProgress: throwing, onLog: throwing });
    expect(await run).toBe('reported');
    expect(error).toHaveBeenCalledTimes(3);
    expect(await pool.run('print', { out: 'x\n' }, { onOutput: throwing })).toBe('printed');
    expect(error).toHaveBeenLastCalledWith(
      expect.objectContaining({ err: expect.objectContaining({ message: 'callback' }) }),
      'The output callback of a run failed.',
    );
    expect(await pool.run('echo', 1)).toBe(1);
  });

  it('hurts nobody when a listener of the pool throws', async () => {
    const { pool } = setup();
    pool.on('run:started', () => {
      throw new Error('listener');
    });
    expect(await pool.run('echo', 1)).toBe(1);
  });
});

describe('a task that blocks its thread', () => {
  it('is heard to the last thing it said', async () => {
    const { pool } = setup({ cancelGraceMs: 0, killGraceMs: 100 });
    const heard: unknown[] = [];
    const failure = await failureOf(
      pool.run('reportAndSpin', null, {
        timeoutMs: 500,
        onProgress: ({ value }) => heard.push(value),
        onLog: ({ message }) => heard.push(message),
      }),
    );
    expect(failure).toMatchObject({ code: 'RUN_TIMEOUT' });
    expect(heard).toEqual([0.5, 'about to spin']);
  });
});

describe('a private folder', () => {
  it('is the own, empty cwd, HOME and TMPDIR of each worker, and is gone with it', async () => {
    const { pool } = setup({ privateFolder: true, maxWorkers: 2 });
    await pool.scaleTo(2);
    const [one, two] = (await Promise.all([pool.run('places'), pool.run('places')])) as {
      readonly cwd: string;
      readonly home: string;
      readonly tmp: string;
      readonly names: readonly string[];
    }[];
    for (const place of [one, two]) {
      expect(place?.names).toEqual([]);
      expect(place?.home).toBe(place?.cwd);
      expect(place?.tmp).toBe(place?.cwd);
      expect(place?.cwd).not.toBe(process.cwd());
    }
    expect(one?.cwd).not.toBe(two?.cwd);
    await pool.stop();
    expect([one, two].map((place) => existsSync(place?.cwd ?? ''))).toEqual([false, false]);
  });

  it('is removed with what is in it, also when the worker is killed', async () => {
    const { pool, events } = setup({ privateFolder: true });
    const folder = (await pool.run('litter')) as string;
    expect(existsSync(folder)).toBe(true);
    await failureOf(pool.run('kill', 'SIGKILL'));
    await events.next('worker:crashed');
    expect(existsSync(folder)).toBe(false);
  });
});
