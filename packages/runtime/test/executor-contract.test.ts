// What an executor promises, whatever executes: worker processes, or functions in this process.
import { AsyncLocalStorage } from 'node:async_hooks';
import { createTaskCache } from '@pawl/caching';
import { hasCode } from '@pawl/core';
import { createEventMonitor } from '@pawl/core/testing';
import { circuitBreaker, fixedBackoff, retry } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createAdmission,
  createExecutor,
  createInMemoryExecutor,
  createPool,
  type Executor,
  type ExecutorOptions,
  type InMemoryExecutorOptions,
  newTraceparent,
  type Progress,
  type RunLogEntry,
  WorkerCrashedError,
} from '../src/index.ts';

const FILE = new URL('fixtures/executor-tasks.mjs', import.meta.url);
const tasks = (await import(FILE.href)) as InMemoryExecutorOptions['tasks'];

type Options = Omit<ExecutorOptions, 'pools' | 'run' | 'balancer' | 'ownsPools'>;

const inProcesses = (options: Options): Executor =>
  createExecutor({
    ...options,
    pools: {
      '*': createPool({
        worker: FILE,
        minWorkers: 0,
        maxWorkers: 1,
        cancelGraceMs: 300,
        killGraceMs: 300,
      }),
    },
  });

/** A task in this process can't take its worker along, and says that it did. */
const crash = (
  input: { readonly once?: boolean } | null,
  { runId, attempt }: { readonly runId: string; readonly attempt: number },
): string => {
  if (input?.once === true && attempt > 1) return 'survived';
  throw new WorkerCrashedError(
    { runId, task: 'crash', attempt },
    {
      workerId: 'memory',
      pid: process.pid,
      exitCode: 3,
      signal: null,
      phase: 'run',
      stderrTail: '',
      stdoutHead: '',
      ageMs: 0,
      runsDone: 0,
    },
  );
};

const inMemory = (options: Options): Executor =>
  createInMemoryExecutor({ ...options, tasks: { ...tasks, crash } });

const retryAll = () => retry({ maxAttempts: 3, backoff: fixedBackoff(1), jitter: false });

