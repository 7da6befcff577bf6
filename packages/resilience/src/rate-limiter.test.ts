import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventMonitor, createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import { circuitBreaker } from './circuit-breaker/circuit-breaker.ts';
import { compose } from './policy.ts';
import { rateLimiter, type RateLimiterOptions } from './rate-limiter.ts';
import { retry } from './retry/retry.ts';

/** Ten a second, five at once, unless told otherwise. */
function setup(options: RateLimiterOptions = {}) {
  const clock = createManualClock();
  const limiter = rateLimiter({ clock, tokens: 10, burst: 5, ...options });
  const events = createEventMonitor(limiter);
  const begun: { readonly name: string; readonly at: number }[] = [];
  const begin = (name: string, how: { readonly signal?: AbortSignal; readonly weight?: number } = {}) =>
    watch(limiter.execute(() => void begun.push({ name, at: clock.now() }), how));
  return { clock, limiter, events, begun, begin };
}

describe('rateLimiter', () => {
  it('lets a burst through and refuses the next call, saying when it could be made', async () => {
    const { clock, limiter, begun, begin, events } = setup();
    for (const name of 'abcde') begin(name);
    const refused = begin('f');
    await clock.settle();
    expect(begun.map(({ name }) => name).join('')).toBe('abcde');
    expect(refused.now.error).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs: 100,
      message: 'The rate limiter is used up; this call could be made in 100 ms.',
    });
    expect(limiter.stats()).toEqual({ tokens: 0, queued: 0, admitted: 5, rejected: 1 });
    expect(events.events).toMatchObject([
      { name: 'rate-limiter:rejected', payload: { weight: 1, retryAfterMs: 100 } },
    ]);
    await clock.advance(100);
    begin('g');
    await clock.settle();
    expect(begun.at(-1)).toEqual({ name: 'g', at: 100 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('gathers no more than the burst, however long nobody calls', async () => {
    const { clock, limiter } = setup();
    await clock.advance(3_600_000);
    expect(limiter.stats().tokens).toBe(5);
    expect(Array.from({ length: 7 }, () => limiter.tryAcquire())).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('lets calls wait in order, and no newcomer past them', async () => {
    const { clock, limiter, begun, begin } = setup({ burst: 1, maxQueue: Infinity });
    for (const name of 'abcd') begin(name);
    await clock.advance(150);
    begin('e');
    expect([limiter.tryAcquire(), limiter.stats().queued]).toEqual([false, 3]);
    await clock.advance(1_000);
    expect(begun).toEqual(['a', 'b', 'c', 'd', 'e'].map((name, index) => ({ name, at: index * 100 })));
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes as many tokens as a call weighs', async () => {
    const { clock, limiter, begun, begin } = setup({ maxQueue: Infinity });
    begin('heavy', { weight: 4 });
    begin('heavier', { weight: 5 });
    begin('light');
    await clock.advance(1_000);
    expect(begun.map(({ name, at }) => [name, at])).toEqual([
      ['heavy', 0],
      ['heavier', 400],
      ['light', 500],
    ]);
    await expect(limiter.execute(() => 1, { weight: 6 })).rejects.toThrow('`weight`');
    expect(() => limiter.tryAcquire({ weight: 0 })).toThrow('`weight`');
  });

  it('refuses a call that would wait too long, or find the queue full', async () => {
    const { clock, begin, begun } = setup({ burst: 1, maxQueue: 2, maxWaitMs: 150 });
    const outcomes = ['a', 'b', 'c'].map((name) => begin(name));
    await clock.settle();
    expect(outcomes.map(({ now }) => now.status)).toEqual(['fulfilled', 'pending', 'rejected']);
    expect(outcomes[2]?.now.error).toMatchObject({ retryAfterMs: 200 });
    await clock.advance(1_000);
    expect(begun).toHaveLength(2);

    const narrow = setup({ burst: 1, maxQueue: 1 });
    const full = ['a', 'b', 'c'].map((name) => narrow.begin(name));
    await narrow.clock.settle();
    expect(full[2]?.now.error).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 200 });
  });

  it('lets a waiting caller leave at once, who takes no token', async () => {
    const { clock, limiter, begun, begin } = setup({ burst: 5, maxQueue: Infinity });
    expect(limiter.tryAcquire({ weight: 5 })).toBe(true);
    const controller = new AbortController();
    const gone = begin('gone', { weight: 5, signal: controller.signal });
    begin('next');
    await clock.advance(200);
    expect(begun).toEqual([]);
    controller.abort('enough');
    await clock.settle();
    expect(gone.now).toEqual({ status: 'rejected', error: 'enough' });
    expect(begun).toEqual([{ name: 'next', at: 200 }]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect([limiter.stats().tokens, clock.pendingTimers]).toEqual([1, 0]);
  });

  it('hands out tokens without a call', async () => {
    const { clock, limiter } = setup({ burst: 1, maxQueue: 1 });
    await limiter.acquire();
    const waiting = watch(limiter.acquire({ signal: new AbortController().signal }));
    await clock.advance(99);
    expect(waiting.now.status).toBe('pending');
    await clock.advance(1);
    expect(waiting.now.status).toBe('fulfilled');
    await expect(limiter.acquire({ signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
  });

  it('makes a retry around it wait as long as it takes, and a breaker count nothing', async () => {
    const { clock, limiter, begun } = setup({ burst: 1 });
    const breaker = circuitBreaker({ clock });
    const policy = compose(retry({ clock, maxAttempts: 2 }), breaker, limiter);
    const work = (name: string) => (): void => void begun.push({ name, at: clock.now() });
    watch(policy.execute(work('a')));
    watch(policy.execute(work('b')));
    await clock.advance(1_000);
    expect(begun).toEqual([
      { name: 'a', at: 0 },
      { name: 'b', at: 100 },
    ]);
    expect(breaker.stats().totals).toMatchObject({ failures: 0, ignored: 1, successes: 2 });
  });

  it('never lets more through than it may, and wastes no token while somebody waits', async () => {
    const arrivals = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 400 }), weight: fc.integer({ min: 1, max: 5 }) }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(arrivals, async (calls) => {
        const { clock, limiter } = setup({ maxQueue: Infinity });
        const taken: { readonly at: number; readonly weight: number }[] = [];
        for (const { afterMs, weight } of calls) {
          await clock.advance(afterMs);
          watch(limiter.execute(() => taken.push({ at: clock.now(), weight }), { weight }));
        }
        await clock.advance(calls.length * 500);
        expect(taken.map(({ weight }) => weight)).toEqual(calls.map(({ weight }) => weight));
        // In any stretch of time no more than the burst and what came back meanwhile.
        for (const [from, { at: start }] of taken.entries()) {
          let sum = 0;
          for (const { at, weight } of taken.slice(from)) {
            sum += weight;
            expect(sum).toBeLessThanOrEqual(5 + (at - start) / 100 + 1e-6);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses wrong options', () => {
    expect(() => rateLimiter({ tokens: 0 })).toThrow('`tokens`');
    expect(() => rateLimiter({ intervalMs: -1 })).toThrow('`intervalMs`');
    expect(() => rateLimiter({ burst: Number.NaN })).toThrow('`burst`');
    expect(() => rateLimiter({ maxQueue: 0.5 })).toThrow('`maxQueue`');
    expect(() => rateLimiter({ perSecond: 1 } as object)).toThrow('Unknown option `perSecond`');
  });
});
