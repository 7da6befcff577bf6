import { getEventListeners, setMaxListeners } from 'node:events';
import { createTaskCache } from '@pawl/caching';
import { createDeferred, hasCode, PawlError } from '@pawl/core';
import { createEventMonitor, createManualClock } from '@pawl/core/testing';
import { circuitBreaker, fixedBackoff, retry } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PoolStoppedError, RunTimeoutError } from '../process/pool-errors.ts';
import { WorkerCrashedError } from '../process/worker-errors.ts';
import type { AttemptContext } from './context.ts';
import { createExecutor, type ExecutorOptions, type RunAttempt } from './executor.ts';

type Body = (input: unknown, context: AttemptContext, task: string) => unknown;

/** An executor whose attempts are calls of `body`, on a clock that stands still. */
function setup(body: Body, options: Partial<ExecutorOptions> = {}) {
  const clock = createManualClock();
  const attempts: AttemptContext[] = [];
  const run: RunAttempt = (task, input, context) => {
    attempts.push(context);
    return body(input, context, task);
  };
  const executor = createExecutor({ run, clock, ...options });
  const events = createEventMonitor(executor);
  onTestFinished(() => events[Symbol.dispose]());
  const names = (): readonly string[] => events.events.map(({ name }) => name);
  return { executor, clock, attempts, events, names };
}

const never = (): Promise<never> => new Promise(() => undefined);
const failing = (failure: unknown) => async (): Promise<never> => {
  throw failure as Error;
};
const transient = (): Error => new PawlError('busy', { code: 'BUSY' });
/** Two more attempts, 10 ms apart, for what is BUSY. */
const retryBusy = (clock: ReturnType<typeof createManualClock>) =>
  retry({
    maxAttempts: 3,
    backoff: fixedBackoff(10),
    jitter: false,
    clock,
    shouldRetry: (error) => hasCode(error, 'BUSY'),
  });

