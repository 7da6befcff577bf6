import { fixedBackoff } from '@pawl/resilience';
import { createDeferred, type Deferred, seededRandom } from '@pawl/core';
import { createEventMonitor, createManualClock, serviceContract } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChildRestart, ChildSpec } from './child-spec.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { SupervisorOptions } from './supervisor-options.ts';

/** A child under the control of a test. What happens to all of them is noted in one log. */
function fakeChild(log: string[], id: string, restart: ChildRestart = 'permanent') {
  let running: Deferred<unknown> | undefined;
  const fake = {
    starts: 0,
    failNextStarts: 0,
    get isRunning() {
      return running !== undefined;
    },
    end(how: unknown = { exitCode: 0, signal: null }) {
      running?.resolve(how);
      running = undefined;
    },
    fail(message = 'boom') {
      running?.reject(new Error(message));
      running = undefined;
    },
    spec: {
      id,
      restart,
      start() {
        fake.starts += 1;
        if (fake.failNextStarts > 0) {
          fake.failNextStarts -= 1;
          log.push(`${id} fails to start`);
          throw new Error(`${id} can not start`);
        }
        log.push(`${id} starts`);
        const exited = createDeferred<unknown>();
        running = exited;
        return {
          exited: exited.promise,
          async stop() {
            log.push(`${id} stops`);
            exited.resolve(undefined);
            running = undefined;
          },
        };
      },
    } satisfies ChildSpec,
  };
  return fake;
}

/** Three children `a`, `b` and `c`, of the kinds given. */
function setup(
  options: Partial<SupervisorOptions> = {},
  kinds: readonly ChildRestart[] = ['permanent', 'permanent', 'permanent'],
) {
  const clock = createManualClock();
  const log: string[] = [];
  const fakes = kinds.map((kind, index) => fakeChild(log, 'abcdef'[index] ?? '', kind));
  const supervisor = createSupervisor({
    children: fakes.map(({ spec }) => spec),
    clock,
    jitter: false,
    backoff: fixedBackoff(100),
    ...options,
  });
  const events = createEventMonitor(supervisor);
  const [a, b, c] = fakes as [Fake, Fake, Fake];
  /** What happened since it was asked last. */
  const news = () => log.splice(0);
  return { clock, supervisor, events, fakes, a, b, c, news };
}

type Fake = ReturnType<typeof fakeChild>;

const statesOf = (supervisor: Supervisor) => supervisor.children().map(({ state }) => state);

