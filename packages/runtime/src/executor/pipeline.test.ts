import { createTaskCache } from '@pawl/caching';
import { createDeferred, hasCode } from '@pawl/core';
import { createEventMonitor, createManualClock } from '@pawl/core/testing';
import { circuitBreaker, fixedBackoff, hedge, retry } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAdmission } from '../scheduling/admission/admission.ts';
import { createExecutor, type ExecutorOptions, type RunAttempt } from './executor.ts';
import type { ExecutionOptions } from './execution-options.ts';
import type { ExecutionStage } from './outcome.ts';

const NO_MACHINE = { maxCpu: 1, minFreeMemoryBytes: 0 };
const BUSY = Object.assign(new Error('busy'), { code: 'BUSY' });
const never = (): Promise<never> => new Promise(() => undefined);

function setup(run: RunAttempt, options: Partial<ExecutorOptions> = {}) {
  const clock = createManualClock();
  const attempts: number[] = [];
  const executor = createExecutor({
    clock,
    run: (task, input, context) => {
      attempts.push(context.attempt);
      return run(task, input, context);
    },
    ...options,
  });
  const events = createEventMonitor(executor);
  onTestFinished(() => events[Symbol.dispose]());
  const names = (): readonly string[] => events.events.map(({ name }) => name);
  return { executor, clock, attempts, events, names };
}

/** An executor with a run that is in one stage, and stays there. */
const STUCK: Readonly<Record<Exclude<ExecutionStage, 'breaker'>, () => ReturnType<typeof setup>>> = {
  cache: () => {
    const cache = createTaskCache();
    // Another executor computes the same result.
    const other = setup(never, { cache });
    void other.executor.execute('t', 0, { deterministic: true, runId: 'first' });
    onTestFinished(() => void other.executor.cancel('first'));
    return setup(never, { cache });
  },
  admission: () => {
    const admission = createAdmission({ ...NO_MACHINE, tokens: { gpu: 1 } });
    void admission.acquire({ gpu: 1 });
    return setup(never, { admission });
  },
  retry: () => {
    const clock = createManualClock();
    const policy = retry({ backoff: fixedBackoff(1_000), jitter: false, clock });
    return { ...setup(() => Promise.reject(BUSY), { retry: policy, clock }), clock };
  },
  queue: () => {
    const pool = { run: never, on: () => () => undefined };
    return setup(never, { run: undefined, pools: { '*': pool as never } } as never);
  },
  worker: () => setup(never),
};

