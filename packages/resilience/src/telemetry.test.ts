import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import {
  bulkhead,
  circuitBreaker,
  createShutdown,
  fallback,
  hedge,
  type PolicySnapshot,
  rateLimiter,
  resilienceChannels,
  retry,
  retryBudget,
  timeout,
} from './index.ts';

const subscribed: (() => void)[] = [];
afterEach(() => {
  for (const stop of subscribed.splice(0)) stop();
});

function record(): { readonly name: string; readonly message: Record<string, unknown> }[] {
  const seen: { readonly name: string; readonly message: Record<string, unknown> }[] = [];
  for (const name of resilienceChannels) {
    const listener = (message: unknown): void =>
      void seen.push({ name, message: message as Record<string, unknown> });
    subscribe(name, listener);
    subscribed.push(() => unsubscribe(name, listener));
  }
  return seen;
}

const hanging = (): Promise<never> => new Promise(() => undefined);
const failing = (): Promise<never> => Promise.reject(new Error('down'));

/** Makes every policy tell everything it can. */
async function everything(listener?: () => never): Promise<void> {
  const clock = createManualClock();
  const listenTo = <Source extends { onAny(fn: () => never): unknown }>(source: Source): Source => {
    if (listener !== undefined) source.onAny(listener);
    return source;
  };
  const again = listenTo(retry({ clock, name: 'orders retry', maxAttempts: 2 }));
  watch(again.execute(failing));
  await clock.advance(1_000);

  const breaker = listenTo(
    circuitBreaker({ clock, name: 'orders', failureThreshold: 1, minCalls: 1, successThreshold: 1 }),
  );
  watch(breaker.execute(failing));
  await clock.settle();
  watch(breaker.execute(failing));
  await clock.advance(60_000);
  expect(await breaker.execute(() => 'up')).toBe('up');
  breaker.isolate()();

  const limit = listenTo(timeout(10, { clock }));
  const cut = watch(limit.execute(hanging));
  await clock.advance(10);
  expect(cut.now.error).toMatchObject({ code: 'TIMEOUT' });

  const narrow = listenTo(bulkhead({ clock, maxConcurrent: 1, maxQueue: 1, maxWaitMs: 10 }));
  const [, queued, refused] = [1, 2, 3].map(() => watch(narrow.execute(hanging)));
  await clock.advance(10);
  expect(queued?.now.error).toMatchObject({ code: 'BULKHEAD_WAIT_TIMEOUT' });
  expect(refused?.now.error).toMatchObject({ code: 'BULKHEAD_FULL' });

  const paced = listenTo(rateLimiter({ clock, tokens: 1, maxQueue: 1 }));
  const paces = [1, 2, 3].map(() => watch(paced.execute(() => 'ok')));
  await clock.advance(1_000);
  expect(paces.map(({ now }) => now.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);

  const budget = retryBudget({ clock, ratio: 0, minRetries: 1 });
  const twice = listenTo(hedge({ clock, delayMs: 10, budget }));
  const won = watch(twice.execute(({ hedge: number }) => (number === 1 ? 'hedge' : hanging())));
  watch(twice.execute(hanging));
  await clock.advance(10);
  expect(won.now.value).toBe('hedge');

  expect(await listenTo(fallback(() => 'instead')).execute(failing)).toBe('instead');

  const shutdown = listenTo(createShutdown({ clock, gracefulMs: 10, activeResources: () => [] }));
  shutdown.register('late', () => new Promise<void>((resolve) => void clock.setTimer(20, resolve)));
  const report = watch(shutdown.begin('SIGTERM'));
  await clock.advance(100);
  expect(report.now.value).toMatchObject({ clean: true, urgency: 'urgent' });
}

describe('channels', () => {
  it('carry every event of the catalogue, with its source', async () => {
    const seen = record();
    await everything();
    expect([...new Set(seen.map(({ name }) => name))].toSorted()).toEqual([...resilienceChannels].toSorted());
    const opened = seen.find(({ name }) => name === 'pawl:breaker:opened');
    expect(opened?.message).toMatchObject({ source: 'orders', from: 'closed', openMs: 60_000 });
    expect(seen.find(({ name }) => name === 'pawl:retry:gave-up')?.message).toMatchObject({
      source: 'orders retry',
      reason: 'max-attempts',
    });
    expect(seen.find(({ name }) => name === 'pawl:hook:started')?.message).toMatchObject({
      source: 'shutdown',
      name: 'late',
    });
  });

  it('are not published on without a subscriber', async () => {
    const seen = record();
    for (const stop of subscribed.splice(0)) stop();
    await everything();
    expect(seen).toEqual([]);
  });
});

describe('a listener that throws', () => {
  it('changes no outcome of any policy', async () => {
    let told = 0;
    await everything(() => {
      told += 1;
      throw new Error('listener');
    });
    expect(told).toBeGreaterThanOrEqual(resilienceChannels.length);
  });
});

describe('snapshots', () => {
  it('are plain data with a kind and a name, and the same numbers as stats', async () => {
    const clock = createManualClock();
    const policies = [
      circuitBreaker({ clock, name: 'orders' }),
      bulkhead({ clock, name: 'database' }),
      rateLimiter({ clock, name: 'mail' }),
      hedge({ clock, name: 'search' }),
      retryBudget({ clock, name: 'all of them' }),
    ];
    const shutdown = createShutdown({ clock, name: 'service' });
    const snapshots: readonly PolicySnapshot[] = [...policies, shutdown].map((policy) => policy.snapshot());
    expect(JSON.parse(JSON.stringify(snapshots))).toEqual(snapshots);
    expect(snapshots.map(({ kind, name }) => [kind, name])).toEqual([
      ['circuit-breaker', 'orders'],
      ['bulkhead', 'database'],
      ['rate-limiter', 'mail'],
      ['hedge', 'search'],
      ['retry-budget', 'all of them'],
      ['shutdown', 'service'],
    ]);
    for (const [index, policy] of policies.entries()) expect(snapshots[index]).toMatchObject(policy.stats());
  });

  it('of a shutdown say where it stands', async () => {
    const clock = createManualClock();
    const shutdown = createShutdown({ clock, activeResources: () => [] });
    shutdown.register('b', () => undefined);
    shutdown.register('a', () => new Promise<void>((resolve) => void clock.setTimer(50, resolve)));
    void shutdown.track(new Promise<void>((resolve) => void clock.setTimer(10, resolve)));
    expect(shutdown.snapshot()).toMatchObject({ state: 'running', waiting: 2, running: 0, tracked: 1 });
    const done = shutdown.begin();
    await clock.advance(20);
    expect(shutdown.snapshot()).toMatchObject({
      state: 'graceful',
      waiting: 1,
      running: 1,
      tracked: 0,
      durationMs: 20,
    });
    await clock.advance(100);
    await done;
    expect(shutdown.snapshot()).toMatchObject({ state: 'stopped', waiting: 0, running: 0, durationMs: 60 });
  });
});