describe('createSupervisor', () => {
  describe('keeps the service contract', () => {
    for (const { title, run } of serviceContract(() => setup().supervisor)) it(title, run);
  });

  it('starts in order and stops in reverse', async () => {
    const { supervisor, news } = setup();
    await supervisor.start();
    expect(news()).toEqual(['a starts', 'b starts', 'c starts']);
    expect(await supervisor.stop()).toEqual({ drained: true, orphaned: [] });
    expect(news()).toEqual(['c stops', 'b stops', 'a stops']);
    expect(statesOf(supervisor)).toEqual(['stopped', 'stopped', 'stopped']);
    await supervisor.exited;
  });

  it('stops what has started, in reverse, when one in the middle fails to', async () => {
    const { supervisor, news, c } = setup();
    c.failNextStarts = 1;
    await expect(supervisor.start()).rejects.toMatchObject({
      code: 'CHILD_START_FAILED',
      message: 'Child c did not start: c can not start',
    });
    expect(news()).toEqual(['a starts', 'b starts', 'c fails to start', 'b stops', 'a stops']);
    expect(supervisor.state).toBe('stopped');
  });

  it.each([
    ['one-for-one', ['b starts']],
    ['one-for-all', ['c stops', 'a stops', 'a starts', 'b starts', 'c starts']],
    ['rest-for-one', ['c stops', 'b starts', 'c starts']],
  ] as const)('%s: restarts the right ones, in order', async (strategy, expected) => {
    const { supervisor, clock, news, b } = setup({ strategy });
    await supervisor.start();
    news();
    b.fail();
    await clock.advance(99);
    expect(news()).toEqual(expected.filter((each) => each.endsWith('stops')));
    await clock.advance(1);
    expect(news()).toEqual(expected.filter((each) => each.endsWith('starts')));
    expect(statesOf(supervisor)).toEqual(['running', 'running', 'running']);
    await supervisor.stop();
  });

  it.each(['one-for-one', 'one-for-all', 'rest-for-one'] as const)(
    '%s: brings all back that fail at the same time',
    async (strategy) => {
      const { supervisor, clock, fakes } = setup({ strategy });
      await supervisor.start();
      for (const fake of fakes) fake.fail();
      await clock.advance(1_000);
      expect(statesOf(supervisor)).toEqual(['running', 'running', 'running']);
      expect(fakes.map(({ isRunning }) => isRunning)).toEqual([true, true, true]);
      await supervisor.stop();
    },
  );

  it.each(['one-for-all', 'rest-for-one'] as const)(
    '%s: begins anew when one of the group fails again on the way',
    async (strategy) => {
      const { supervisor, clock, news, a, b } = setup({ strategy });
      await supervisor.start();
      b.failNextStarts = 1;
      a.fail();
      await clock.advance(100);
      await clock.advance(100);
      expect(statesOf(supervisor)).toEqual(['running', 'running', 'running']);
      const again = strategy === 'one-for-all' ? ['a stops', 'a starts'] : [];
      expect(news().slice(3)).toEqual([
        'c stops',
        'b stops',
        'a starts',
        'b fails to start',
        ...again,
        'b starts',
        'c starts',
      ]);
      await supervisor.stop();
    },
  );

  describe('restarts', () => {
    const cases: readonly [ChildRestart, 'fails' | 'ends', boolean][] = [
      ['permanent', 'fails', true],
      ['permanent', 'ends', true],
      ['transient', 'fails', true],
      ['transient', 'ends', false],
      ['temporary', 'fails', false],
      ['temporary', 'ends', false],
    ];
    it.each(cases)('a %s child that %s: %s', async (kind, what, restarts) => {
      const { supervisor, clock, events, a } = setup({}, [kind]);
      await supervisor.start();
      if (what === 'fails') a.fail();
      else a.end();
      expect(await events.next('child:exited')).toMatchObject({ childId: 'a', restarts });
      await clock.advance(60_000);
      expect(a.starts).toBe(restarts ? 2 : 1);
      expect(statesOf(supervisor)).toEqual([restarts ? 'running' : 'ended']);
      await supervisor.stop();
    });

    it.each([
      [{ exitCode: 3, signal: null }, 'Child a exited with code 3.'],
      [{ exitCode: null, signal: 'SIGSEGV' }, 'Child a was killed by SIGSEGV.'],
    ])('a transient process that ended with %j', async (how, message) => {
      const { supervisor, clock, events, a } = setup({}, ['transient']);
      await supervisor.start();
      a.end(how);
      expect((await events.next('child:exited')).error?.message).toBe(message);
      await clock.advance(100);
      expect(a.starts).toBe(2);
      await supervisor.stop();
    });

    it('with a group neither a temporary child nor one that had ended well', async () => {
      const kinds = ['permanent', 'transient', 'temporary'] as const;
      const { supervisor, clock, news, a, b } = setup({ strategy: 'one-for-all' }, kinds);
      await supervisor.start();
      b.end();
      await clock.settle();
      news();
      a.fail();
      await clock.advance(100);
      expect(news()).toEqual(['c stops', 'a starts']);
      expect(statesOf(supervisor)).toEqual(['running', 'ended', 'ended']);
      await supervisor.stop();
    });
  });

  describe('waits', () => {
    it('longer with each failure in a row, and begins anew after a healthy time', async () => {
      const { supervisor, clock, events, a } = setup(
        { maxRestarts: 100, backoff: (failures) => 100 * 2 ** (failures - 1), healthyMs: 5_000 },
        ['permanent'],
      );
      await supervisor.start();
      const delays: number[] = [];
      const failOnce = async (): Promise<void> => {
        a.fail();
        const { delayMs } = await events.next('child:restarting');
        delays.push(delayMs);
        await clock.advance(delayMs);
      };
      await failOnce();
      await failOnce();
      await clock.advance(4_999);
      await failOnce();
      await clock.advance(5_000);
      await failOnce();
      expect(delays).toEqual([100, 200, 400, 100]);
      await supervisor.stop();
    });

    it('a little more or less than others do', async () => {
      const { supervisor, clock, events, a } = setup(
        { jitter: (delayMs, random) => delayMs + random(), random: seededRandom(1), maxRestarts: 9 },
        ['permanent'],
      );
      await supervisor.start();
      a.fail();
      const first = await events.next('child:restarting');
      await clock.advance(first.delayMs);
      a.fail();
      const second = await events.next('child:restarting');
      expect(first.delayMs).toBeGreaterThan(100);
      expect(second.delayMs).not.toBe(first.delayMs);
      await supervisor.stop();
    });

    it('for one child only: another is restarted meanwhile', async () => {
      const { supervisor, clock, a, b } = setup({
        backoff: (failures) => (failures > 1 ? 10_000 : 100),
        healthyMs: 60_000,
      });
      await supervisor.start();
      a.fail();
      await clock.advance(100);
      a.fail();
      await clock.advance(100);
      b.fail();
      await clock.advance(100);
      expect(statesOf(supervisor)).toEqual(['waiting', 'running', 'running']);
      await supervisor.stop();
    });
  });

  describe('crash loop', () => {
    /** Fails the child until the loop opens: at the fourth failure. */
    async function openLoop({ clock, a }: Pick<ReturnType<typeof setup>, 'clock' | 'a'>): Promise<void> {
      for (let i = 0; i < 4; i += 1) {
        a.fail();
        await clock.advance(100);
      }
    }

    it('opens when failures exceed the budget, also of a child that ran well for long', async () => {
      const context = setup({ healthyMs: 5_000 });
      const { supervisor, clock, events, a, b } = context;
      await supervisor.start();
      await clock.advance(3_600_000);
      await openLoop(context);
      expect(a.starts).toBe(4);
      expect(await events.next('supervisor:crash-loop')).toMatchObject({ failures: 4, retryAfterMs: 60_000 });
      expect(supervisor.crashLoop).toMatchObject({ code: 'CRASH_LOOP', retryAfterMs: 59_900 });
      expect(supervisor.crashLoop?.message).toBe(
        'Children failed 4 times within 60000 ms: the supervisor starts no more for 59900 ms.',
      );
      // The others are left alone.
      expect(b.starts).toBe(1);
      expect(statesOf(supervisor)).toEqual(['waiting', 'running', 'running']);
      await supervisor.stop();
    });

    it('does not open when the failures are far apart', async () => {
      const { supervisor, clock, events, a } = setup();
      await supervisor.start();
      for (let i = 0; i < 20; i += 1) {
        a.fail();
        await clock.advance(20_000);
      }
      expect(a.starts).toBe(21);
      expect(events.count('supervisor:crash-loop')).toBe(0);
      await supervisor.stop();
    });

    it('is over when the probe stays up for a healthy time', async () => {
      const context = setup({ healthyMs: 5_000 });
      const { supervisor, clock, events, a } = context;
      await supervisor.start();
      await openLoop(context);
      await clock.advance(60_000);
      expect(a.starts).toBe(5);
      expect(events.count('supervisor:recovered')).toBe(0);
      await clock.advance(5_000);
      expect(await events.next('supervisor:recovered')).toEqual({ childId: 'a' });
      expect(supervisor.crashLoop).toBeUndefined();
      // The whole budget is there again.
      for (let i = 0; i < 3; i += 1) {
        a.fail();
        await clock.advance(100);
      }
      expect(a.starts).toBe(8);
      await supervisor.stop();
    });

    it('opens again at the first failure of the probe', async () => {
      const context = setup();
      const { supervisor, clock, events, a } = context;
      await supervisor.start();
      await openLoop(context);
      await clock.advance(60_000);
      a.fail();
      await clock.advance(59_999);
      expect(a.starts).toBe(5);
      await clock.advance(1);
      expect(a.starts).toBe(6);
      expect(events.count('supervisor:crash-loop')).toBe(2);
      await supervisor.stop();
    });

    it('tries one child before the others', async () => {
      const context = setup({ healthyMs: 5_000 });
      const { supervisor, clock, a, b } = context;
      await supervisor.start();
      b.fail();
      await clock.settle();
      for (let i = 0; i < 3; i += 1) {
        a.fail();
        await clock.advance(100);
      }
      b.fail();
      await clock.advance(100);
      expect(statesOf(supervisor)).toEqual(['waiting', 'waiting', 'running']);
      await clock.advance(60_000);
      expect(statesOf(supervisor).filter((state) => state === 'running')).toHaveLength(2);
      await clock.advance(5_000);
      expect(statesOf(supervisor)).toEqual(['running', 'running', 'running']);
      await supervisor.stop();
    });

    it('tries another when the one that is tried ends as it should', async () => {
      const { supervisor, clock, a, b } = setup({ maxRestarts: 0 }, ['transient', 'permanent']);
      await supervisor.start();
      a.fail();
      b.fail();
      await clock.advance(60_000);
      expect(statesOf(supervisor)).toEqual(['running', 'waiting']);
      a.end();
      await clock.advance(10_000);
      expect(statesOf(supervisor)).toEqual(['ended', 'running']);
      await supervisor.stop();
    });

    it('ends the supervisor itself where that was asked for', async () => {
      const context = setup({ afterCrashLoop: 'stop' });
      const { supervisor, news } = context;
      await supervisor.start();
      await openLoop(context);
      await expect(supervisor.exited).rejects.toMatchObject({ code: 'CRASH_LOOP' });
      expect(supervisor.state).toBe('stopped');
      expect(news().slice(-2)).toEqual(['c stops', 'b stops']);
    });
  });

  it('is a child of another: what it can not mend, the one above starts afresh', async () => {
    const clock = createManualClock();
    const log: string[] = [];
    const worker = fakeChild(log, 'worker');
    const outer = createSupervisor({
      clock,
      jitter: false,
      backoff: fixedBackoff(1_000),
      children: [
        {
          id: 'inner',
          async start() {
            const inner = createSupervisor({
              clock,
              jitter: false,
              backoff: fixedBackoff(100),
              maxRestarts: 1,
              afterCrashLoop: 'stop',
              children: [worker.spec],
            });
            await inner.start();
            return inner;
          },
        },
      ],
    });
    const events = createEventMonitor(outer);
    await outer.start();
    worker.fail();
    await clock.advance(100);
    worker.fail();
    expect(await events.next('child:exited')).toMatchObject({
      childId: 'inner',
      error: { code: 'CRASH_LOOP' },
    });
    await clock.advance(1_000);
    expect(worker.starts).toBe(3);
    expect(statesOf(outer)).toEqual(['running']);
    await outer.stop();
    expect(log.at(-1)).toBe('worker stops');
  });

  it('stops while a restart waits, and while a start hangs', async () => {
    const clock = createManualClock();
    const log: string[] = [];
    const flaky = fakeChild(log, 'flaky');
    const late = createDeferred<{ exited: Promise<unknown>; stop: () => Promise<void> }>();
    let starts = 0;
    const supervisor = createSupervisor({
      clock,
      children: [
        flaky.spec,
        {
          id: 'hangs',
          start() {
            starts += 1;
            return starts === 1
              ? { exited: Promise.reject(new Error('boom')), stop: async () => undefined }
              : late.promise;
          },
        },
      ],
    });
    await supervisor.start();
    await clock.advance(200);
    expect(starts).toBe(2);
    flaky.fail();
    await clock.settle();
    expect(await supervisor.stop()).toEqual({ drained: true, orphaned: [] });
    expect(clock.pendingTimers).toBe(0);
    // What comes too late is not left running.
    const stopped = createDeferred();
    late.resolve({ exited: stopped.promise, stop: async () => stopped.resolve() });
    await stopped.promise;
  });

  it('names those that did not stop by themselves', async () => {
    const { supervisor, events } = setup({
      children: [
        {
          id: 'forced',
          start: () => ({ exited: new Promise(() => undefined), stop: async () => ({ forced: true }) }),
        },
        {
          id: 'throws',
          start: () => ({
            exited: new Promise(() => undefined),
            stop: () => Promise.reject(new Error('no')),
          }),
        },
        {
          id: 'short',
          stopGraceMs: 7,
          start: () => ({
            exited: new Promise(() => undefined),
            stop: async ({ graceMs }) => ({ drained: graceMs === 7 }),
          }),
        },
      ],
    });
    await supervisor.start();
    expect(await supervisor.stop()).toEqual({ drained: false, orphaned: ['throws', 'forced'] });
    expect(events.count('child:stopped')).toBe(3);
  });

  it('keeps its promises for any schedule of failures', async () => {
    const step = fc.record({
      child: fc.nat({ max: 3 }),
      what: fc.constantFrom('fail', 'end', 'fail to start'),
      thenMs: fc.constantFrom(0, 50, 100, 5_000, 60_000),
    });
    const strategies = fc.constantFrom('one-for-one', 'one-for-all', 'rest-for-one');
    const kinds = fc.array(fc.constantFrom('permanent', 'transient', 'temporary'), {
      minLength: 4,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(
        strategies,
        kinds,
        fc.array(step, { maxLength: 30 }),
        async (strategy, kind, steps) => {
          const { supervisor, clock, fakes } = setup({ strategy, healthyMs: 1_000 }, kind);
          await supervisor.start();
          for (const { child, what, thenMs } of steps) {
            const fake = fakes[child];
            if (what === 'fail to start' && fake !== undefined) fake.failNextStarts = 1;
            if (what === 'end') fake?.end();
            else fake?.fail();
            await clock.advance(thenMs);
          }
          // With peace and quiet, whatever is to run does: two windows, for a loop may have opened at the last step.
          for (const fake of fakes) fake.failNextStarts = 0;
          await clock.advance(300_000);
          for (const [index, { state }] of supervisor.children().entries()) {
            expect(fakes[index]?.isRunning).toBe(state === 'running');
            expect(state).toMatch(kind[index] === 'permanent' ? /^running$/ : /^(running|ended)$/);
          }
          expect(supervisor.crashLoop).toBeUndefined();
          await supervisor.stop();
          expect(fakes.map(({ isRunning }) => isRunning)).toEqual([false, false, false, false]);
          expect(clock.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    [{ children: [{ id: 'a' }] }, /children\[0\]` to be a child with either `start` or `process`/],
    [{ children: [{ id: '', start: () => undefined }] }, /children\[0\].id` to be a non-empty string/],
    [{ children: [], strategy: 'all' }, /`strategy` to be one of/],
    [{ children: [], maxRestarts: -1 }, /`maxRestarts` to be an integer ≥ 0/],
    [{ children: [], maxRestart: 1 }, /did you mean `maxRestarts`/],
  ])('refuses %j', (options, message) => {
    expect(() => createSupervisor(options as never)).toThrow(message);
  });
});
