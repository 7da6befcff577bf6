import { describe, expect, it } from 'vitest';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import { standardPolicy, type StandardPolicyOptions } from './standard-policy.ts';

function setup(options: StandardPolicyOptions = {}) {
  const clock = createManualClock();
  const policy = standardPolicy({ clock, random: () => 0.5, ...options });
  let calls = 0;
  const failing = (times: number) => () => {
    calls += 1;
    if (calls <= times) throw new Error('down');
    return 'up';
  };
  return { clock, policy, failing, calls: () => calls };
}

const hanging = (): Promise<never> => new Promise(() => undefined);

describe('standardPolicy', () => {
  it('retries, and its breaker counts every attempt', async () => {
    const { clock, policy, failing, calls } = setup();
    const outcome = watch(policy.execute(failing(2)));
    await clock.advance(1_000);
    expect([outcome.now.value, calls()]).toEqual(['up', 3]);
    expect(policy.breaker.stats()).toMatchObject({ calls: 3, failures: 2 });
  });

  it('does not retry what the open breaker refuses', async () => {
    const { clock, policy, failing, calls } = setup({ rateLimiter: { tokens: 100 }, bulkhead: {} });
    const outcomes = [0, 1].map(() => watch(policy.execute(failing(99))));
    await clock.advance(1_000);
    expect(calls()).toBe(5);
    expect(policy.breaker.state).toBe('open');
    expect(outcomes.map(({ now }) => (now.error as { readonly code?: string }).code)).toContain(
      'CIRCUIT_OPEN',
    );
    // The refused attempt took neither token nor slot.
    expect(policy.rateLimiter?.stats().admitted).toBe(5);
    expect(policy.bulkhead?.stats()).toEqual({ running: 0, queued: 0, rejected: 0 });
  });

  it('cuts each attempt, which counts as failed, and then everything', async () => {
    const { clock, policy } = setup({ totalTimeoutMs: 25_000 });
    const outcome = watch(policy.execute(hanging));
    await clock.advance(10_000);
    expect(policy.breaker.stats().failures).toBe(1);
    await clock.advance(15_000);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT', scope: 'total', timeoutMs: 25_000 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the wait for a turn out of the total time, not out of the attempt', async () => {
    const { clock, policy } = setup({
      attemptTimeoutMs: 100,
      bulkhead: { maxConcurrent: 1, maxQueue: 1 },
    });
    const first = createDeferred<string>();
    watch(policy.execute(() => first.promise));
    const second = watch(policy.execute(async () => 'second'));
    await clock.advance(90);
    expect(policy.bulkhead?.stats()).toMatchObject({ running: 1, queued: 1 });
    first.resolve('first');
    await clock.settle();
    expect(second.now.value).toBe('second');
  });

  it('holds no slot while a call waits for its next attempt', async () => {
    const { clock, policy, failing } = setup({ bulkhead: { maxConcurrent: 1 } });
    watch(policy.execute(failing(1)));
    await clock.settle();
    expect(policy.bulkhead?.stats().running).toBe(0);
    expect(await policy.execute(() => 'meanwhile')).toBe('meanwhile');
  });

  it('takes options for each part, and refuses wrong ones', async () => {
    const { policy, failing, calls } = setup({ retry: { maxAttempts: 1 }, breaker: { name: 'orders' } });
    await expect(policy.execute(failing(99))).rejects.toThrow('down');
    expect(calls()).toBe(1);
    expect(policy.breaker.snapshot()).toMatchObject({ kind: 'circuit-breaker', name: 'orders', calls: 1 });
    expect([policy.rateLimiter, policy.bulkhead]).toEqual([undefined, undefined]);
    expect(() => standardPolicy({ totalTimeoutMs: -1 })).toThrow('`totalTimeoutMs`');
    expect(() => standardPolicy({ retries: 3 } as object)).toThrow('Unknown option `retries`');
    expect(() => standardPolicy({ retry: { retries: 3 } as object })).toThrow('Unknown option `retries`');
  });
});