describe.each([
  ['in processes', inProcesses],
  ['in memory', inMemory],
] as const)('an executor %s', (_where, create) => {
  function setup(options: Options = {}) {
    const executor = create(options);
    const events = createEventMonitor(executor);
    onTestFinished(async () => {
      events[Symbol.dispose]();
      await executor.stop({ graceMs: 0 });
    });
    const names = (): readonly string[] => events.events.map(({ name }) => name);
    return { executor, events, names };
  }

  it('gives the value', async () => {
    const { executor } = setup();
    expect(await executor.execute('double', 21)).toMatchObject({
      status: 'succeeded',
      value: 42,
      attempts: 1,
    });
    expect(await executor.execute('nothing')).toMatchObject({ status: 'succeeded', value: undefined });
    expect(await executor.run('double', 2)).toBe(4);
  });

  it('gives the error of a task as it comes over a wire, with any code of its own', async () => {
    const { executor } = setup();
    for (const code of ['E_MINE', 'TIMEOUT', 'CANCELLED', 'WORKER_CRASHED']) {
      expect(await executor.execute('fail', { message: 'no', code })).toMatchObject({
        status: 'failed',
        cause: 'threw',
        stage: 'worker',
        error: { name: 'RangeError', message: 'no', code, fields: { detail: 5 } },
      });
    }
    await expect(executor.run('fail', { message: 'no' })).rejects.toThrow('no');
  });

  it.each<[string, unknown, string]>([
    ['nope', 1, 'NO_SUCH_TASK'],
    ['double', 1n, 'NOT_SERIALIZABLE'],
    ['checked', 'text', 'INVALID_INPUT'],
  ])('never tries %s(%o) twice', async (task, input, code) => {
    const { executor } = setup({ retry: retryAll() });
    expect(await executor.execute(task, input)).toMatchObject({
      status: 'failed',
      cause: 'invalid',
      error: { code },
      attempts: 1,
    });
    expect(await executor.execute('checked', 7)).toMatchObject({ status: 'succeeded', value: 7 });
  });

  it('retries with a new attempt number', async () => {
    const { executor } = setup({ retry: retryAll() });
    expect(await executor.execute('failUntil', 3)).toMatchObject({
      status: 'succeeded',
      value: 3,
      attempts: 3,
    });
  });

  it('tells a crash from a failure, and retries it', async () => {
    const { executor } = setup();
    expect(await executor.execute('crash')).toMatchObject({
      status: 'lost',
      cause: 'crashed',
      stage: 'worker',
      error: { code: 'WORKER_CRASHED', exitCode: 3 },
    });
    const retrying = setup({ retry: retryAll() }).executor;
    expect(await retrying.execute('crash', { once: true })).toMatchObject({ value: 'survived', attempts: 2 });
  });

  it('opens its breaker, and calls no task while it is open', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2, minCalls: 2 });
    const { executor, events } = setup({ breaker, retry: retryAll() });
    const refused = {
      status: 'failed',
      cause: 'breaker-open',
      stage: 'breaker',
      error: { code: 'CIRCUIT_OPEN' },
    };
    expect(await executor.execute('fail', { message: 'no' })).toMatchObject({ ...refused, attempts: 2 });
    expect(await executor.execute('double', 1)).toMatchObject({ ...refused, attempts: 0 });
    expect(events.count('attempt:started')).toBe(2);
  });

  it('serves a stored result without a worker', async () => {
    const { executor, names } = setup({ cache: createTaskCache() });
    const how = { deterministic: true, runId: 'r' };
    expect(await executor.execute('double', 4, how)).toMatchObject({ value: 8, cached: false, attempts: 1 });
    expect(await executor.execute('double', 4, how)).toMatchObject({ value: 8, cached: true, attempts: 0 });
    expect(names()).toEqual([
      'execution:started',
      'cache:missed',
      'attempt:started',
      'attempt:executing',
      'attempt:succeeded',
      'execution:ended',
      'execution:started',
      'cache:hit',
      'execution:ended',
    ]);
  });

  it.each(['cancel', 'signal', 'deadline', 'stop'])(
    'ends by %s what a worker executes, at once',
    async (by) => {
      const { executor, events } = setup();
      const controller = new AbortController();
      const outcome = executor.execute('untilCancelled', null, {
        runId: 'r',
        signal: controller.signal,
        ...(by === 'deadline' ? { timeoutMs: 400 } : {}),
      });
      await events.next('attempt:executing');
      if (by === 'cancel') executor.cancel('r', 'not needed');
      if (by === 'signal') controller.abort(new Error('mine'));
      if (by === 'stop') await executor.stop({ graceMs: 0 });
      expect(await outcome).toMatchObject({
        ...{
          cancel: { status: 'cancelled', cause: 'cancelled', error: { message: 'not needed' } },
          signal: { status: 'cancelled', cause: 'cancelled', error: { message: 'mine' } },
          deadline: { status: 'timed-out', cause: 'deadline', error: { code: 'TIMEOUT' } },
          stop: { status: 'cancelled', cause: 'stopped', error: { code: 'EXECUTOR_STOPPED' } },
        }[by],
        stage: 'worker',
        attempts: 1,
      });
    },
  );

  it('ends an attempt that takes too long, which a retry hears of', async () => {
    const { executor } = setup({
      retry: retry({
        maxAttempts: 2,
        backoff: fixedBackoff(1),
        shouldRetry: (error) => hasCode(error, 'RUN_TIMEOUT'),
      }),
    });
    expect(await executor.execute('untilCancelled', null, { attemptTimeoutMs: 500 })).toMatchObject({
      status: 'timed-out',
      cause: 'attempt-timeout',
      stage: 'worker',
      error: { code: 'RUN_TIMEOUT', attempt: 2, timeoutMs: 500 },
      attempts: 2,
    });
  });

  it('brings run id, attempt, trace and deadline to the task', async () => {
    const { executor } = setup({ trace: newTraceparent });
    const how = { runId: 'mine', attemptTimeoutMs: 5_000 };
    const made = await executor.execute('context', null, how);
    expect(made).toMatchObject({
      value: { runId: 'mine', attempt: 1, hasDeadline: true, aborted: false, trace: made.trace },
    });
    expect(made.trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const trace = newTraceparent();
    expect(await executor.execute('context', null, { ...how, trace })).toMatchObject({
      trace,
      value: { trace },
    });
  });

  it('lets an attempt take no longer than what is left of the deadline', async () => {
    const { executor } = setup();
    const outcome = await executor.execute('untilCancelled', null, {
      timeoutMs: 60,
      attemptTimeoutMs: 60_000,
    });
    expect(outcome).toMatchObject({ status: 'timed-out' });
  });

  it('hands on what the task reports, in the asynchronous context of the caller', async () => {
    const { executor } = setup();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = (what: Progress | RunLogEntry | string): void => void seen.push([storage.getStore(), what]);
    executor.onAny((name) => note(name));
    const outcome = await storage.run('caller', () =>
      executor.execute('report', null, { onProgress: note, onLog: note }),
    );
    expect(outcome).toMatchObject({ value: 'reported' });
    expect(seen).toEqual(
      [
        'execution:started',
        'attempt:started',
        'attempt:executing',
        { value: 0.5, message: 'half' },
        { level: 'warn', message: 'big', fields: { size: 3 } },
        'attempt:succeeded',
        'execution:ended',
      ].map((what) => ['caller', what]),
    );
  });

  it('is not hurt by a callback that throws', async () => {
    const { executor } = setup();
    const onProgress = (): void => {
      throw new Error('callback');
    };
    expect(await executor.execute('report', null, { onProgress })).toMatchObject({ status: 'succeeded' });
  });

  it('admits one run after the other when there is one token', async () => {
    const admission = createAdmission({ maxCpu: 1, minFreeMemoryBytes: 0, tokens: { gpu: 1 } });
    const { executor, names } = setup({ admission });
    const how = { tokens: { gpu: 1 } };
    await Promise.all([executor.execute('double', 1, how), executor.execute('double', 2, how)]);
    expect(names().filter((name) => name.startsWith('admission:'))).toEqual([
      'admission:waiting',
      'admission:granted',
      'admission:released',
      'admission:granted',
      'admission:released',
    ]);
    expect(admission.stats().free).toEqual({ gpu: 1 });
  });

  describe('streams', () => {
    it('what a task yields, with what it returns at the end', async () => {
      const { executor } = setup({ retry: retryAll(), timeoutMs: 10_000 });
      const stream = executor.stream('count', 3);
      const chunks: unknown[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks).toEqual([0, 1, 2]);
      expect(await stream.outcome).toMatchObject({ status: 'succeeded', value: 3, attempts: 1 });
    });

    it('until it fails, once', async () => {
      const { executor } = setup({ retry: retryAll() });
      const stream = executor.stream('countThenFail', 2);
      const chunks: unknown[] = [];
      const read = async (): Promise<void> => {
        for await (const chunk of stream) chunks.push(chunk);
      };
      await expect(read()).rejects.toThrow('no more numbers');
      expect(chunks).toEqual([0, 1]);
      expect(await stream.outcome).toMatchObject({ status: 'failed', cause: 'threw', attempts: 1 });
      await expect(read()).rejects.toMatchObject({ code: 'STREAM_READ_TWICE' });
    });

    it('until its reader leaves', async () => {
      const { executor } = setup();
      const stream = executor.stream('count', 1_000_000, { buffer: 2 });
      for await (const chunk of stream) if (chunk === 3) break;
      expect(await stream.outcome).toMatchObject({ status: 'cancelled', error: { code: 'CANCELLED' } });
      expect(executor.stats().running).toBe(0);
    });

    it('until it is cancelled', async () => {
      const { executor } = setup();
      const stream = executor.stream('count', 1_000_000, { runId: 'r' });
      const read = async (): Promise<void> => {
        for await (const chunk of stream) if (chunk === 3) executor.cancel('r', 'enough');
      };
      await expect(read()).rejects.toThrow('enough');
      expect(await stream.outcome).toMatchObject({ status: 'cancelled' });
    });
  });
});
