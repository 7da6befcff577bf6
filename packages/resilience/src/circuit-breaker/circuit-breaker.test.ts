import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createDeferred, type Deferred } from '@pawl/core';
import { createEventMonitor, createManualClock, type ManualClock } from '@pawl/core/testing';
import { watch } from '../../test/settle.ts';
import { timeout } from '../timeout.ts';
import { compose } from '../policy.ts';
import { retry } from '../retry/retry.ts';
import { exponentialBackoff } from '../retry/backoff.ts';
import type { CircuitBreakerOptions } from './breaker-options.ts';
import { circuitBreaker, type CircuitBreaker } from './circuit-breaker.ts';
import { CircuitOpenError } from './circuit-open-error.ts';

const down = new Error('down');

function setup(options: CircuitBreakerOptions = {}, clock: ManualClock = createManualClock()) {
  const breaker = circuitBreaker({ clock, ...options });
  const events = createEventMonitor(breaker);
  const fail = async (times = 1, error: unknown = down): Promise<void> => {
    for (let call = 0; call < times; call += 1) {
      await breaker.execute(() => Promise.reject(error as Error)).catch(() => undefined);
    }
  };
  const succeed = async (times = 1): Promise<void> => {
    for (let call = 0; call < times; call += 1) await breaker.execute(() => 'ok');
  };
  /** A call that ends when the test says so. */
  const begin = (): { readonly work: Deferred<unknown>; readonly outcome: ReturnType<typeof watch> } => {
    const work = createDeferred<unknown>();
    return { work, outcome: watch(breaker.execute(() => work.promise)) };
  };
  const refused = async (): Promise<CircuitOpenError> => {
    let called = false;
    const error: unknown = await breaker
      .execute(() => {
        called = true;
      })
      .catch((thrown: unknown) => thrown);
    expect(called).toBe(false);
    expect(error).toBeInstanceOf(CircuitOpenError);
    return error as CircuitOpenError;
  };
  const opened = async (): Promise<void> => {
    await fail(5);
    expect(breaker.state).toBe('open');
  };
  return { breaker, clock, events, fail, succeed, begin, refused, opened };
}

