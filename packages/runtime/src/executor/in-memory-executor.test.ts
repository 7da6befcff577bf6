import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createInMemoryExecutor, type InMemoryExecutorOptions } from './in-memory-executor.ts';

describe('an executor in memory', () => {
  it('takes its time from the clock', async () => {
    const clock = createManualClock();
    const aborted: unknown[] = [];
    const executor = createInMemoryExecutor({
      clock,
      tasks: {
        late: (_input, { signal, deadline }) =>
          new Promise(() => {
            aborted.push(deadline - clock.now());
            signal.addEventListener('abort', () => aborted.push((signal.reason as Error).name));
          }),
      },
    });
    const outcome = executor.execute('late', null, { attemptTimeoutMs: 3_600_000 });
    await clock.advance(3_600_000);
    expect(await outcome).toMatchObject({
      status: 'timed-out',
      error: { code: 'RUN_TIMEOUT', timeoutMs: 3_600_000 },
      durationMs: 3_600_000,
    });
    expect(aborted).toEqual([3_600_000, 'RunTimeoutError']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives a task and its caller copies, as a wire does', async () => {
    const kept: unknown[] = [];
    const keep = (input: unknown): unknown => {
      kept.push(input);
      return kept;
    };
    const executor = createInMemoryExecutor({ tasks: { keep } });
    const input = { at: new URL('https://example.org/'), list: [1] };
    const outcome = await executor.execute('keep', input);
    expect(kept).toEqual([{ at: 'https://example.org/', list: [1] }]);
    expect(outcome).toMatchObject({ value: kept });
    expect(outcome.status === 'succeeded' && outcome.value).not.toBe(kept);
    expect(await executor.execute('keep', { at: new Date(0) })).toMatchObject({
      status: 'failed',
      error: { code: 'NOT_SERIALIZABLE', path: 'params.input.at' },
    });
  });

  it('has a task that waits for a slow reader', async () => {
    let sent = 0;
    const executor = createInMemoryExecutor({
      tasks: {
        *count() {
          for (;;) yield (sent += 1);
        },
      },
    });
    for await (const chunk of executor.stream('count', null, { buffer: 4 })) {
      expect(sent - (chunk as number)).toBeLessThanOrEqual(8);
      if (chunk === 100) break;
    }
    expect(sent).toBeLessThan(110);
  });

  it.each([
    [{}, /`tasks` to be an object/],
    [{ tasks: { a: 5 } }, /Task `a` must be a function/],
    [{ tasks: {}, pools: {} }, /Unknown option `pools` of createInMemoryExecutor/],
    [{ tasks: {}, timeout: 5 }, /did you mean `timeoutMs`/],
  ])('refuses %j', (options, message) => {
    expect(() => createInMemoryExecutor(options as InMemoryExecutorOptions)).toThrow(message);
  });
});
