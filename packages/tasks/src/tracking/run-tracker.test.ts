import { createDeferred, PawlError, seededRandom } from '@pawl/core';
import {
  createEventMonitor,
  createManualClock,
  type EventMonitor,
  type ManualClock,
  serviceContract,
} from '@pawl/core/testing';
import { fixedBackoff, StopRetryError } from '@pawl/resilience';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryRunStore } from './memory-run-store.ts';
import type { ClaimRequest, RunStore } from './run-store.ts';
import { createRunTracker, type RunTracker } from './run-tracker.ts';
import { sampleRun, T0 } from '../testing/index.ts';
import { thisHost } from './process-identity.ts';
import type { NewRun } from './run.ts';
import { IllegalMoveError } from './run-state.ts';
import type { RunContext } from './task-definition.ts';
import type { TrackerEvents } from './tracker-events.ts';
import type { RunTrackerOptions } from './tracker-options.ts';

interface Setup {
  readonly tracker: RunTracker;
  readonly clock: ManualClock;
  readonly store: RunStore;
  readonly events: EventMonitor<TrackerEvents>;
  /** Attempts of the task `held`, which end when the test says so. */
  readonly held: HeldAttempt[];
}

interface HeldAttempt {
  readonly context: RunContext;
  readonly finish: (result: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** A tracker on a manual clock. Its task `held` waits for the test, and heeds its signal; `deaf` does not. */
function setup(options: Partial<RunTrackerOptions> = {}): Setup {
  const clock = createManualClock();
  const store = options.store ?? createMemoryRunStore();
  const held: HeldAttempt[] = [];
  const hold = (context: RunContext, heeds: boolean): Promise<unknown> =>
    new Promise((finish, fail) => {
      held.push({ context, finish, fail });
      if (heeds) context.signal.addEventListener('abort', () => fail(context.signal.reason));
    });
  const tracker = createRunTracker({
    store,
    clock,
    random: seededRandom(1),
    killGraceMs: 0,
    ...options,
    tasks: {
      echo: (input) => input,
      fail: (message: string) => Promise.reject(new Error(message)),
      held: (_input, context) => hold(context, true),
      deaf: (_input, context) => hold(context, false),
      ...options.tasks,
    },
  });
  const events = createEventMonitor(tracker);
  onTestFinished(async () => {
    events[Symbol.dispose]();
    for (const attempt of held) attempt.finish(null);
    const stopped = tracker.stop({ graceMs: 0 });
    await clock.advance(60_000);
    await stopped;
  });
  return { tracker, clock, store, events, held };
}

const code = (value: string): object => expect.objectContaining({ code: value }) as object;

describe('createRunTracker', () => {
  describe('keeps the service contract', () => {
    const create = (): RunTracker =>
      createRunTracker({ store: createMemoryRunStore(), tasks: { echo: (input) => input } });
    for (const { title, run } of serviceContract(create)) it(title, run);
  });

  it.each([
    [{ maxConcurrent: 0 }, 'Expected `maxConcurrent` to be an integer ≥ 1, or Infinity, got `0` (number).'],
    [{ maxQueued: 0 }, 'Expected `maxQueued` to be an integer ≥ 1, or Infinity, got `0` (number).'],
    [{ maxConcurent: 3 }, 'Unknown option `maxConcurent` of createRunTracker; did you mean `maxConcurrent`?'],
    [{ store: {} }, 'Expected `store` to be a run store, got `{}` (object).'],
    [
      { killGraceMs: 9_000, abandonAfterMs: 5_000 },
      'Expected `killGraceMs` (9000) to be at most `abandonAfterMs` (5000).',
    ],
    [
      { retry: { maxAttempts: 0 } },
      'Expected `maxAttempts` to be an integer ≥ 1, or Infinity, got `0` (number).',
    ],
    [{ tasks: { x: { run: 1 } } }, 'Expected `tasks.x.run` to be a function, got `1` (number).'],
    [{ tasks: {} }, 'Expected `tasks` or `execute` of createRunTracker: there is no code to run.'],
  ])('refuses %j', (options, message) => {
    const whole = { store: createMemoryRunStore(), tasks: { a: () => 1 }, ...options };
    expect(() => createRunTracker(whole as never)).toThrow(message);
  });

  describe('a submission', () => {
    it('is answered with the stored run, and runs then', async () => {
      const { tracker } = setup();
      const run = await tracker.start({ task: 'echo', input: { a: 1 } });
      expect(run).toMatchObject({
        state: 'queued',
        replayed: false,
        task: 'echo',
        priority: 2,
        maxAttempts: 1,
      });
      expect(run.id).toMatch(/^run_20260101_000000_echo_[0-9a-f]{8}$/);
      const ended = await tracker.wait(run.id);
      expect(ended).toMatchObject({ state: 'succeeded', result: { a: 1 }, failures: 0, error: undefined });
      expect(ended.attempts).toMatchObject([
        { number: 1, fence: 1, outcome: 'succeeded', host: { pid: process.pid } },
      ]);
    });

    it('is refused for an unknown task, an unknown option and what is no JSON, and nothing is stored', async () => {
      const { tracker } = setup({ maxPayloadBytes: 100 });
      await expect(tracker.start({ task: 'ekho' })).rejects.toMatchObject({
        code: 'UNKNOWN_TASK',
        message: 'There is no task "ekho". Known: echo, fail, held, deaf.',
      });
      await expect(tracker.start({ task: 'echo', inputs: 1 } as never)).rejects.toThrow(
        'did you mean `input`?',
      );
      await expect(tracker.start({ task: 'echo', input: 1n })).rejects.toThrow('Expected `input` to be JSON');
      await expect(tracker.start({ task: 'echo', input: () => 1 })).rejects.toThrow(
        'Expected `input` to be JSON',
      );
      await expect(tracker.start({ task: 'echo', delayMs: -1 })).rejects.toThrow(RangeError);
      await expect(tracker.start({ task: 'echo', input: 'x'.repeat(200) })).rejects.toMatchObject({
        code: 'INPUT_TOO_LARGE',
        message: 'The input has 202 bytes, 100 are allowed.',
      });
      expect((await tracker.counts()).submitted).toBe(0);
    });

    it('with the idempotency key of another is that run, or refused when the payload differs', async () => {
      const { tracker, events } = setup();
      const input = { a: 1, b: [2] };
      const first = await tracker.start({ task: 'echo', input, idempotencyKey: 'i' });
      const again = await tracker.start({ task: 'echo', input: { b: [2], a: 1 }, idempotencyKey: 'i' });
      expect([again.id, again.replayed]).toEqual([first.id, true]);
      await expect(
        tracker.start({ task: 'echo', input: { a: 2 }, idempotencyKey: 'i' }),
      ).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
        runId: first.id,
        message: `The idempotency key "i" belongs to run ${first.id}, which has another task or input.`,
      });
      await expect(tracker.start({ task: 'held', input, idempotencyKey: 'i' })).rejects.toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
      expect(events.count('run:submitted')).toBe(1);
    });

    it('takes another id when chance gives one that is taken', async () => {
      const numbers = [0.5, 0.5, 0.25];
      const { tracker } = setup({ random: () => numbers.shift() ?? 0 });
      const one = await tracker.start({ task: 'echo' });
      const two = await tracker.start({ task: 'echo' });
      expect([one.id.slice(-8), two.id.slice(-8)]).toEqual(['80000000', '40000000']);
    });

    it('runs at its time, not before', async () => {
      const { tracker, clock } = setup();
      const run = await tracker.start({ task: 'echo', delayMs: 90_000 });
      await clock.advance(89_999);
      expect((await tracker.get(run.id))?.state).toBe('queued');
      await clock.advance(1);
      expect((await tracker.get(run.id))?.state).toBe('succeeded');
    });

    it('runs at its time by the wall clock, also when that was stepped', async () => {
      const { tracker, clock } = setup();
      const run = await tracker.start({ task: 'echo', delayMs: 3_600_000 });
      await clock.advance(1_000);
      clock.stepWallTime(3_600_000);
      await clock.advance(30_000);
      expect((await tracker.get(run.id))?.state).toBe('succeeded');
    });
  });

  describe('order', () => {
    it('takes a run at once, at whatever moment of looking for others it is submitted', async () => {
      for (let turns = 0; turns < 30; turns += 1) {
        const { tracker, clock } = setup();
        await tracker.start({ task: 'echo' });
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        const { id } = await tracker.start({ task: 'echo' });
        await clock.settle();
        expect([turns, (await tracker.get(id))?.state]).toEqual([turns, 'succeeded']);
      }
    });

    it('refuses a run beyond `maxQueued`, and takes the next when one has begun', async () => {
      const { tracker, clock, held, events } = setup({ maxConcurrent: 1, maxQueued: 2 });
      await tracker.start({ task: 'held' });
      await clock.settle();
      const two = await Promise.all([1, 2].map(() => tracker.start({ task: 'held', idempotencyKey: 'i' })));
      await tracker.start({ task: 'held', delayMs: 60_000 });
      const refused = await Promise.allSettled([1, 2, 3].map(() => tracker.start({ task: 'echo' })));
      for (const each of refused) {
        expect(each).toMatchObject({ reason: { code: 'RUN_QUEUE_FULL', maxQueued: 2 } });
      }
      expect(two.map(({ replayed }) => replayed)).toEqual([false, true]);
      expect((await tracker.start({ task: 'held', idempotencyKey: 'i' })).replayed).toBe(true);
      expect(await tracker.counts()).toMatchObject({ queued: 2, running: 1, submitted: 3 });
      expect(events.count('run:submitted')).toBe(3);
      held[0]?.finish(null);
      await clock.settle();
      expect(await tracker.counts()).toMatchObject({ queued: 1, running: 1 });
      expect(await tracker.start({ task: 'echo' })).toMatchObject({ state: 'queued' });
    });

    it('queues what is tried again beyond `maxQueued`', async () => {
      const { tracker, clock, held } = setup({ maxQueued: 1, retry: { maxAttempts: 2 } });
      const { id } = await tracker.start({ task: 'held' });
      await clock.settle();
      await tracker.start({ task: 'held', delayMs: 3_600_000 });
      held[0]?.fail(new Error('no'));
      await clock.settle();
      expect(await tracker.counts()).toMatchObject({ queued: 2, running: 0 });
      await clock.advance(60_000);
      expect(await tracker.get(id)).toMatchObject({ state: 'running', failures: 1 });
    });

    it('lists the runs of a schedule', async () => {
      const { tracker } = setup();
      const { id } = await tracker.start({ task: 'echo', schedule: 'nightly' });
      await tracker.start({ task: 'echo' });
      expect((await tracker.list({ schedule: 'nightly' })).runs).toMatchObject([{ id, schedule: 'nightly' }]);
      await expect(tracker.list({ schedule: 5 as never })).rejects.toThrow('`schedule`');
      await expect(tracker.start({ task: 'echo', schedule: '' })).rejects.toThrow('`schedule`');
    });

    it('runs at most `maxConcurrent` at a time, the urgent ones first', async () => {
      const { tracker, clock, held } = setup({ maxConcurrent: 2 });
      const start = (priority: number) => tracker.start({ task: 'held', input: priority, priority });
      for (const priority of [1, 2]) await start(priority);
      await clock.settle();
      for (const priority of [4, 3]) await start(priority);
      await clock.settle();
      const inputs = (): readonly unknown[] => held.map(({ context }) => context.run.input);
      expect(inputs()).toEqual([1, 2]);
      held[0]?.finish(null);
      await clock.settle();
      expect(inputs()).toEqual([1, 2, 4]);
      held[1]?.finish(null);
      await clock.settle();
      expect(inputs()).toEqual([1, 2, 4, 3]);
    });

    it('runs those of one key one after another', async () => {
      const { tracker, clock, held } = setup();
      for (const key of ['a', 'a', 'b']) await tracker.start({ task: 'held', key });
      await clock.settle();
      expect(held.map(({ context }) => context.run.key)).toEqual(['a', 'b']);
      held[0]?.finish(null);
      await clock.settle();
      expect(held.map(({ context }) => context.run.key)).toEqual(['a', 'b', 'a']);
    });
  });

  describe('a failure', () => {
    it('ends the run, with what it said', async () => {
      const { tracker, clock } = setup();
      const { id } = await tracker.start({ task: 'fail', input: 'no such customer' });
      await clock.settle();
      expect(await tracker.get(id)).toMatchObject({
        state: 'failed',
        failures: 1,
        error: {
          name: 'Error',
          message: 'no such customer',
          stack: expect.stringContaining('run-tracker.test') as string,
        },
      });
    });

    it('keeps the fields of a PawlError, and of no other', async () => {
      const { tracker, clock } = setup({
        tasks: {
          ours: () => Promise.reject(new IllegalMoveError('r', 'lost', 'queued')),
          theirs: () => Promise.reject(Object.assign(new Error('no'), { password: 'x' })),
          bulky: () =>
            Promise.reject(
              Object.assign(new PawlError('no', { code: 'BULKY' }), { all: 'x'.repeat(70_000) }),
            ),
        },
      });
      const errorOf = async (task: string): Promise<unknown> => {
        const { id } = await tracker.start({ task });
        await clock.settle();
        return (await tracker.get(id))?.error;
      };
      expect(await errorOf('ours')).toMatchObject({
        code: 'ILLEGAL_MOVE',
        details: { runId: 'r', from: 'lost', to: 'queued' },
      });
      expect(await errorOf('theirs')).not.toHaveProperty('details');
      expect(await errorOf('bulky')).not.toHaveProperty('details');
    });

    it('that is to stop the retries does so, and is known by its cause', async () => {
      const stop = (): Promise<never> =>
        Promise.reject(new StopRetryError(new RangeError('no such address')));
      const { tracker, clock } = setup({ retry: { maxAttempts: 3 }, tasks: { stop } });
      const { id } = await tracker.start({ task: 'stop' });
      await clock.advance(60_000);
      expect(await tracker.get(id)).toMatchObject({
        state: 'failed',
        failures: 1,
        error: { name: 'RangeError', message: 'no such address' },
      });
    });

    it.each([undefined, null, 0, 'text'])('may be anything that was thrown: %j', async (thrown) => {
      const { tracker, clock } = setup({ tasks: { odd: { run: () => Promise.reject(thrown) } } });
      const { id } = await tracker.start({ task: 'odd' });
      await clock.settle();
      expect(await tracker.get(id)).toMatchObject({ state: 'failed', error: { message: String(thrown) } });
    });

    it('is followed by another attempt after the backoff, as often as the policy allows', async () => {
      const { tracker, clock, events } = setup({
        retry: { maxAttempts: 3, backoff: fixedBackoff(1_000), jitter: false },
      });
      const { id } = await tracker.start({ task: 'fail', input: 'down' });
      await clock.settle();
      expect(await tracker.get(id)).toMatchObject({
        state: 'queued',
        failures: 1,
        error: { message: 'down' },
      });
      await clock.advance(999);
      expect((await tracker.get(id))?.attempts).toHaveLength(1);
      await clock.advance(1);
      expect((await tracker.get(id))?.attempts).toHaveLength(2);
      await clock.advance(1_000);
      const run = await tracker.get(id);
      expect(run).toMatchObject({ state: 'failed', failures: 3 });
      expect(run?.attempts.map(({ number, fence }) => [number, fence])).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      expect(events.events.map(({ name }) => name)).toEqual([
        'run:submitted',
        'attempt:started',
        'attempt:failed',
        'run:requeued',
        'attempt:started',
        'attempt:failed',
        'run:requeued',
        'attempt:started',
        'attempt:failed',
        'run:ended',
      ]);
    });

    it('waits as long as the error asks, and not at all when it says that there is no point', async () => {
      const errors = [
        Object.assign(new Error('busy'), { retryAfterMs: 7_000 }),
        Object.assign(new Error('never'), { retryable: false }),
      ];
      const { tracker, clock } = setup({
        retry: { maxAttempts: 9 },
        tasks: { moody: () => Promise.reject(errors.shift() ?? new Error('none')) },
      });
      const { id } = await tracker.start({ task: 'moody' });
      await clock.advance(6_999);
      expect((await tracker.get(id))?.failures).toBe(1);
      await clock.advance(1);
      expect(await tracker.get(id)).toMatchObject({
        state: 'failed',
        failures: 2,
        error: { message: 'never' },
      });
    });

    it('spreads the waits of many runs by ±20 %', async () => {
      const { tracker, clock, events } = setup({
        maxConcurrent: 100,
        retry: { maxAttempts: 2, backoff: fixedBackoff(1_000) },
      });
      for (let index = 0; index < 50; index += 1) await tracker.start({ task: 'fail', input: 'x' });
      await clock.settle();
      const delays = events.events.flatMap(({ name, payload }) =>
        name === 'run:requeued' ? [(payload as TrackerEvents['run:requeued']).delayMs] : [],
      );
      expect(delays).toHaveLength(50);
      expect(Math.min(...delays)).toBeGreaterThanOrEqual(800);
      expect(Math.max(...delays)).toBeLessThanOrEqual(1_200);
      expect(new Set(delays).size).toBeGreaterThan(40);
    });

    it('fails a run whose result is no JSON or too long, and does not do the work again', async () => {
      const { tracker, clock } = setup({
        maxPayloadBytes: 50,
        retry: { maxAttempts: 3 },
        tasks: { long: () => 'x'.repeat(60), weird: { run: () => 10n, retry: { maxAttempts: 1 } } },
      });
      const long = await tracker.start({ task: 'long' });
      const weird = await tracker.start({ task: 'weird' });
      await clock.settle();
      expect(await tracker.get(long.id)).toMatchObject({
        state: 'failed',
        error: { code: 'RESULT_TOO_LARGE' },
      });
      expect(await tracker.get(weird.id)).toMatchObject({ state: 'failed', error: { name: 'TypeError' } });
    });
  });

  describe('a limit of time', () => {
    it('ends an attempt at its timeout, and tries again if the policy says so', async () => {
      const { tracker, clock, held } = setup({
        retry: { maxAttempts: 2, backoff: fixedBackoff(10), jitter: false },
      });
      const { id } = await tracker.start({ task: 'held', timeoutMs: 5_000 });
      await clock.advance(5_000);
      expect(held[0]?.context.signal.reason).toMatchObject({
        code: 'RUN_TIMEOUT',
        message: `Run ${id} timed out after 5000 ms (attempt 1 of 2).`,
      });
      await clock.advance(10);
      expect(await tracker.get(id)).toMatchObject({ state: 'running', failures: 1 });
      await clock.advance(5_000);
      expect(await tracker.get(id)).toMatchObject({
        state: 'timed-out',
        failures: 2,
        error: { code: 'RUN_TIMEOUT' },
      });
    });

    it('does not try again what it could not end: two attempts must not overlap', async () => {
      const { tracker, clock, held } = setup({ abandonAfterMs: 500, retry: { maxAttempts: 9 } });
      const { id } = await tracker.start({ task: 'deaf', timeoutMs: 1_000 });
      await clock.advance(1_500);
      expect(await tracker.get(id)).toMatchObject({ state: 'timed-out', failures: 1 });
      await clock.advance(3_600_000);
      expect(held).toHaveLength(1);
    });

    it('ends a run at its deadline, whether it waits, works or would be tried again', async () => {
      const { tracker, clock } = setup({
        maxConcurrent: 2,
        retry: { maxAttempts: 5, backoff: fixedBackoff(60_000) },
      });
      const working = await tracker.start({ task: 'held', deadlineMs: 1_000 });
      const failing = await tracker.start({ task: 'fail', deadlineMs: 1_000 });
      const waiting = await tracker.start({ task: 'echo', delayMs: 5_000, deadlineMs: 1_000 });
      await clock.settle();
      expect((await tracker.get(failing.id))?.state).toBe('failed');
      await clock.advance(1_000);
      expect(await tracker.get(working.id)).toMatchObject({
        state: 'timed-out',
        error: { code: 'RUN_DEADLINE' },
      });
      expect(await tracker.get(waiting.id)).toMatchObject({ state: 'timed-out', attempts: [] });
    });

    it('calls an attempt lost that goes silent, and lets its late result change nothing', async () => {
      const { tracker, clock, held, events } = setup({
        tasks: {
          quiet: {
            run: (_input: null, context) =>
              new Promise((finish, fail) => held.push({ context, finish, fail })),
            heartbeatTimeoutMs: 1_000,
          },
        },
        abandonAfterMs: 500,
        retry: { maxLosses: 1 },
      });
      const { id } = await tracker.start({ task: 'quiet' });
      await clock.advance(900);
      held[0]?.context.heartbeat({ percent: 30 });
      await clock.advance(999);
      expect((await tracker.get(id))?.state).toBe('running');
      await clock.advance(501);
      const lost = await tracker.get(id);
      expect(lost).toMatchObject({ state: 'lost', losses: 1, error: { code: 'ATTEMPT_LOST' } });
      expect(lost?.attempts[0]?.receipt).toMatchObject({ reason: 'silent', host: { pid: process.pid } });
      held[0]?.finish('late');
      await clock.settle();
      expect(await tracker.get(id)).toEqual(lost);
      expect(events.count('run:ended')).toBe(1);
    });
  });

  describe('a cancel', () => {
    it('ends a queued run at once: it never starts', async () => {
      const { tracker, clock, held } = setup({ maxConcurrent: 1 });
      await tracker.start({ task: 'held' });
      const { id } = await tracker.start({ task: 'held' });
      const waiter = tracker.wait(id);
      const run = await tracker.cancel(id, { reason: 'changed my mind' });
      expect(run).toMatchObject({ state: 'cancelled', cancelReason: 'changed my mind', attempts: [] });
      expect(await waiter).toEqual(run);
      held[0]?.finish(null);
      await clock.settle();
      expect(held).toHaveLength(1);
    });

    it('ends a running run and never tries it again', async () => {
      const { tracker, clock, held, events } = setup({ retry: { maxAttempts: 5 } });
      const { id } = await tracker.start({ task: 'held' });
      await clock.settle();
      const run = await tracker.cancel(id);
      expect(held[0]?.context.signal.reason).toMatchObject({ code: 'RUN_CANCELLED', runId: id });
      expect(run).toMatchObject({ state: 'cancelled', attempts: [{ outcome: 'cancelled' }] });
      await clock.advance(3_600_000);
      expect(held).toHaveLength(1);
      expect(events.count('run:ended')).toBe(1);
    });

    it('ends a run that waits for its retry', async () => {
      const { tracker, clock } = setup({ retry: { maxAttempts: 5 } });
      const { id } = await tracker.start({ task: 'fail', input: 'x' });
      await clock.settle();
      expect(await tracker.cancel(id)).toMatchObject({ state: 'cancelled', failures: 1 });
      await clock.advance(3_600_000);
      expect((await tracker.get(id))?.attempts).toHaveLength(1);
    });

    it('reaches a run in the very moment it starts', async () => {
      for (let turns = 0; turns < 12; turns += 1) {
        const { tracker, held } = setup();
        const { id } = await tracker.start({ task: 'held' });
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        expect((await tracker.cancel(id)).state).toBe('cancelled');
        expect(held.every(({ context }) => context.signal.aborted)).toBe(true);
      }
    });

    it('reaches a run whose claim is on its way', async () => {
      const inner = createMemoryRunStore();
      const claimed = createDeferred();
      const go = createDeferred();
      const store = {
        ...inner,
        claim: async (request: ClaimRequest) => {
          const claims = await inner.claim(request);
          if (claims.claimed.length > 0) {
            claimed.resolve();
            await go.promise;
          }
          return claims;
        },
      };
      const { tracker, held, clock } = setup({ store });
      const { id } = await tracker.start({ task: 'held' });
      await claimed.promise;
      const cancelling = tracker.cancel(id, { reason: 'too late?' });
      await clock.settle();
      expect((await tracker.get(id))?.state).toBe('running');
      go.resolve();
      expect(await cancelling).toMatchObject({ state: 'cancelled', cancelReason: 'too late?' });
      expect(held).toMatchObject([{ context: { signal: { aborted: true } } }]);
    });

    it('leaves an ended run as it is, and says of an unknown one that there is none', async () => {
      const { tracker } = setup();
      const { id } = await tracker.start({ task: 'echo', input: 1 });
      const ended = await tracker.wait(id);
      expect(await tracker.cancel(id)).toEqual(ended);
      await expect(tracker.cancel('run_nobody')).rejects.toEqual(code('RUN_NOT_FOUND'));
    });

    it('settles a run whose code ignores it, keeps its place taken, and lets its late result change nothing', async () => {
      const { tracker, clock, held, events } = setup({ maxConcurrent: 1, abandonAfterMs: 2_000 });
      const { id } = await tracker.start({ task: 'deaf' });
      await clock.settle();
      const cancelling = tracker.cancel(id);
      await clock.advance(2_000);
      const cancelled = await cancelling;
      expect(cancelled.state).toBe('cancelled');
      const next = await tracker.start({ task: 'echo' });
      await clock.advance(1_000);
      expect((await tracker.get(next.id))?.state).toBe('queued');
      held[0]?.finish('late');
      await clock.settle();
      expect(await tracker.get(id)).toEqual(cancelled);
      expect((await tracker.get(next.id))?.state).toBe('succeeded');
      expect(events.count('run:ended')).toBe(2);
    });
  });

  describe('a removal', () => {
    it('forgets one run that is over, says so, and leaves one that is not', async () => {
      const { tracker, clock, held, events } = setup();
      const { id } = await tracker.start({ task: 'held' });
      await clock.settle();
      await expect(tracker.remove(id)).rejects.toEqual(code('RUN_NOT_ENDED'));
      held[0]?.finish(1);
      await tracker.wait(id);
      await tracker.remove(id);
      expect(await tracker.get(id)).toBeUndefined();
      expect(await events.next('runs:removed')).toEqual({ runIds: [id] });
      await expect(tracker.remove(id)).rejects.toEqual(code('RUN_NOT_FOUND'));
      expect(await tracker.counts()).toMatchObject({ submitted: 1, removed: 1, succeeded: 0 });
    });
  });

  describe('waiting', () => {
    it('ends with the run, with the signal, or with the tracker', async () => {
      const { tracker, clock, held } = setup();
      const { id } = await tracker.start({ task: 'held' });
      const abort = new AbortController();
      const [byRun, bySignal] = [tracker.wait(id), tracker.wait(id, { signal: abort.signal })];
      await clock.settle();
      abort.abort(new Error('enough'));
      await expect(bySignal).rejects.toThrow('enough');
      held[0]?.finish(7);
      expect((await byRun).result).toBe(7);
      await expect(tracker.wait('run_nobody')).rejects.toEqual(code('RUN_NOT_FOUND'));
      const later = await tracker.start({ task: 'echo', delayMs: 1_000 });
      const byStop = tracker.wait(later.id);
      const rejected = expect(byStop).rejects.toEqual(code('TRACKER_STOPPED'));
      await clock.settle();
      await tracker.stop();
      await rejected;
    });

    it('for all ends when everything is over that was under way', async () => {
      const { tracker, clock, held } = setup({ maxConcurrent: 2 });
      for (let index = 0; index < 5; index += 1) await tracker.start({ task: 'held', input: index });
      await clock.settle();
      const all = tracker.waitAll();
      for (let index = 0; index < 5; index += 1) {
        held[index]?.finish(index);
        await clock.settle();
      }
      expect(new Set((await all).map(({ result }) => result))).toEqual(new Set([0, 1, 2, 3, 4]));
      expect(await tracker.waitAll()).toEqual([]);
    });
  });

  it('stores the last progress with the end of the run, however soon that is', async () => {
    const { tracker } = setup({
      tasks: {
        quick: (_input, context) => {
          context.heartbeat({ done: 3 });
          return 'done';
        },
      },
    });
    const { id } = await tracker.start({ task: 'quick' });
    expect(await tracker.wait(id)).toMatchObject({ state: 'succeeded', progress: { done: 3 } });
  });

  it('stores progress with the next heartbeat', async () => {
    const { tracker, clock, held } = setup();
    const { id } = await tracker.start({ task: 'held' });
    await clock.settle();
    held[0]?.context.heartbeat({ done: 1 });
    held[0]?.context.heartbeat({ done: 2 });
    await clock.advance(5_000);
    const run = await tracker.get(id);
    expect(run?.progress).toEqual({ done: 2 });
    expect((run?.heartbeatAt ?? 0) - (run?.startedAt ?? 0)).toBe(5_000);
  });

  it('removes runs 30 days after their end, and counts on', async () => {
    const { tracker, clock, events } = setup({ retentionEveryMs: 86_400_000, heartbeatMs: 86_400_000 });
    const { id } = await tracker.start({ task: 'echo' });
    await clock.advance(29 * 86_400_000);
    expect((await tracker.get(id))?.state).toBe('succeeded');
    await clock.advance(2 * 86_400_000);
    expect(await tracker.get(id)).toBeUndefined();
    expect(events.events.find(({ name }) => name === 'runs:removed')?.payload).toEqual({ runIds: [id] });
    expect(await tracker.counts()).toMatchObject({ submitted: 1, removed: 1, succeeded: 0 });
  });

  it('fails a stored run whose task it does not know, and says so', async () => {
    const store = createMemoryRunStore();
    const first = setup({ store });
    const { id } = await first.tracker.start({ task: 'echo', delayMs: 1_000 });
    await first.tracker.stop();
    const tracker = createRunTracker({ store, clock: first.clock, tasks: { other: () => 1 } });
    onTestFinished(async () => void (await tracker.stop()));
    await tracker.start();
    await first.clock.advance(1_000);
    expect(await tracker.get(id)).toMatchObject({ state: 'failed', error: { code: 'UNKNOWN_TASK' } });
  });

  it('gives the whole run to `execute`, whatever the task', async () => {
    const tracker = createRunTracker({
      store: createMemoryRunStore(),
      execute: (run, { attempt, fence }) => [run.task, run.input, attempt, fence],
    });
    onTestFinished(async () => void (await tracker.stop()));
    const { id } = await tracker.start({ task: 'anything', input: 5 });
    expect((await tracker.wait(id)).result).toEqual(['anything', 5, 1, 1]);
  });

  it('keeps hold of a next attempt that begins before the last one was cleared away', async () => {
    const inner = createMemoryRunStore();
    // As in a group commit: the claim that follows a settle is answered no later than it.
    const store: RunStore = {
      ...inner,
      settle: async (...args) => {
        const run = await inner.settle(...args);
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        return run;
      },
    };
    const { tracker, clock, held } = setup({
      store,
      retry: { maxAttempts: 2, backoff: fixedBackoff(0), jitter: false },
    });
    const { id } = await tracker.start({ task: 'held' });
    await clock.settle();
    held[0]?.fail(new Error('once'));
    await tracker.start({ task: 'echo' });
    await clock.settle();
    expect(held).toHaveLength(2);
    expect(await tracker.cancel(id)).toMatchObject({ state: 'cancelled', fence: 2 });
  });

  describe('a drain', () => {
    it('begins nothing more, and is over when what ran has ended', async () => {
      const { tracker, clock, held } = setup({ maxConcurrent: 1 });
      const first = await tracker.start({ task: 'held' });
      const second = await tracker.start({ task: 'held' });
      await clock.settle();
      const drained = tracker.drain().then(() => 'drained');
      held[0]?.finish('done');
      expect(await drained).toBe('drained');
      await clock.advance(60_000);
      expect(held).toHaveLength(1);
      expect(await tracker.get(first.id)).toMatchObject({ state: 'succeeded', result: 'done' });
      expect(await tracker.get(second.id)).toMatchObject({ state: 'queued', attempts: [] });
    });

    it('can be cut short by a stop, which leaves what ran to the next host', async () => {
      const { tracker, clock, held } = setup();
      const { id } = await tracker.start({ task: 'held' });
      await clock.settle();
      const drained = tracker.drain();
      const stopped = tracker.stop({ graceMs: 0 });
      await clock.advance(0);
      expect(await stopped).toEqual({ drained: false, orphaned: [id] });
      await drained;
      expect(held[0]?.context.signal.reason).toMatchObject({ code: 'TRACKER_STOPPED' });
    });
  });

  describe('a stop', () => {
    it('lets what runs finish within the grace', async () => {
      const { tracker, clock, held, store } = setup();
      const { id } = await tracker.start({ task: 'held' });
      const later = await tracker.start({ task: 'echo', delayMs: 10 });
      await clock.settle();
      const stopping = tracker.stop({ graceMs: 1_000 });
      await expect(tracker.start({ task: 'echo' })).rejects.toEqual(code('TRACKER_STOPPED'));
      expect((await tracker.get(id))?.state).toBe('running');
      await clock.advance(500);
      held[0]?.finish('in time');
      expect(await stopping).toEqual({ drained: true, orphaned: [] });
      await store.open({
        host: { id: 'next', name: '', pid: 1, startTime: '', bootId: '', since: 0 },
        maxPerKey: 1,
      });
      expect(await store.get(id)).toMatchObject({ state: 'succeeded', result: 'in time' });
      expect(await store.get(later.id)).toMatchObject({ state: 'queued' });
    });

    it('queues again what the grace is too short for, and it costs no attempt', async () => {
      const first = setup({ retry: { maxAttempts: 1 } });
      const { id } = await first.tracker.start({ task: 'held' });
      await first.clock.settle();
      const stopping = first.tracker.stop({ graceMs: 1_000 });
      await first.clock.advance(1_000);
      expect(await stopping).toEqual({ drained: false, orphaned: [id] });
      const second = setup({ store: first.store });
      await second.tracker.start();
      await second.clock.advance(1_000);
      expect(second.held[0]?.context).toMatchObject({ attempt: 1, fence: 2 });
      second.held[0]?.finish('done');
      const run = await second.tracker.wait(id);
      expect(run).toMatchObject({ state: 'succeeded', failures: 0, losses: 0 });
      expect(run.attempts.map(({ outcome }) => outcome)).toEqual(['stopped', 'succeeded']);
    });
  });

  describe('what another host left running', () => {
    /** A store with a run that was running when its host, of this boot, was killed. */
    async function leftBehind(bootId: string | undefined, changes: Partial<NewRun> = {}): Promise<RunStore> {
      const store = createMemoryRunStore();
      const host = { id: 'dead', name: 'machine', pid: 1, startTime: 'never', bootId, since: T0 };
      await store.open({ host, maxPerKey: 1 });
      await store.add(sampleRun('run_left', { task: 'echo', input: 'again', ...changes }));
      await store.claim({ now: T0, limit: 1 });
      await store.heartbeat(T0 + 70, [{ id: 'run_left', fence: 1 }]);
      await store.close();
      return store;
    }

    it('is lost with a receipt, then tried again without costing an attempt', async () => {
      const { tracker, clock, events } = setup({ store: await leftBehind(thisHost('', 0).bootId) });
      await clock.advance(1_000);
      await tracker.start();
      await clock.advance(1_000);
      const run = await tracker.get('run_left');
      expect(run).toMatchObject({ state: 'succeeded', result: 'again', losses: 1, failures: 0, fence: 2 });
      expect(run?.attempts[0]).toMatchObject({
        outcome: 'lost',
        error: {
          code: 'ATTEMPT_LOST',
          message: 'An attempt of run run_left was lost: process 1 on machine died.',
        },
        receipt: {
          reason: 'host-died',
          host: { id: 'dead', pid: 1, startTime: 'never', since: T0 },
          lastHeartbeatAt: T0 + 70,
          foundAt: T0 + 1_000,
          endedPids: [],
        },
      });
      expect(events.events.map(({ name }) => name)).toEqual([
        'attempt:lost',
        'run:requeued',
        'attempt:started',
        'attempt:succeeded',
        'run:ended',
      ]);
    });

    it('is lost for good when the policy says so, and after a reboot the receipt says that', async () => {
      const { tracker, clock } = setup({ store: await leftBehind('an earlier boot', { maxLosses: 1 }) });
      await tracker.start();
      await clock.advance(60_000);
      expect(await tracker.get('run_left')).toMatchObject({
        state: 'lost',
        fence: 1,
        error: {
          message: expect.stringContaining('process 1 on machine went down with its machine') as string,
        },
        attempts: [{ receipt: { reason: 'host-rebooted', host: { bootId: 'an earlier boot' } } }],
      });
    });

    it('is lost for good after it was lost three times, so that it does not kill hosts for ever', async () => {
      const store = createMemoryRunStore();
      for (let life = 1; life <= 3; life += 1) {
        const host = {
          id: `dead-${life}`,
          name: 'machine',
          pid: 1,
          startTime: 'never',
          bootId: '',
          since: T0,
        };
        await store.open({ host, maxPerKey: 1 });
        if (life === 1) await store.add(sampleRun('poison', { task: 'held' }));
        if (life > 1) {
          const [orphan] = await store.orphaned(1);
          await store.settle('poison', orphan?.fence ?? 0, T0, { outcome: 'lost', retryAt: T0 });
        }
        await store.claim({ now: T0, limit: 1 });
        await store.close();
      }
      const { tracker, clock, held } = setup({ store });
      await tracker.start();
      await clock.advance(60_000);
      expect(await tracker.get('poison')).toMatchObject({ state: 'lost', losses: 3 });
      expect(held).toEqual([]);
    });

    it('is cancelled and not tried again when that had been asked for', async () => {
      const store = await leftBehind('an earlier boot');
      const host = { ...thisHost('between', T0) };
      await store.open({ host, maxPerKey: 1 });
      await store.cancel('run_left', T0 + 80, 'by hand');
      await store.close();
      const { tracker, clock } = setup({ store });
      await tracker.start();
      await clock.advance(60_000);
      expect(await tracker.get('run_left')).toMatchObject({
        state: 'cancelled',
        cancelReason: 'by hand',
        fence: 1,
      });
    });
  });

  describe('a store that fails', () => {
    /** Fails the named calls until it is repaired. */
    function failing(
      inner: RunStore,
      ...names: readonly (keyof RunStore)[]
    ): { readonly store: RunStore; readonly repair: () => void } {
      let broken: readonly string[] = names;
      const store = new Proxy(inner, {
        get: (target, name: keyof RunStore) =>
          broken.includes(name)
            ? () => Promise.reject(Object.assign(new Error('disk full'), { code: 'STORE_FULL' }))
            : target[name],
      });
      return { store, repair: () => void (broken = []) };
    }

    it('is asked again for the end of an attempt, so that it is not lost', async () => {
      const { store, repair } = failing(createMemoryRunStore(), 'settle', 'heartbeat');
      const { tracker, clock, events } = setup({ store });
      const { id } = await tracker.start({ task: 'echo', input: 'precious' });
      await clock.advance(60_000);
      expect((await tracker.get(id))?.state).toBe('running');
      expect(
        await events.next('store:failed', ({ operation }) => operation === 'end an attempt'),
      ).toMatchObject({
        error: { code: 'STORE_FULL' },
        retryInMs: 200,
      });
      repair();
      await clock.advance(10_000);
      expect(await tracker.get(id)).toMatchObject({ state: 'succeeded', result: 'precious', fence: 1 });
    });

    it('is asked again for runs, and refuses submissions meanwhile with its own words', async () => {
      const { store, repair } = failing(createMemoryRunStore(), 'claim', 'add');
      const { tracker, clock } = setup({ store });
      await expect(tracker.start({ task: 'echo' })).rejects.toThrow('disk full');
      repair();
      const { id } = await tracker.start({ task: 'echo' });
      await clock.advance(10_000);
      expect((await tracker.get(id))?.state).toBe('succeeded');
    });
  });

  it('refuses a store that another tracker has, naming it', async () => {
    const { store, tracker } = setup();
    await tracker.start();
    const second = createRunTracker({ store, tasks: { a: () => 1 } });
    await expect(second.start()).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      holder: { pid: process.pid },
    });
    await expect(second.start({ task: 'a' })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    expect((await tracker.counts()).submitted).toBe(0);
  });
});