describe('a closed breaker', () => {
  it('passes results and errors through as they are', async () => {
    const { breaker } = setup();
    const result = { some: 'result' };
    expect(await breaker.execute(() => result)).toBe(result);
    await expect(breaker.execute(() => Promise.reject(down))).rejects.toBe(down);
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 2, failures: 1, failureRate: 0.5 });
  });

  it('opens at the fifth failure of a minute', async () => {
    const { breaker, clock, fail } = setup();
    await fail(4);
    await clock.advance(59_999);
    expect(breaker.state).toBe('closed');
    await fail();
    expect(breaker.state).toBe('open');
  });

  it('forgets failures that are older than the window', async () => {
    const { breaker, clock, fail } = setup();
    await fail(4);
    await clock.advance(60_000);
    await fail(4);
    expect(breaker.state).toBe('closed');
    expect(breaker.stats().failures).toBe(4);
    await clock.advance(3_600_000);
    await fail();
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 1, failures: 1 });
  });

  it('lets its window slide while nobody calls', async () => {
    const { breaker, clock, fail, succeed } = setup({ windowMs: 10_000, failureThreshold: 10, minCalls: 10 });
    await fail(9);
    await clock.advance(3_600_000);
    await fail();
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 1, failures: 1 });
    await succeed(20);
    expect(breaker.state).toBe('closed');
  });

  it('does not heed steps of the wall clock', async () => {
    const { breaker, clock, fail } = setup();
    await fail(4);
    clock.stepWallTime(3_600_000);
    expect(breaker.stats().failures).toBe(4);
    await fail();
    expect(breaker.state).toBe('open');
    clock.stepWallTime(-7_200_000);
    expect(breaker.stats().retryAfterMs).toBe(60_000);
    await clock.advance(60_000);
    expect(await breaker.execute(() => 'probe')).toBe('probe');
  });

  it('does not open below the least number of calls', async () => {
    const { breaker, fail } = setup({ failureThreshold: 1, minCalls: 20 });
    await fail(19);
    expect(breaker.state).toBe('closed');
    await fail();
    expect(breaker.state).toBe('open');
  });

  it('opens by a rate that is reached exactly, also by one of 1', async () => {
    const half = setup({ failureRate: 0.5, minCalls: 4 });
    await half.succeed(2);
    await half.fail(1);
    expect(half.breaker.state).toBe('closed');
    await half.fail(1);
    expect(half.breaker.state).toBe('open');
    const all = setup({ failureRate: 1, minCalls: 3 });
    await all.fail(3);
    expect(all.breaker.state).toBe('open');
  });

  it('counts an unbroken row when told to', async () => {
    const { breaker, fail, succeed } = setup({ rule: 'consecutive', failureThreshold: 3 });
    await fail(2);
    await succeed();
    await fail(2);
    expect(breaker.state).toBe('closed');
    await fail();
    expect(breaker.state).toBe('open');
  });

  it('counts the last calls when told to, and subtracts what falls out', async () => {
    const { breaker, fail, succeed } = setup({
      rule: 'count-window',
      windowCalls: 6,
      failureThreshold: 3,
      minCalls: 1,
    });
    await fail(2);
    await succeed(5);
    await fail(1);
    expect(breaker.stats()).toMatchObject({ calls: 6, failures: 1, state: 'closed' });
    await fail(2);
    expect(breaker.state).toBe('open');
  });

  it('takes slow successes for failures', async () => {
    const { breaker, clock } = setup({ slowCallMs: 100 });
    const call = async (ms: number): Promise<void> => {
      const work = createDeferred();
      const outcome = watch(breaker.execute(() => work.promise));
      await clock.advance(ms);
      work.resolve();
      await clock.settle();
      expect(outcome.now.status).toBe('fulfilled');
    };
    for (let count = 0; count < 4; count += 1) await call(101);
    await call(100);
    expect(breaker.stats()).toMatchObject({ state: 'closed', failures: 4 });
    await call(101);
    expect(breaker.state).toBe('open');
  });

  it('takes results for failures when told to, and returns them', async () => {
    const { breaker } = setup({ isFailureResult: (result) => result === 503 });
    for (let count = 0; count < 5; count += 1) expect(await breaker.execute(() => 503)).toBe(503);
    expect(breaker.state).toBe('open');
  });

  it('ignores errors that are no failure, refusals of an inner breaker, and cancelled calls', async () => {
    const { breaker, fail } = setup({
      isFailure: (error) => error === down,
      minCalls: 1,
      failureThreshold: 1,
    });
    await fail(9, new Error('not found'));
    const inner = setup();
    inner.breaker.trip();
    await breaker.execute(() => inner.breaker.execute(() => 1)).catch(() => undefined);
    const controller = new AbortController();
    const outcome = watch(breaker.execute(() => new Promise(() => undefined), { signal: controller.signal }));
    controller.abort('enough');
    await Promise.resolve();
    await setup().clock.settle();
    expect(outcome.now.error).toBe('enough');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 0 });
    expect(breaker.stats().totals).toMatchObject({ ignored: 10, cancelled: 1, failures: 0 });
  });

  it('counts a call that a timeout around it cut', async () => {
    const { breaker, clock } = setup();
    const policy = compose(timeout(100, { clock }), breaker);
    for (let call = 0; call < 5; call += 1) {
      watch(policy.execute(() => new Promise(() => undefined)));
      await clock.advance(100);
    }
    expect(breaker.state).toBe('open');
  });

  it('counts a call as failed when a predicate throws, and rejects with that', async () => {
    const bug = new Error('in the predicate');
    const { breaker } = setup({
      isFailure: () => {
        throw bug;
      },
    });
    await expect(breaker.execute(() => Promise.reject(down))).rejects.toBe(bug);
    expect(breaker.stats().failures).toBe(1);
  });

  it('does not call the work when the signal has aborted already', async () => {
    const { breaker } = setup();
    await expect(breaker.execute(() => 1, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(breaker.stats().totals).toMatchObject({ successes: 0, cancelled: 0 });
  });
});

