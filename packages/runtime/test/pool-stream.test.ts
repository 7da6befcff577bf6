import { describe, expect, it } from 'vitest';
import { failureOf } from './setup-process.ts';
import { setup } from './setup-pool.ts';

const worker = new URL('fixtures/pool-tasks.mjs', import.meta.url);

/** Reads all of it. */
async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

describe('pool.stream', () => {
  it('gives the chunks in order, and what the task returns', async () => {
    const { pool } = setup({ worker });
    const stream = pool.stream('count', 1_000);
    const chunks = await collect(stream);
    expect(chunks).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(await stream.result).toBe(1_000);
    expect(pool.stats()).toMatchObject({ succeeded: 1 });
  });

  it('lets the task wait for a slow reader, and cancels it when the reader leaves', async () => {
    const { pool, events } = setup({ worker, minWorkers: 1, cancelGraceMs: 5_000 });
    const seen: unknown[] = [];
    const stream = pool.stream('count', 1_000_000, { buffer: 4 });
    for await (const chunk of stream) {
      seen.push(chunk);
      if (seen.length === 10) break;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await failureOf(stream.result)).toMatchObject({ code: 'CANCELLED' });
    expect(pool.stats()).toMatchObject({ cancelled: 1, running: 0 });
    // Ten were read, and four more may be on their way.
    const { line } = await events.next('worker:output', (output) => output.line.startsWith('stopped'));
    expect(Number(line.replace('stopped after ', ''))).toBeLessThanOrEqual(14);
  });

  it.each([
    ['what the task throws', 'countThenFail', { message: 'no more numbers' }],
    ['the death of the worker', 'countThenDie', { code: 'WORKER_CRASHED', signal: 'SIGKILL' }],
  ])('ends with %s, behind the chunks that came before', async (_what, task, error) => {
    const { pool } = setup({ worker });
    const seen: unknown[] = [];
    const stream = pool.stream(task, 5);
    const reading = (async () => {
      for await (const chunk of stream) seen.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject(error);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    expect(await failureOf(stream.result)).toMatchObject(error);
  });

  it('takes the options of a run', async () => {
    const { pool } = setup({ worker });
    const controller = new AbortController();
    const stream = pool.stream('count', 1_000_000, { signal: controller.signal });
    const reading = (async () => {
      for await (const chunk of stream) if (chunk === 5) controller.abort(new Error('by signal'));
    })();
    expect((await failureOf(reading)).message).toBe('by signal');
    expect(() => pool.stream('count', 1, { buffer: 0 })).toThrow(/`buffer` to be an integer ≥ 1/);
    expect(() => pool.stream('count', 1, { timeoutMs: -1 })).toThrow(/`timeoutMs`/);
  });

  it('begins when it is read, once', async () => {
    const { pool } = setup({ worker });
    const stream = pool.stream('count', 3);
    expect(pool.stats().submitted).toBe(0);
    expect(await collect(stream)).toEqual([0, 1, 2]);
    expect(await failureOf(collect(stream))).toMatchObject({ code: 'STREAM_READ_TWICE' });
  });
});

describe('pool.map', () => {
  it('gives the results in the order of the inputs', async () => {
    const { pool } = setup({ worker, maxWorkers: 2 });
    expect(await collect(pool.map('double', [1, 2, 3, 4, 5]))).toEqual([2, 4, 6, 8, 10]);
    expect(await collect(pool.map('double', []))).toEqual([]);
    expect(await collect(pool.map('double', new Set([7])))).toEqual([14]);
  });

  it('gives them as they come when asked to', async () => {
    const { pool } = setup({ worker, maxWorkers: 2 });
    await pool.scaleTo(2);
    const results = await collect(pool.map('sleep', [300, 5], { ordered: false }));
    expect(results).toEqual([5, 300]);
  });

  it('takes no more inputs than it may have under way, and stops taking when the reader leaves', async () => {
    const { pool } = setup({ worker });
    let taken = 0;
    let isClosed = false;
    async function* inputs(): AsyncGenerator<number> {
      try {
        for (;;) yield (taken += 1);
      } finally {
        isClosed = true;
      }
    }
    let read = 0;
    for await (const _ of pool.map('double', inputs(), { concurrency: 4 })) {
      read += 1;
      expect(taken - read).toBeLessThanOrEqual(4);
      if (read === 20) break;
    }
    expect(isClosed).toBe(true);
    expect(taken).toBeLessThanOrEqual(24);
  });

  it('ends at the first failure and cancels what is under way', async () => {
    const { pool } = setup({ worker, maxWorkers: 2 });
    await pool.scaleTo(2);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const result of pool.map('sleep', [1, 'no number', 60_000, 60_000])) seen.push(result);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(seen).toEqual([1]);
    expect(pool.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it('gives what its source throws at the place of the input', async () => {
    const { pool } = setup({ worker });
    function* inputs(): Generator<number> {
      yield 1;
      throw new Error('no more inputs');
    }
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const result of pool.map('double', inputs())) seen.push(result);
    })();
    expect((await failureOf(reading)).message).toBe('no more inputs');
    expect(seen).toEqual([2]);
  });

  it('refuses what it can not iterate, and wrong options', () => {
    const { pool } = setup({ worker });
    expect(() => pool.map('double', 7 as never)).toThrow(/`inputs` to be an iterable or async iterable/);
    expect(() => pool.map('double', [], { concurrency: 0 })).toThrow(/`concurrency` to be an integer ≥ 1/);
    expect(() => pool.map('double', [], { ordered: 'no' as never })).toThrow(/`ordered`/);
  });
});

describe('a worker without memory', () => {
  it('is suspected to have died of it', async () => {
    const { pool } = setup({ worker, execArgv: ['--max-old-space-size=30'] });
    const error = await failureOf(pool.run('exhaust'));
    expect(error).toMatchObject({ code: 'WORKER_CRASHED', isOutOfMemorySuspected: true });
    expect(error.message).toContain('probably out of memory, while it ran "exhaust"');
  });
});