describe.each(Object.keys(STUCK) as (keyof typeof STUCK)[])('a run in the stage `%s`', (stage) => {
  const how: ExecutionOptions = {
    runId: 'r',
    deterministic: true,
    ...(stage === 'admission' ? { tokens: { gpu: 1 } } : {}),
  };
  const attempts = stage === 'cache' || stage === 'admission' ? 0 : 1;
  const lastError = stage === 'retry' ? BUSY : undefined;
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('is counted there, and ends there when it is cancelled', async () => {
    const { executor, clock } = STUCK[stage]();
    const outcome = executor.execute('t', 0, how);
    await settle();
    expect(executor.stats().byStage[stage]).toEqual({ running: 1, ended: 0 });
    expect(executor.cancel('r', 'not needed')).toBe(true);
    expect(await outcome).toMatchObject({
      status: 'cancelled',
      cause: 'cancelled',
      stage,
      error: { message: 'not needed' },
      lastError,
      attempts,
    });
    expect(executor.stats().byStage[stage]).toEqual({ running: 0, ended: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends there when its time is up', async () => {
    const { executor, clock } = STUCK[stage]();
    const outcome = executor.execute('t', 0, { ...how, timeoutMs: 50 });
    await settle();
    await clock.advance(50);
    expect(await outcome).toMatchObject({
      status: 'timed-out',
      cause: 'deadline',
      stage,
      error: { code: 'TIMEOUT', timeoutMs: 50 },
      lastError,
      attempts,
      durationMs: 50,
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends there when the executor stops', async () => {
    const { executor, clock } = STUCK[stage]();
    const outcome = executor.execute('t', 0, how);
    await settle();
    const stopped = executor.stop({ graceMs: 100 });
    await clock.advance(100);
    expect(await stopped).toEqual({ drained: false, orphaned: ['r'] });
    expect(await outcome).toMatchObject({ status: 'cancelled', cause: 'stopped', stage, lastError });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('admission', () => {
  const withGpu = (run: RunAttempt, options: Partial<ExecutorOptions> = {}) => {
    const admission = createAdmission({ ...NO_MACHINE, tokens: { gpu: 1 } });
    return { admission, ...setup(run, { admission, ...options }) };
  };
  const how = { tokens: { gpu: 1 } };

  it('says what a run waits for', async () => {
    const done = createDeferred();
    const { executor, events } = withGpu(() => done.promise);
    const first = executor.execute('t', 0, { ...how, runId: 'first' });
    const second = executor.execute('t', 0, { ...how, runId: 'second' });
    expect(await events.next('admission:waiting')).toEqual({
      runId: 'second',
      task: 't',
      resource: 'tokens',
      reason: 'It needs 1 tokens `gpu`; 0 of 1 are free.',
    });
    done.resolve();
    expect(await first).toMatchObject({ status: 'succeeded' });
    expect(await second).toMatchObject({ status: 'succeeded' });
  });

  it('refuses at once when it is not to wait, and does not retry that', async () => {
    const done = createDeferred();
    const { executor, attempts, names } = withGpu(() => done.promise, {
      whenNotAdmitted: 'reject',
      retry: retry(),
    });
    const first = executor.execute('t', 0, how);
    expect(await executor.execute('t', 0, { ...how, runId: 'r' })).toMatchObject({
      status: 'failed',
      cause: 'not-admitted',
      stage: 'admission',
      error: {
        code: 'ADMISSION_REFUSED',
        resource: 'tokens',
        message: 'Run r of "t" was not admitted. It needs 1 tokens `gpu`; 0 of 1 are free.',
      },
      attempts: 0,
    });
    expect(attempts).toHaveLength(1);
    expect(names()).toContain('admission:refused');
    done.resolve();
    await first;
  });

  it('is kept until the work has ended, also when the caller has gone', async () => {
    const done = createDeferred();
    const { admission, executor, clock, events } = withGpu(() => done.promise);
    const outcome = executor.execute('t', 0, { ...how, timeoutMs: 50 });
    await clock.advance(50);
    expect(await outcome).toMatchObject({ status: 'timed-out' });
    await clock.advance(1_000);
    expect(admission.stats().free).toEqual({ gpu: 0 });
    done.resolve();
    expect(await events.next('admission:released')).toMatchObject({ heldMs: 1_050 });
    expect(admission.stats().free).toEqual({ gpu: 1 });
  });

  it('is kept over all attempts and the pauses between them', async () => {
    const clock = createManualClock();
    const { admission, executor } = withGpu(() => Promise.reject(BUSY), {
      clock,
      retry: retry({ maxAttempts: 2, backoff: fixedBackoff(100), jitter: false, clock }),
    });
    const outcome = executor.execute('t', 0, how);
    await clock.advance(50);
    expect(admission.stats().free).toEqual({ gpu: 0 });
    await clock.advance(50);
    expect(await outcome).toMatchObject({ attempts: 2 });
    await clock.settle();
    expect(admission.stats().free).toEqual({ gpu: 1 });
  });

  it('is not asked for a stored result, and once for a shared one', async () => {
    const done = createDeferred<number>();
    const { executor, events } = withGpu(() => done.promise, { cache: createTaskCache() });
    const deterministic = { ...how, deterministic: true };
    const both = [executor.execute('t', 0, deterministic), executor.execute('t', 0, deterministic)];
    await events.next('attempt:started');
    done.resolve(1);
    expect(await Promise.all(both)).toMatchObject([{ shared: false }, { shared: true, attempts: 0 }]);
    expect(await executor.execute('t', 0, deterministic)).toMatchObject({ cached: true });
    expect(events.count('admission:granted')).toBe(1);
    expect(executor.stats()).toMatchObject({ cached: 1, shared: 1, attempts: 1 });
  });

  it('is not held by a run that was cancelled in the turn in which it was let in', async () => {
    const { admission, executor, attempts, clock, names } = withGpu(() => 1);
    const held = await admission.acquire({ gpu: 1 });
    const outcome = executor.execute('t', 0, { ...how, runId: 'r' });
    await clock.settle();
    held.release();
    executor.cancel('r');
    expect(await outcome).toMatchObject({ status: 'cancelled', stage: 'admission', attempts: 0 });
    await clock.settle();
    expect(admission.stats()).toMatchObject({ waiting: 0, free: { gpu: 1 } });
    expect(attempts).toEqual([]);
    expect(names()).not.toContain('admission:granted');
  });

  it.each([
    [{ tokens: { tpu: 1 } }, /no tokens `tpu`; known: gpu/],
    [{ tokens: { gpu: 2 } }, /`demand\.gpu`/],
  ])('refuses the demand %j', async (demand, message) => {
    const { executor } = withGpu(() => 1);
    await expect(executor.execute('t', 0, demand as ExecutionOptions)).rejects.toThrow(message);
    expect(executor.stats().total).toBe(0);
  });

  it('is needed for tokens', async () => {
    const { executor } = setup(() => 1);
    await expect(executor.execute('t', 0, how)).rejects.toThrow('the executor has no `admission`');
  });
});

describe('retries', () => {
  it.each([
    'NO_SUCH_TASK',
    'INVALID_INPUT',
    'NOT_SERIALIZABLE',
    'POISON_RUN',
    'CIRCUIT_OPEN',
    'POOL_STOPPED',
    'CANCELLED',
  ])('never follow %s, whatever the policy says', async (code) => {
    const failure = Object.assign(new Error('no'), { code });
    const { executor, attempts } = setup(() => Promise.reject(failure), {
      retry: retry({ shouldRetry: () => true, backoff: fixedBackoff(0) }),
    });
    expect(await executor.execute('t')).toMatchObject({ error: failure, attempts: 1 });
    expect(attempts).toEqual([1]);
  });

  it.each(['WORKER_CRASHED', 'RUN_TIMEOUT', 'QUEUE_FULL', 'WORKER_START_FAILED', 'E_OF_A_TASK'])(
    'of %s are left to the policy',
    async (code) => {
      const failure = Object.assign(new Error('no'), { code });
      const asked: unknown[] = [];
      const { executor } = setup(() => Promise.reject(failure), {
        retry: retry({ shouldRetry: (error) => asked.push(error) === 0 }),
      });
      expect(await executor.execute('t')).toMatchObject({ error: failure, stage: 'worker', attempts: 1 });
      expect(asked).toEqual([failure]);
    },
  );

  it('show the breaker each error as it was thrown', async () => {
    const seen: unknown[] = [];
    const failure = Object.assign(new Error('no'), { code: 'INVALID_INPUT' });
    const breaker = circuitBreaker({ isFailure: (error) => seen.push(error) === 0 });
    const { executor } = setup(() => Promise.reject(failure), { breaker, retry: retry() });
    await executor.execute('t');
    expect(seen).toEqual([failure]);
  });

  it('may be any policy: a hedge makes a second attempt, and the loser is cut', async () => {
    const clock = createManualClock();
    const signals: AbortSignal[] = [];
    const { executor, events } = setup(
      (_task, _input, { signal }) => {
        signals.push(signal);
        return signals.length === 1 ? never() : 'second';
      },
      { clock, retry: hedge({ delayMs: 10, clock }) },
    );
    const outcome = executor.execute('t');
    await clock.advance(10);
    expect(await outcome).toMatchObject({ status: 'succeeded', value: 'second', attempts: 2 });
    await clock.settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect([events.count('attempt:started'), events.count('attempt:failed')]).toEqual([2, 1]);
  });

  it('keep what the last attempt failed with when the deadline ends them', async () => {
    const clock = createManualClock();
    const { executor } = setup(
      (_task, _input, { attempt }) => (attempt === 1 ? Promise.reject(BUSY) : never()),
      {
        clock,
        retry: retry({
          backoff: fixedBackoff(10),
          jitter: false,
          clock,
          shouldRetry: (e) => hasCode(e, 'BUSY'),
        }),
      },
    );
    const outcome = executor.execute('t', 0, { timeoutMs: 100 });
    await clock.advance(100);
    expect(await outcome).toMatchObject({
      cause: 'deadline',
      stage: 'worker',
      error: { code: 'TIMEOUT' },
      lastError: BUSY,
      attempts: 2,
    });
  });
});

it('gives an attempt no more time than is left of the run', async () => {
  const clock = createManualClock();
  const budgets: unknown[] = [];
  const { executor } = setup(
    (_task, _input, { timeoutMs }) => {
      budgets.push(timeoutMs);
      return Promise.reject(BUSY);
    },
    { clock, retry: retry({ backoff: fixedBackoff(30), jitter: false, clock }) },
  );
  const outcomes = [
    executor.execute('t', 0, { timeoutMs: 100 }),
    executor.execute('t', 0, { timeoutMs: 100, attemptTimeoutMs: 50 }),
    executor.execute('t', 0, { attemptTimeoutMs: 50 }),
    executor.execute('t'),
  ];
  await clock.advance(30);
  await clock.advance(30);
  await Promise.all(outcomes);
  expect(budgets).toEqual([100, 50, 50, undefined, 70, 50, 50, undefined, 40, 40, 50, undefined]);
});

it('tells nothing more of a run that has its outcome', async () => {
  const late: (() => void)[] = [];
  const seen: unknown[] = [];
  const { executor, clock } = setup((_task, _input, { onProgress }) => {
    late.push(() => onProgress?.({ value: 1 }));
    return never();
  });
  const outcome = executor.execute('t', 0, { timeoutMs: 10, onProgress: (progress) => seen.push(progress) });
  late[0]?.();
  await clock.advance(10);
  await outcome;
  late[0]?.();
  expect(seen).toEqual([{ value: 1 }]);
});