describe('an open breaker', () => {
  it('refuses calls, and says for how long and why', async () => {
    const { clock, opened, refused } = setup({ name: 'payments' });
    await opened();
    expect(await refused()).toMatchObject({
      code: 'CIRCUIT_OPEN',
      breaker: 'payments',
      state: 'open',
      retryAfterMs: 60_000,
      cause: down,
      message: 'payments is open; a call is admitted in 60000 ms.',
    });
    await clock.advance(59_000);
    expect((await refused()).retryAfterMs).toBe(1_000);
  });

  it('refuses 100,000 calls without growing', async () => {
    const { breaker, opened, refused } = setup();
    await opened();
    const first = await refused();
    for (let call = 0; call < 100_000; call += 1) await breaker.execute(() => 1).catch(() => undefined);
    const last = await refused();
    expect(breaker.stats().totals.rejected).toBe(100_002);
    expect(last.stack?.length).toBe(first.stack?.length);
    expect(last.cause).toBe(first.cause);
  });

  it('stays open until a call comes after its time', async () => {
    const { breaker, clock, opened, refused, begin } = setup();
    await opened();
    await clock.advance(59_999);
    await refused();
    await clock.advance(1);
    expect(breaker.state).toBe('open');
    begin();
    expect(breaker.state).toBe('half-open');
  });

  it('is not moved by calls that began before', async () => {
    const { breaker, clock, events, begin, opened } = setup();
    const [late, lateToo, cancelled] = [begin(), begin(), begin()];
    await opened();
    await clock.advance(1_000);
    late.work.reject(down);
    lateToo.work.resolve('fine');
    cancelled.work.resolve('fine');
    await clock.settle();
    expect(breaker.stats()).toMatchObject({ state: 'open', retryAfterMs: 59_000 });
    expect(breaker.stats().totals).toMatchObject({ late: 3, opened: 1, failures: 5, successes: 0 });
    expect(events.count('breaker:opened')).toBe(1);
  });

  it('stays open longer each time it could not recover, and begins anew once it did', async () => {
    const openMs = exponentialBackoff({ initialMs: 1_000, maxMs: 3_000 });
    const { breaker, clock, events, fail, succeed, opened } = setup({ openMs, successThreshold: 1 });
    await opened();
    for (const ms of [1_000, 2_000, 3_000]) {
      await clock.advance(ms);
      await fail();
    }
    await clock.advance(3_000);
    await succeed();
    expect(breaker.state).toBe('closed');
    await opened();
    const told = events.events.filter(({ name }) => name === 'breaker:opened').map(({ payload }) => payload);
    expect(told).toMatchObject([
      { openMs: 1_000, consecutiveOpens: 1, from: 'closed', calls: 5, failures: 5, cause: down },
      { openMs: 2_000, consecutiveOpens: 2, from: 'half-open' },
      { openMs: 3_000, consecutiveOpens: 3 },
      { openMs: 3_000, consecutiveOpens: 4 },
      { openMs: 1_000, consecutiveOpens: 1 },
    ]);
  });

  it('stays open as long as the failure asks, within a bound', async () => {
    const asking = (retryAfterMs: number): Error => Object.assign(new Error('busy'), { retryAfterMs });
    const { breaker, fail } = setup({ openMs: 1_000, maxRetryAfterMs: 50_000 });
    await fail(5, asking(30_000));
    expect(breaker.stats().retryAfterMs).toBe(30_000);
    breaker.reset();
    await fail(5, asking(10));
    expect(breaker.stats().retryAfterMs).toBe(1_000);
    breaker.reset();
    await fail(5, asking(1e9));
    expect(breaker.stats().retryAfterMs).toBe(50_000);
  });

  it('spreads its open time when told to', async () => {
    const { breaker, opened } = setup({ jitter: true, random: () => 0 });
    await opened();
    expect(breaker.stats().retryAfterMs).toBe(48_000);
  });

  it('is passed on at once by a retry around it', async () => {
    const { breaker, clock, opened } = setup();
    await opened();
    const outcome = watch(compose(retry({ clock }), breaker).execute(() => 1));
    await clock.settle();
    expect(outcome.now.error).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('a half-open breaker', () => {
  const halfOpen = async (options: CircuitBreakerOptions = {}) => {
    const bundle = setup(options);
    await bundle.opened();
    await bundle.clock.advance(60_000);
    return bundle;
  };

  it('lets three probes run, refuses the fourth, and closes when all three succeed', async () => {
    const { breaker, clock, begin, refused } = await halfOpen();
    const probes = [begin(), begin(), begin()];
    expect(await refused()).toMatchObject({ state: 'half-open', retryAfterMs: 60_000 });
    for (const { work } of probes) {
      expect(breaker.state).toBe('half-open');
      work.resolve('ok');
      await clock.settle();
    }
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 0, consecutiveOpens: 0 });
  });

  it('opens again at the first failed probe, and the other probes come too late', async () => {
    const { breaker, clock, begin } = await halfOpen();
    const [first, second] = [begin(), begin()];
    first.work.reject(down);
    await clock.settle();
    expect(breaker.stats()).toMatchObject({ state: 'open', retryAfterMs: 60_000, consecutiveOpens: 2 });
    second.work.resolve('ok');
    await clock.settle();
    expect(breaker.stats().totals.late).toBe(1);
  });

  it('bears as many failed probes as it is told', async () => {
    const { breaker, fail, succeed } = await halfOpen({ maxProbeFailures: 1, successThreshold: 2 });
    await succeed();
    await fail();
    expect(breaker.state).toBe('half-open');
    await succeed();
    expect(breaker.state).toBe('closed');
  });

  it('lets fewer run at once when told to', async () => {
    const { breaker, begin, refused, clock } = await halfOpen({ maxProbes: 1 });
    const probe = begin();
    await refused();
    probe.work.resolve('ok');
    await clock.settle();
    begin();
    expect(breaker.stats().probes).toBe(1);
  });

  it('gets the permit of an ignored or cancelled probe back, however many there are', async () => {
    const { breaker, fail, succeed } = await halfOpen({ isFailure: (error) => error === down });
    await fail(100, new Error('not found'));
    for (let call = 0; call < 100; call += 1) {
      const controller = new AbortController();
      const result = breaker.execute(() => new Promise(() => undefined), { signal: controller.signal });
      controller.abort('enough');
      await expect(result).rejects.toBe('enough');
    }
    expect(breaker.state).toBe('half-open');
    await succeed(3);
    expect(breaker.state).toBe('closed');
  });

  it('takes the permit of a probe that hangs away, and counts its end as late', async () => {
    const { breaker, clock, begin, refused, succeed } = await halfOpen({ probeTimeoutMs: 5_000 });
    const hanging = [begin(), begin(), begin()];
    await clock.advance(4_999);
    expect((await refused()).retryAfterMs).toBe(1);
    await clock.advance(1);
    await succeed();
    expect(breaker.stats().totals).toMatchObject({ expired: 3, late: 0 });
    hanging[0]?.work.reject(down);
    await clock.settle();
    expect(breaker.stats()).toMatchObject({ state: 'half-open', totals: { late: 1 } });
    await succeed(2);
    expect(breaker.state).toBe('closed');
  });

  it('opens again from the moment a probe timed out when told so', async () => {
    const { breaker, clock, begin, refused } = await halfOpen({
      probeTimeoutMs: 5_000,
      expiredProbe: 'failure',
    });
    begin();
    await clock.advance(8_000);
    expect((await refused()).retryAfterMs).toBe(57_000);
    expect(breaker.state).toBe('open');
    await clock.advance(57_000);
    begin();
    expect(breaker.state).toBe('half-open');
  });

  it('is not moved by a call that began when it was closed', async () => {
    const bundle = setup();
    const [failing, fine] = [bundle.begin(), bundle.begin()];
    await bundle.opened();
    await bundle.clock.advance(60_000);
    bundle.begin();
    failing.work.reject(down);
    fine.work.resolve('ok');
    await bundle.clock.settle();
    expect(bundle.breaker.stats()).toMatchObject({ state: 'half-open', probes: 1, totals: { late: 2 } });
  });
});

describe('a breaker that ramps up', () => {
  const ramping = async () => {
    const bundle = setup({ rampUpMs: 10_000, successThreshold: 1 });
    await bundle.opened();
    await bundle.clock.advance(60_000);
    await bundle.succeed();
    expect(bundle.breaker.stats()).toMatchObject({ state: 'closed', admitRatio: 0.1 });
    return bundle;
  };

  it('admits the share it should, within one call', async () => {
    const { breaker, clock } = await ramping();
    let exact = 0;
    let admitted = 0;
    for (let step = 0; step < 1_000; step += 1) {
      exact += breaker.stats().admitRatio;
      await breaker.execute(() => (admitted += 1)).catch(() => undefined);
      expect(Math.abs(admitted - exact)).toBeLessThanOrEqual(1);
      if (step % 10 === 9) await clock.advance(100);
    }
    expect(breaker.stats()).toMatchObject({ admitRatio: 1, state: 'closed' });
  });

  it('says when all calls will be admitted', async () => {
    const { clock, succeed, refused } = await ramping();
    await succeed();
    await clock.advance(100);
    expect(await refused()).toMatchObject({ state: 'closed', retryAfterMs: 9_900 });
  });

  it('opens at one failure, and counts that as no recovery', async () => {
    const { breaker, fail } = await ramping();
    await fail();
    expect(breaker.stats()).toMatchObject({ state: 'open', consecutiveOpens: 2 });
  });

  it('is an ordinary closed breaker afterwards', async () => {
    const { breaker, clock, fail } = await ramping();
    await clock.advance(10_000);
    await fail(4);
    expect(breaker.state).toBe('closed');
    await fail();
    expect(breaker.stats()).toMatchObject({ state: 'open', consecutiveOpens: 1 });
  });
});

describe('a breaker in somebody’s hand', () => {
  it('is tripped and reset', async () => {
    const { breaker, events, refused, succeed } = setup();
    breaker.trip(down);
    breaker.trip(new Error('again'));
    expect((await refused()).cause).toBe(down);
    expect(events.count('breaker:opened')).toBe(1);
    breaker.reset();
    await succeed();
    expect(breaker.state).toBe('closed');
    expect(events.events.at(-1)).toEqual({ name: 'breaker:closed', payload: { from: 'open', reset: true } });
  });

  it('drops outcomes of calls that began before a reset', async () => {
    const { breaker, clock, begin } = setup({ failureThreshold: 1, minCalls: 1 });
    const { work } = begin();
    breaker.reset();
    work.reject(down);
    await clock.settle();
    expect(breaker.stats()).toMatchObject({ state: 'closed', calls: 0, totals: { late: 1 } });
  });

  it('is isolated until the last handle is released, and then stands where it stood', async () => {
    const { breaker, clock, events, fail, refused, begin } = setup();
    await fail(4);
    const before = begin();
    const [first, second] = [breaker.isolate(), breaker.isolate()];
    expect(await refused()).toMatchObject({
      state: 'isolated',
      retryAfterMs: Infinity,
      message: 'The circuit is isolated; a call is admitted when it is released.',
    });
    before.work.reject(down);
    await clock.settle();
    first();
    first();
    expect(breaker.state).toBe('isolated');
    second[Symbol.dispose]();
    expect(breaker.stats()).toMatchObject({ state: 'closed', failures: 4, totals: { late: 1 } });
    expect([events.count('breaker:isolated'), events.count('breaker:released')]).toEqual([1, 1]);
    await fail();
    expect(breaker.state).toBe('open');
  });

  it('is isolated for a time', async () => {
    const { breaker, clock, refused, succeed } = setup();
    breaker.isolate({ forMs: 1_000 });
    await clock.advance(400);
    expect((await refused()).retryAfterMs).toBe(600);
    await clock.advance(600);
    await succeed();
    expect(() => breaker.isolate({ forMs: -1 })).toThrow('`forMs`');
  });

  it('ends isolations with a reset', async () => {
    const { breaker, succeed } = setup();
    const release = breaker.isolate();
    breaker.reset();
    await succeed();
    release();
    await succeed();
  });
});

describe('a breaker that only observes', () => {
  it('goes through its states and tells, but lets every call through', async () => {
    const { breaker, clock, events, fail, succeed, opened } = setup({ observeOnly: true });
    await opened();
    await fail(10);
    await succeed();
    expect(breaker.stats()).toMatchObject({
      state: 'open',
      totals: { failures: 5, successes: 0, rejected: 11, late: 0 },
    });
    await clock.advance(60_000);
    await succeed(3);
    expect(breaker.state).toBe('closed');
    expect(events.events.map(({ name }) => name)).toEqual([
      'breaker:opened',
      ...Array.from({ length: 11 }, () => 'breaker:rejected'),
      'breaker:half-opened',
      'breaker:closed',
    ]);
    breaker.trip();
    expect(breaker.admit().settle('success')).toEqual({ counted: false, reason: 'late' });
  });

  it('refuses while somebody isolates it', async () => {
    const { breaker, refused } = setup({ observeOnly: true });
    breaker.isolate();
    expect((await refused()).state).toBe('isolated');
  });
});

describe('a ticket', () => {
  it('counts once', () => {
    const { breaker } = setup();
    const ticket = breaker.admit();
    expect(ticket.settle('failure', down)).toEqual({ counted: true, reason: 'counted' });
    expect(ticket.settle('success')).toEqual({ counted: false, reason: 'again' });
    expect(breaker.admit().settle('ignored')).toEqual({ counted: false, reason: 'ignored' });
    expect(breaker.stats()).toMatchObject({ calls: 1, failures: 1 });
    expect(() => ticket.settle('fine' as 'success')).toThrow('`outcome`');
  });

  it('says when it came too late', () => {
    const { breaker } = setup();
    const ticket = breaker.admit();
    breaker.trip();
    expect(ticket.settle('success')).toEqual({ counted: false, reason: 'late' });
    expect(() => breaker.admit()).toThrow(CircuitOpenError);
  });
});

describe('a saved breaker', () => {
  const moved = (breaker: CircuitBreaker, options: CircuitBreakerOptions = {}) => {
    const clock = createManualClock({ now: 777_777 });
    const restore = JSON.parse(JSON.stringify(breaker)) as NonNullable<CircuitBreakerOptions['restore']>;
    return { ...setup({ ...options, restore }, clock), restore };
  };

  it.each(['time-window', 'count-window', 'consecutive'] as const)('goes on counting: %s', async (rule) => {
    const { breaker, fail, succeed } = setup({ rule });
    if (rule !== 'consecutive') await succeed(3);
    await fail(4);
    const there = moved(breaker, { rule });
    expect(there.breaker.stats()).toEqual({ ...breaker.stats(), era: 0 });
    await there.fail();
    expect(there.breaker.state).toBe('open');
    expect(breaker.state).toBe('closed');
  });

  it('goes on waiting, the time between included', async () => {
    const { breaker, clock, opened } = setup();
    await opened();
    await clock.advance(10_000);
    const there = createManualClock();
    there.stepWallTime(35_000);
    const restored = circuitBreaker({ clock: there, restore: breaker.toJSON() });
    expect(restored.stats()).toMatchObject({ state: 'open', retryAfterMs: 25_000, consecutiveOpens: 1 });
  });

  it('probes with its next call when it was half-open', async () => {
    const { breaker, clock, opened, begin } = setup();
    await opened();
    await clock.advance(60_000);
    begin();
    const there = moved(breaker);
    expect(there.breaker.state).toBe('open');
    there.begin();
    expect(there.breaker.state).toBe('half-open');
  });

  it('goes on ramping up', async () => {
    const options = { rampUpMs: 10_000, successThreshold: 1 };
    const { breaker, clock, opened, succeed } = setup(options);
    await opened();
    await clock.advance(60_000);
    await succeed();
    await clock.advance(5_000);
    const there = createManualClock();
    there.stepWallTime(65_000);
    const restored = circuitBreaker({ ...options, clock: there, restore: breaker.toJSON() });
    expect(restored.stats().admitRatio).toBeCloseTo(0.55);
  });

  it('is not changed by changes of what it gave', async () => {
    const { breaker, fail } = setup();
    await fail(4);
    const saved = breaker.toJSON();
    (saved.totals as { failures: number }).failures = 99;
    expect(breaker.stats().totals.failures).toBe(4);
  });

  it('is refused when it is none', () => {
    const saved = circuitBreaker().toJSON();
    expect(() => circuitBreaker({ restore: {} as typeof saved })).toThrow('`restore`');
    expect(() => circuitBreaker({ restore: { ...saved, remainingOpenMs: -1 } })).toThrow(
      '`restore.remainingOpenMs`',
    );
    expect(() => circuitBreaker({ restore: { ...saved, window: [[0, 1, 2]] } })).toThrow(
      '`restore.window[0][2]`',
    );
  });
});

describe('a breaker’s events', () => {
  it('show the new state to a listener, also one that calls again', async () => {
    const { breaker, fail } = setup();
    const seen: unknown[] = [];
    breaker.on('breaker:opened', () => {
      seen.push(breaker.state);
      return breaker.execute(() => 1).catch((error: unknown) => seen.push((error as CircuitOpenError).code));
    });
    await fail(5);
    await Promise.resolve();
    expect(seen).toEqual(['open', 'CIRCUIT_OPEN']);
  });

  it('tell of refusals', async () => {
    const { events, opened, refused } = setup();
    await opened();
    await refused();
    expect(await events.next('breaker:rejected')).toEqual({ state: 'open', retryAfterMs: 60_000 });
  });

  it('leave the call alone when a listener throws', async () => {
    const { breaker, fail } = setup();
    breaker.onAny(() => {
      throw new Error('listener');
    });
    await fail(5);
    expect(breaker.state).toBe('open');
  });
});

describe('a breaker’s options', () => {
  it.each([
    [{ failureThreshold: 0 }, '`failureThreshold`'],
    [{ failureRate: 0 }, '`failureRate`'],
    [{ failureRate: 1.1 }, '`failureRate`'],
    [{ failureRate: 0.5, rule: 'consecutive' }, '`failureRate`'],
    [
      { rule: 'count-window', windowCalls: 3, failureThreshold: 4 },
      '`failureThreshold` (4) to be at most `windowCalls` (3)',
    ],
    [{ rule: 'sliding' }, '`rule`'],
    [{ openMs: -1 }, '`openMs`'],
    [{ openMs: 'long' }, '`openMs`'],
    [{ successThreshold: 0 }, '`successThreshold`'],
    [{ windowMs: 0 }, '`windowMs`'],
    [{ rampUpFrom: 0 }, '`rampUpFrom`'],
    [{ isFailure: true }, '`isFailure`'],
    [{ openFor: 3 }, 'Unknown option `openFor` of circuitBreaker'],
  ])('refuse %j', (options, message) => {
    expect(() => circuitBreaker(options as CircuitBreakerOptions)).toThrow(message);
  });

  it('hold no timer, whatever happens', async () => {
    const { clock, opened, begin } = setup({ rampUpMs: 1_000 });
    await opened();
    await clock.advance(60_000);
    begin();
    expect(clock.pendingTimers).toBe(0);
  });
});