describe('an executor', () => {
  describe('tells how a run ended', () => {
    const run = { runId: 'r', task: 't', attempt: 1 };
    const end = {
      workerId: 'w',
      pid: 1,
      exitCode: 1,
      signal: null,
      phase: 'run',
      stderrTail: '',
      stdoutHead: '',
      ageMs: 0,
      runsDone: 0,
    } as const;

    it('succeeded, with the value', async () => {
      const { executor } = setup((input) => ({ echo: input }));
      expect(await executor.execute('t', 5, { runId: 'mine' })).toEqual({
        status: 'succeeded',
        value: { echo: 5 },
        cached: false,
        shared: false,
        runId: 'mine',
        task: 't',
        attempts: 1,
        durationMs: 0,
        trace: undefined,
      });
    });

    it.each([
      ['failed', new Error('no')],
      ['failed', undefined],
      ['failed', 'a string'],
      ['failed', new PawlError('x', { code: 'CIRCUIT_OPEN' })],
      ['timed-out', new RunTimeoutError(run, 5)],
      ['timed-out', new PawlError('x', { code: 'BUDGET_EXCEEDED' })],
      ['lost', new WorkerCrashedError(run, end)],
      ['lost', new WorkerCrashedError(run, { ...end, exitCode: 0 })],
      ['cancelled', new PoolStoppedError('Run r was ended')],
    ])('%s, with the error as it was thrown (%#)', async (status, error) => {
      const { executor } = setup(failing(error));
      const outcome = await executor.execute('t');
      expect(outcome).toMatchObject({ status, attempts: 1, cached: false });
      expect((outcome as { readonly error: unknown }).error).toBe(error);
    });

    it('failed, when what executes throws at once', async () => {
      const { executor } = setup(() => {
        throw new TypeError('at once');
      });
      expect(await executor.execute('t')).toMatchObject({ status: 'failed', error: { message: 'at once' } });
    });

    it('failed, when no pool takes the task', async () => {
      const executor = createExecutor({ pools: { a: { run: never }, b: { run: never } } });
      expect(await executor.execute('c')).toMatchObject({
        status: 'failed',
        error: { code: 'NO_SUCH_TASK', message: 'No pool runs "c". There are pools for: a, b.' },
      });
    });
  });

  it('hands each task to the pool of its name, or of all others', async () => {
    const pool = (name: string) => ({ run: async (task: string) => `${name} ran ${task}` });
    const executor = createExecutor({ pools: { a: pool('first'), '*': pool('second') } });
    expect(await executor.execute('a')).toMatchObject({ value: 'first ran a' });
    expect(await executor.execute('toString')).toMatchObject({ value: 'second ran toString' });
  });

  it('hands an attempt what the caller asked for', async () => {
    const { executor, attempts } = setup(() => 1);
    const callbacks = { onProgress: () => 1, onLog: () => 2, onOutput: () => 3 };
    await executor.execute('t', 0, {
      runId: 'r',
      attemptTimeoutMs: 5,
      priority: 4,
      key: 'k',
      affinity: 'a',
      trace: 'x',
      ...callbacks,
    });
    expect(attempts).toEqual([
      {
        runId: 'r',
        attempt: 1,
        signal: expect.any(AbortSignal),
        timeoutMs: 5,
        priority: 4,
        key: 'k',
        affinity: 'a',
        trace: 'x',
        onProgress: expect.any(Function),
        onLog: expect.any(Function),
        onOutput: expect.any(Function),
      },
    ]);
  });

  describe('has a deadline', () => {
    it('that ends the run whatever the task does, and aborts its signal', async () => {
      const { executor, clock, attempts } = setup(never, { timeoutMs: 100 });
      const outcome = executor.execute('t');
      await clock.advance(99);
      expect(attempts[0]?.signal.aborted).toBe(false);
      await clock.advance(1);
      expect(await outcome).toMatchObject({
        status: 'timed-out',
        error: { code: 'TIMEOUT', timeoutMs: 100 },
        attempts: 1,
        durationMs: 100,
      });
      expect(attempts[0]?.signal.aborted).toBe(true);
      expect(clock.pendingTimers).toBe(0);
    });

    it('that one run can replace, and that counts retries and their pauses', async () => {
      const { executor, clock, attempts } = setup(failing(transient()), { timeoutMs: 100 });
      const retrying = setup(failing(transient()), { timeoutMs: 1_000, retry: retryBusy(clock), clock });
      const outcome = retrying.executor.execute('t', 0, { timeoutMs: 15 });
      await clock.advance(15);
      expect(await outcome).toMatchObject({ status: 'timed-out', attempts: 2, durationMs: 15 });
      expect(clock.pendingTimers).toBe(0);
      await executor.execute('t');
      expect(attempts).toHaveLength(1);
    });

    it('that is no limit by default', async () => {
      const { executor, clock } = setup(never);
      const stop = new AbortController();
      const outcome = executor.execute('t', 0, { signal: stop.signal });
      await clock.advance(1e12);
      stop.abort();
      expect(await outcome).toMatchObject({ status: 'cancelled', durationMs: 1e12 });
    });
  });

  describe('repeats attempts', () => {
    it('as its retry policy says, with the attempt number for the task', async () => {
      const clock = createManualClock();
      const { executor, attempts } = setup(
        (_input, { attempt }) => (attempt < 3 ? Promise.reject(transient()) : attempt),
        {
          clock,
          retry: retryBusy(clock),
        },
      );
      const outcome = executor.execute('t');
      await clock.advance(20);
      expect(await outcome).toMatchObject({ status: 'succeeded', value: 3, attempts: 3, durationMs: 20 });
      expect(new Set(attempts.map(({ runId }) => runId)).size).toBe(1);
      expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      // Many attempts may share one signal.
      expect(attempts.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
    });

    it('inside the breaker, which counts each of them and is not asked again once it is open', async () => {
      const clock = createManualClock();
      const breaker = circuitBreaker({ clock, failureThreshold: 2, minCalls: 2, openMs: 1_000 });
      const { executor, attempts } = setup(failing(transient()), { clock, retry: retryBusy(clock), breaker });
      const outcome = executor.execute('t');
      await clock.advance(10);
      await clock.advance(10);
      // The third attempt was refused; a refusal is no reason for a fourth.
      expect(await outcome).toMatchObject({ status: 'failed', error: { code: 'CIRCUIT_OPEN' }, attempts: 2 });
      expect(attempts).toHaveLength(2);
      expect(breaker.stats().totals).toMatchObject({ failures: 2 });
      expect(await executor.execute('t')).toMatchObject({
        status: 'failed',
        error: { code: 'CIRCUIT_OPEN' },
        attempts: 0,
      });
      expect(clock.pendingTimers).toBe(0);
    });
  });

  describe('remembers results', () => {
    function cached(body: Body) {
      const clock = createManualClock();
      return setup(body, { clock, cache: createTaskCache({ clock }) });
    }

    it('of deterministic runs alone', async () => {
      let calls = 0;
      const { executor } = cached(() => (calls += 1));
      const how = { deterministic: true };
      expect(await executor.execute('t', { a: 1, b: 2 }, how)).toMatchObject({
        value: 1,
        cached: false,
        attempts: 1,
      });
      expect(await executor.execute('t', { b: 2, a: 1 }, how)).toMatchObject({
        value: 1,
        cached: true,
        attempts: 0,
      });
      expect(await executor.execute('t', { a: 1, b: '2' }, how)).toMatchObject({ value: 2, cached: false });
      expect(await executor.execute('u', { a: 1, b: 2 }, how)).toMatchObject({ value: 3, cached: false });
      expect(await executor.execute('t', { a: 1, b: 2 })).toMatchObject({
        value: 4,
        cached: false,
        attempts: 1,
      });
    });

    it('replaced when it is forced', async () => {
      let calls = 0;
      const { executor } = cached(() => (calls += 1));
      const how = { deterministic: true };
      await executor.execute('t', 0, how);
      expect(await executor.execute('t', 0, { ...how, force: true })).toMatchObject({
        value: 2,
        cached: false,
        attempts: 1,
      });
      expect(await executor.execute('t', 0, how)).toMatchObject({ value: 2, cached: true });
    });

    it('shared by runs at the same time, of which each can be cancelled alone', async () => {
      const done = createDeferred<string>();
      const { executor, attempts, events } = cached(() => done.promise);
      const how = { deterministic: true };
      const [first, second, third] = ['first', 'second', 'third'].map((runId) =>
        executor.execute('t', 0, { ...how, runId }),
      );
      await new Promise((resolve) => void setImmediate(resolve));
      expect(executor.cancel('first')).toBe(true);
      expect(await first).toMatchObject({ status: 'cancelled' });
      // What the others wait for goes on; for the first it is over.
      const ofFirst = events.events.filter(({ payload }) => JSON.stringify(payload).includes('first'));
      expect(ofFirst.map(({ name }) => name)).toEqual([
        'execution:started',
        'cache:missed',
        'attempt:started',
        'attempt:failed',
        'execution:ended',
      ]);
      expect(attempts).toHaveLength(1);
      expect(attempts[0]?.signal.aborted).toBe(false);
      done.resolve('shared');
      expect(await second).toMatchObject({ status: 'succeeded', value: 'shared', cached: false });
      expect(await third).toMatchObject({ status: 'succeeded', value: 'shared', cached: false });
    });

    it('but no failures', async () => {
      let calls = 0;
      const { executor } = cached(() => {
        calls += 1;
        if (calls === 1) throw new Error('once');
        return 'well';
      });
      const how = { deterministic: true };
      expect(await executor.execute('t', 0, how)).toMatchObject({
        status: 'failed',
        error: { message: 'once' },
      });
      expect(await executor.execute('t', 0, how)).toMatchObject({
        status: 'succeeded',
        value: 'well',
        attempts: 1,
      });
    });

    it('and says so when an input can not be a key', async () => {
      const { executor, attempts } = cached(() => 1);
      expect(await executor.execute('t', () => 1, { deterministic: true })).toMatchObject({
        status: 'failed',
        error: { code: 'CACHE_KEY_UNSUPPORTED' },
        attempts: 0,
      });
      expect(attempts).toEqual([]);
    });
  });

  describe('cancels a run', () => {
    it('by its id, at once, and tells whether there was one', async () => {
      const { executor, attempts } = setup(never);
      const outcome = executor.execute('t', 0, { runId: 'r' });
      await new Promise((resolve) => void setImmediate(resolve));
      expect(executor.cancel('other')).toBe(false);
      expect(executor.cancel('r', 'no longer needed')).toBe(true);
      expect(await outcome).toMatchObject({
        status: 'cancelled',
        error: { code: 'CANCELLED', message: 'no longer needed' },
        attempts: 1,
      });
      expect(attempts[0]?.signal.reason).toMatchObject({ message: 'no longer needed' });
      expect(executor.cancel('r')).toBe(false);
    });

    it("by the caller's signal, with the caller's reason", async () => {
      const { executor } = setup(never);
      const stop = new AbortController();
      const outcome = executor.execute('t', 0, { signal: stop.signal });
      stop.abort('enough');
      expect(await outcome).toMatchObject({ status: 'cancelled', error: 'enough' });
    });

    it('before its first attempt when the signal has aborted already', async () => {
      const { executor, attempts } = setup(() => 1);
      const outcome = await executor.execute('t', 0, {
        signal: AbortSignal.abort(new RunTimeoutError({ runId: 'x', task: 't', attempt: 1 }, 5)),
      });
      // Whatever the reason looks like.
      expect(outcome).toMatchObject({ status: 'cancelled', attempts: 0 });
      expect(attempts).toEqual([]);
    });

    it('in the pause before a retry', async () => {
      const clock = createManualClock();
      const { executor } = setup(failing(transient()), { clock, retry: retryBusy(clock) });
      const outcome = executor.execute('t', 0, { runId: 'r' });
      await clock.advance(5);
      executor.cancel('r');
      expect(await outcome).toMatchObject({ status: 'cancelled', attempts: 1, durationMs: 5 });
      expect(clock.pendingTimers).toBe(0);
    });

    it('and leaves a result that came first', async () => {
      const { executor } = setup(() => 'done');
      const stop = new AbortController();
      const outcome = await executor.execute('t', 0, { runId: 'r', signal: stop.signal });
      stop.abort();
      expect(outcome).toMatchObject({ status: 'succeeded', value: 'done' });
    });
  });

  it('leaves no listener on a signal that 1,000 runs share, however they end', async () => {
    const shared = new AbortController();
    // Node warns of more than ten at a time.
    setMaxListeners(0, shared.signal);
    const { executor, clock } = setup(
      (input) => {
        if (input === 0) return 1;
        return input === 1 ? Promise.reject(transient()) : never();
      },
      { timeoutMs: 50 },
    );
    for (let round = 0; round < 10; round += 1) {
      const outcomes = Array.from({ length: 100 }, (_, n) =>
        executor.execute('t', n % 3, { signal: shared.signal }),
      );
      await clock.advance(50);
      await Promise.all(outcomes);
    }
    expect(getEventListeners(shared.signal, 'abort')).toEqual([]);
    expect(executor.stats()).toMatchObject({ running: 0, total: 1_000 });
  });

  describe('tells what happens', () => {
    it('in spans: the run around its attempts, each ended before the next begins', async () => {
      const clock = createManualClock();
      const { executor, events } = setup(
        async (_input, { attempt }) => {
          await new Promise<void>((resolve) => void clock.setTimer(5, resolve));
          if (attempt === 1) throw transient();
          return 'well';
        },
        { clock, retry: retryBusy(clock) },
      );
      const outcome = executor.execute('t', 0, { runId: 'r' });
      await clock.advance(20);
      const of = { runId: 'r', task: 't' };
      expect(events.events).toEqual([
        { name: 'execution:started', payload: { ...of, trace: undefined } },
        { name: 'attempt:started', payload: { ...of, attempt: 1 } },
        {
          name: 'attempt:failed',
          payload: { ...of, attempt: 1, durationMs: 5, error: expect.objectContaining({ code: 'BUSY' }) },
        },
        { name: 'attempt:started', payload: { ...of, attempt: 2 } },
        { name: 'attempt:succeeded', payload: { ...of, attempt: 2, durationMs: 5 } },
        { name: 'execution:ended', payload: { outcome: await outcome } },
      ]);
    });

    it.each([
      ['a cancel', (executor: ReturnType<typeof setup>['executor']) => void executor.cancel('r')],
      ['a deadline', (_executor: unknown, clock: ReturnType<typeof createManualClock>) => clock.advance(50)],
    ])('and ends the attempt that %s cut before it ends the run', async (_what, cut) => {
      // As a pool does: it rejects when the signal aborts.
      const heeding: Body = (_input, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        );
      const { executor, clock, names, events } = setup(heeding, { timeoutMs: 50 });
      const outcome = executor.execute('t', 0, { runId: 'r' });
      await new Promise((resolve) => void setImmediate(resolve));
      await cut(executor, clock);
      await outcome;
      await new Promise((resolve) => void setImmediate(resolve));
      expect(names()).toEqual(['execution:started', 'attempt:started', 'attempt:failed', 'execution:ended']);
      const { error } = (await outcome) as { readonly error: unknown };
      expect(events.events[2]?.payload).toMatchObject({ error });
    });

    it('also of an attempt that does not heed its signal, once, and nothing of what it does later', async () => {
      const late = createDeferred<string>();
      const { executor, clock, names } = setup(() => late.promise, { timeoutMs: 50 });
      const outcome = executor.execute('t');
      await clock.advance(50);
      await outcome;
      late.resolve('too late');
      await clock.settle();
      expect(names()).toEqual(['execution:started', 'attempt:started', 'attempt:failed', 'execution:ended']);
    });

    it('and is not hurt by a listener that throws', async () => {
      const { executor } = setup(() => 1);
      executor.onAny(() => {
        throw new Error('listener');
      });
      expect(await executor.execute('t')).toMatchObject({ status: 'succeeded' });
    });
  });

  it('has statistics that add up', async () => {
    const clock = createManualClock();
    const { executor } = setup(
      async (input) => {
        await new Promise<void>((resolve) => void clock.setTimer(10, resolve));
        if (input === 'bad') throw new Error('bad');
        if (input === 'hang') return never();
        return input;
      },
      { clock, cache: createTaskCache({ clock }) },
    );
    expect(executor.stats()).toMatchObject({
      running: 0,
      total: 0,
      byStatus: { succeeded: 0, failed: 0, 'timed-out': 0, cancelled: 0, lost: 0 },
      successRate: Number.NaN,
      averageDurationMs: Number.NaN,
      cached: 0,
    });
    const runs = [
      executor.execute('t', 'good', { deterministic: true }),
      executor.execute('t', 'bad'),
      executor.execute('t', 'hang', { timeoutMs: 40 }),
      executor.execute('t', 'hang', { runId: 'r' }),
    ];
    await clock.advance(0);
    expect(executor.stats()).toMatchObject({ running: 4, total: 4 });
    await clock.advance(20);
    executor.cancel('r');
    await clock.advance(20);
    await Promise.all(runs);
    await executor.execute('t', 'good', { deterministic: true });
    expect(executor.stats()).toMatchObject({
      running: 0,
      total: 5,
      byStatus: { succeeded: 2, failed: 1, 'timed-out': 1, cancelled: 1, lost: 0 },
      successRate: 0.4,
      // 10 + 10 + 40 + 20, the one from the cache left out.
      averageDurationMs: 20,
      cached: 1,
    });
  });

  describe('refuses', () => {
    it.each([
      [{}, TypeError, 'An executor needs either `pools` or `run`, and not both.'],
      [{ run: never, pools: {} }, TypeError, 'An executor needs either `pools` or `run`, and not both.'],
      [
        { run: never, timeout: 5 },
        TypeError,
        'Unknown option `timeout` of createExecutor; did you mean `timeoutMs`?',
      ],
      [
        { run: never, timeoutMs: -1 },
        RangeError,
        /Expected `timeoutMs` to be milliseconds ≥ 0, or Infinity, got `-1`/,
      ],
      [{ run: 5 }, TypeError, /Expected `run` to be a function, got `5` \(number\)/],
      [{ pools: 5 }, TypeError, /Expected `pools` to be an object, got `5` \(number\)/],
      [{ pools: { a: {} } }, TypeError, /Expected `pools\.a\.run` to be a function/],
      [{ run: never, retry: {} }, TypeError, /Expected `retry\.execute` to be a function/],
      [{ run: never, breaker: 1 }, TypeError, /Expected `breaker\.execute` to be a function/],
      [{ run: never, cache: {} }, TypeError, /Expected `cache\.run` to be a function/],
    ])('the options %j', (options, kind, message) => {
      const make = (): unknown => createExecutor(options as ExecutorOptions);
      expect(make).toThrow(kind);
      expect(make).toThrow(message);
    });

    it.each<[unknown, object, ErrorConstructor, string | RegExp]>([
      ['', {}, TypeError, /`task`/],
      [5, {}, TypeError, /`task`/],
      ['t', { timeout: 5 }, TypeError, 'Unknown option `timeout` of execute; did you mean `timeoutMs`?'],
      ['t', { timeoutMs: -5 }, RangeError, /`timeoutMs`/],
      ['t', { attemptTimeoutMs: 'x' }, TypeError, /`attemptTimeoutMs`/],
      ['t', { priority: Number.NaN }, TypeError, /`priority`/],
      ['t', { runId: '' }, TypeError, /`runId`/],
      ['t', { signal: {} }, TypeError, /`signal`/],
      ['t', { deterministic: 1 }, TypeError, /`deterministic`/],
      ['t', { force: 'yes' }, TypeError, /`force`/],
      ['t', { onProgress: 1 }, TypeError, /`onProgress`/],
    ])('to execute %j with %j', async (task, how, kind, message) => {
      const { executor, names, attempts } = setup(() => 1);
      const outcome = executor.execute(task as string, 0, how);
      await expect(outcome).rejects.toThrow(kind);
      await expect(outcome).rejects.toThrow(message);
      expect([names(), attempts, executor.stats().total]).toEqual([[], [], 0]);
    });

    it('a run by the id of one that runs, which it leaves alone', async () => {
      const done = createDeferred<number>();
      const { executor } = setup(() => done.promise);
      const first = executor.execute('t', 0, { runId: 'r' });
      await expect(executor.execute('t', 0, { runId: 'r' })).rejects.toThrow(
        'Expected `runId` to be the id of no running run, got `"r"` (string).',
      );
      done.resolve(1);
      expect(await first).toMatchObject({ status: 'succeeded' });
      expect(await executor.execute('t', 0, { runId: 'r' })).toMatchObject({ status: 'succeeded' });
    });
  });
});
