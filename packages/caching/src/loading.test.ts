import { seededRandom } from '@pawl/core';
import { createEventMonitor, createManualClock, type ManualClock } from '@pawl/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { LoadContext } from './call-options.ts';
import type { CacheEvents } from './events.ts';

interface Source {
  /** A loader that waits until `answer` or `fail` is called. */
  readonly load: (context: LoadContext) => Promise<string>;
  readonly contexts: LoadContext[];
  /** Ends the oldest load that is still open. */
  answer(value: string): Promise<void>;
  fail(error: unknown): Promise<void>;
}

function createSource(clock: ManualClock): Source {
  const contexts: LoadContext[] = [];
  const open: { resolve: (value: string) => void; reject: (error: unknown) => void }[] = [];
  return {
    contexts,
    load: (context) => {
      contexts.push(context);
      return new Promise((resolve, reject) => open.push({ resolve, reject }));
    },
    answer: (value) => {
      open.shift()?.resolve(value);
      return clock.settle();
    },
    fail: (error) => {
      open.shift()?.reject(error);
      return clock.settle();
    },
  };
}

function setup(options: CacheOptions<string> = {}): {
  cache: Cache<string>;
  clock: ManualClock;
  source: Source;
} {
  const clock = createManualClock();
  return { clock, cache: createCache<string>({ clock, ...options }), source: createSource(clock) };
}

/** Puts an entry of 100 ms into the cache and lets it get `ageMs` old. */
async function setupStale(
  options: CacheOptions<string>,
  ageMs = 100,
): Promise<{ cache: Cache<string>; clock: ManualClock; source: Source }> {
  const bundle = setup({ ttlMs: 100, ...options });
  bundle.cache.set('key', 'old');
  await bundle.clock.advance(ageMs);
  return bundle;
}

describe('getOrLoad', () => {
  it('runs one load for a thousand callers', async () => {
    const { cache, source } = setup();
    const waiters = Array.from({ length: 1_000 }, () => cache.getOrLoad('key', source.load));
    await source.answer('value');
    expect(new Set(await Promise.all(waiters))).toEqual(new Set(['value']));
    expect(source.contexts).toHaveLength(1);
    expect(cache.stats()).toMatchObject({ gets: 1_000, misses: 1_000, loads: 1, coalesced: 999, stores: 1 });
    expect(await cache.getOrLoad('key', source.load)).toBe('value');
    expect(cache.stats().hits).toBe(1);
  });

  it('takes a value that is there at once, also undefined', async () => {
    const cache = createCache<undefined>();
    const loader = vi.fn<() => undefined>(() => undefined);
    await cache.getOrLoad('key', loader);
    await cache.getOrLoad('key', loader);
    expect(loader).toHaveBeenCalledTimes(1);
  });

  it('shares a failure among its waiters and loads again afterwards', async () => {
    const { cache, source } = setup();
    const waiters = Array.from({ length: 5 }, () => cache.getOrLoad('key', source.load));
    const outcomes = Promise.allSettled(waiters);
    const error = new Error('down');
    await source.fail(error);
    for (const outcome of await outcomes) expect(outcome).toEqual({ status: 'rejected', reason: error });
    expect(source.contexts).toHaveLength(1);
    const again = cache.getOrLoad('key', source.load);
    await source.answer('value');
    expect(await again).toBe('value');
  });

  it.each([undefined, 'text', 0, null])('rejects with %j when a loader throws it', async (thrown) => {
    const { cache } = setup();
    const loader = (): never => {
      // oxlint-disable-next-line typescript/only-throw-error -- loaders of users throw anything
      throw thrown;
    };
    await expect(cache.getOrLoad('key', loader)).rejects.toBe(thrown);
    expect(cache.stats()).toMatchObject({ loads: 1, loadFailures: 1, loading: 0, entries: 0 });
  });

  it('takes tags, time to live and size from the value', async () => {
    const { cache, clock } = setup({ maxBytes: 1_000 });
    await cache.getOrLoad('key', () => '50', {
      ttlMs: Number,
      tags: (value) => [`tag ${value}`],
      sizeBytes: 7,
    });
    expect(cache.stats().bytes).toBe(10);
    await clock.advance(49);
    expect(cache.has('key')).toBe(true);
    await clock.advance(1);
    expect(cache.has('key')).toBe(false);
    await cache.getOrLoad('key', () => '1', { tags: (value) => [`tag ${value}`] });
    expect(cache.invalidateTag('tag 1')).toBe(1);
  });

  it('fails when the value has tags that are none', async () => {
    const { cache } = setup();
    const options = { tags: () => [''] };
    await expect(cache.getOrLoad('key', () => 'value', options)).rejects.toThrow('tags');
    expect(cache.stats()).toMatchObject({ entries: 0, loading: 0 });
  });

  it('loads anew by force, not joining a load that runs', async () => {
    const { cache, source } = setup();
    const first = cache.getOrLoad('key', source.load);
    const forced = cache.getOrLoad('key', source.load, { force: true });
    expect(source.contexts).toHaveLength(2);
    await source.answer('first');
    expect(cache.has('key')).toBe(false);
    await source.answer('forced');
    expect([await first, await forced]).toEqual(['first', 'forced']);
    expect(cache.get('key')).toBe('forced');
  });

  it('keeps the old value when a forced load fails, and says so', async () => {
    const { cache } = setup();
    cache.set('key', 'old');
    await expect(
      cache.getOrLoad('key', () => Promise.reject(new Error('no')), { force: true }),
    ).rejects.toThrow('no');
    expect(cache.get('key')).toBe('old');
  });

  it('does not store with noStore, unless another caller joins who wants it stored', async () => {
    const { cache, source } = setup();
    await cache.getOrLoad('key', () => 'value', { noStore: true });
    expect(cache.has('key')).toBe(false);
    const waiters = [
      cache.getOrLoad('key', source.load, { noStore: true }),
      cache.getOrLoad('key', source.load),
    ];
    await source.answer('value');
    await Promise.all(waiters);
    expect(cache.has('key')).toBe(true);
  });

  it('does not store what its loader says not to', async () => {
    const { cache } = setup();
    const loader = ({ doNotStore }: LoadContext): string => {
      doNotStore();
      return 'value';
    };
    expect(await cache.getOrLoad('key', loader)).toBe('value');
    expect(cache.has('key')).toBe(false);
  });

  it('never rejects a caller because of an eviction', async () => {
    const { cache, source } = setup({ maxEntries: 1 });
    const waiters = ['a', 'b', 'c'].map((key) => cache.getOrLoad(key, source.load));
    for (const value of ['1', '2', '3']) await source.answer(value);
    expect(await Promise.all(waiters)).toEqual(['1', '2', '3']);
    expect(cache.keys()).toEqual(['c']);
  });

  it.each([
    [{ ttlMs: -1 }, 'ttlMs'],
    [{ signal: {} }, 'signal'],
    [{ hardTimeoutMs: Number.NaN }, 'hardTimeoutMs'],
    [{ timeoutMs: 1 }, 'timeoutMs'],
    [{ tags: 'a' }, 'tags'],
  ])('refuses %j without loading', async (options, part) => {
    const { cache, source } = setup();
    await expect(cache.getOrLoad('key', source.load, options as object)).rejects.toThrow(part);
    await expect(cache.getOrLoad('key', undefined as never)).rejects.toThrow('loader');
    expect(source.contexts).toHaveLength(0);
    expect(cache.stats()).toMatchObject({ gets: 0, loads: 0 });
  });
});

describe('leaving', () => {
  it('rejects at once for an aborted signal, without loading or counting', async () => {
    const { cache, source } = setup();
    cache.set('key', 'value');
    await expect(cache.getOrLoad('key', source.load, { signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(cache.stats().gets).toBe(0);
  });

  it('lets the first caller leave without the others noticing', async () => {
    const { cache, source } = setup();
    const first = new AbortController();
    const left = cache.getOrLoad('key', source.load, { signal: first.signal });
    const stayed = cache.getOrLoad('key', source.load);
    first.abort(new Error('bored'));
    await expect(left).rejects.toThrow('bored');
    expect(source.contexts[0]?.signal.aborted).toBe(false);
    await source.answer('value');
    expect(await stayed).toBe('value');
    expect(cache.get('key')).toBe('value');
  });

  it('aborts the load when the last caller leaves, and lets the next one load anew', async () => {
    const { cache, source } = setup();
    const controllers = [new AbortController(), new AbortController()];
    const left = Promise.allSettled(
      controllers.map(({ signal }) => cache.getOrLoad('key', source.load, { signal })),
    );
    for (const controller of controllers) controller.abort('bye');
    expect(source.contexts[0]?.signal.reason).toBe('bye');
    await left;
    const next = cache.getOrLoad('key', source.load);
    expect(source.contexts).toHaveLength(2);
    await source.answer('too late');
    expect(cache.has('key')).toBe(false);
    await source.answer('value');
    expect(await next).toBe('value');
    expect(cache.stats()).toMatchObject({ loads: 2, loadsAbandoned: 1, loadSuccesses: 1, loading: 0 });
  });

  it('leaves no listener on a signal that served ten thousand calls', async () => {
    const { cache } = setup();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    for (let i = 0; i < 10_000; i += 1)
      await cache.getOrLoad(`key ${i % 5_000}`, async () => 'v', { signal });
    expect(add).toHaveBeenCalled();
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
  });

  it('does not run the loader when its only caller leaves as the load is announced', async () => {
    const { cache, source } = setup();
    const controller = new AbortController();
    cache.on('load:started', () => controller.abort('early'));
    const options = { signal: controller.signal };
    await expect(cache.getOrLoad('key', source.load, options)).rejects.toBe('early');
    expect(source.contexts).toHaveLength(0);
    expect(cache.stats()).toMatchObject({ loads: 1, loadsAbandoned: 1, loading: 0 });
  });
});

describe('stale while revalidate', () => {
  it.each([
    ['no timeout', {}],
    ['a soft timeout', { softTimeoutMs: 0 }],
    ['a hard timeout', { hardTimeoutMs: 1_000 }],
  ])('serves the old value to a hundred readers while one refresh runs, with %s', async (_limit, limits) => {
    const { cache, source } = await setupStale({ staleMs: 50, ...limits });
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.getOrLoad('key', source.load)));
    expect(new Set(values)).toEqual(new Set(['old']));
    expect(source.contexts).toHaveLength(1);
    await source.answer('new');
    expect(cache.get('key')).toBe('new');
    expect(cache.stats()).toMatchObject({ staleHits: 100, refreshes: 1, loads: 1, misses: 0 });
  });

  it('waits for the load once the stale time is over', async () => {
    const { cache, source } = await setupStale({ staleMs: 50 }, 150);
    const waiter = cache.getOrLoad('key', source.load);
    await source.answer('new');
    expect(await waiter).toBe('new');
  });

  it('goes on refreshing when the reader that began it leaves', async () => {
    const { cache, source } = await setupStale({ staleMs: 50 });
    const controller = new AbortController();
    await cache.getOrLoad('key', source.load, { signal: controller.signal });
    controller.abort('bye');
    expect(source.contexts[0]?.signal.aborted).toBe(false);
    await source.answer('new');
    expect(cache.get('key')).toBe('new');
  });

  it('tells of a refresh that fails, keeps the old value, and waits longer each time', async () => {
    const { cache, clock, source } = await setupStale({ staleMs: 100_000, refreshBackoffMs: 1_000 });
    using monitor = createEventMonitor<CacheEvents>(cache);
    const tries: number[] = [];
    const loader = (): Promise<string> => {
      tries.push(clock.now() - 100);
      return Promise.reject(new Error('down'));
    };
    while (clock.now() < 15_000) {
      expect(await cache.getOrLoad('key', loader)).toBe('old');
      await clock.advance(100);
    }
    expect(tries).toEqual([0, 1_000, 3_000, 7_000]);
    expect(monitor.count('load:failed')).toBe(4);
    void cache.getOrLoad('key', source.load);
    await clock.advance(1_000);
    void cache.getOrLoad('key', source.load);
    await source.answer('new');
    expect(cache.get('key')).toBe('new');
  });

  it('is beaten by a set during the refresh', async () => {
    const { cache, source } = await setupStale({ staleMs: 50 });
    await cache.getOrLoad('key', source.load);
    cache.set('key', 'set');
    await source.answer('loaded');
    expect(cache.get('key')).toBe('set');
  });
});

describe('stale if error', () => {
  it('serves the old value in place of the error, and does not try again at once', async () => {
    const { cache, clock, source } = await setupStale({ staleIfErrorMs: 5_000 });
    const waiters = [cache.getOrLoad('key', source.load), cache.getOrLoad('key', source.load)];
    await source.fail(new Error('down'));
    expect(await Promise.all(waiters)).toEqual(['old', 'old']);
    expect(await cache.getOrLoad('key', source.load)).toBe('old');
    expect(source.contexts).toHaveLength(1);
    await clock.advance(1_000);
    const next = cache.getOrLoad('key', source.load);
    expect(source.contexts).toHaveLength(2);
    await source.answer('new');
    expect(await next).toBe('new');
    expect(cache.stats()).toMatchObject({ staleOnError: 1, staleHits: 1 });
  });

  it('throws the error once the time is over', async () => {
    const { cache, source } = await setupStale({ staleIfErrorMs: 50 }, 150);
    const waiter = expect(cache.getOrLoad('key', source.load)).rejects.toThrow('down');
    await source.fail(new Error('down'));
    await waiter;
  });

  it('does not serve a value that was invalidated while the load ran', async () => {
    const { cache, source } = await setupStale({ staleIfErrorMs: 50 });
    const waiter = expect(cache.getOrLoad('key', source.load)).rejects.toThrow('down');
    cache.clear();
    await source.fail(new Error('down'));
    await waiter;
  });
});

describe('remembered failures', () => {
  it('throws the same error without loading, until its own time is over', async () => {
    const { cache, clock, source } = setup({ negativeTtlMs: 50 });
    const error = new Error('no such user');
    const first = expect(cache.getOrLoad('key', source.load)).rejects.toBe(error);
    await source.fail(error);
    await first;
    await expect(cache.getOrLoad('key', source.load)).rejects.toBe(error);
    expect([cache.get('key'), cache.has('key'), cache.keys()]).toEqual([undefined, false, []]);
    expect(cache.stats()).toMatchObject({ gets: 3, hits: 1, negativeHits: 1, misses: 2, loads: 1 });
    await clock.advance(50);
    const next = cache.getOrLoad('key', source.load);
    await source.answer('value');
    expect(await next).toBe('value');
  });

  it('gives way to a set', async () => {
    const { cache } = setup({ negativeTtlMs: 50 });
    await expect(cache.getOrLoad('key', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    cache.set('key', 'value');
    expect(await cache.getOrLoad('key', () => 'loaded')).toBe('value');
  });

  it('are only those that rememberFailure wants', async () => {
    const { cache } = setup({
      negativeTtlMs: 50,
      rememberFailure: (error) => {
        if (error === 'careless') throw new Error('oops');
        return error === 'permanent';
      },
    });
    for (const [error, loads] of [
      ['passing', 2],
      ['careless', 2],
      ['permanent', 1],
    ] as const) {
      const loader = vi.fn<() => Promise<string>>(() => Promise.reject(error));
      for (let round = 0; round < 2; round += 1)
        await expect(cache.getOrLoad(error, loader)).rejects.toBe(error);
      expect(loader).toHaveBeenCalledTimes(loads);
    }
  });
});

describe('timeouts', () => {
  it('rejects and aborts the load at the hard timeout, and drops what comes later', async () => {
    const { cache, clock, source } = setup({ hardTimeoutMs: 100 });
    const waiter = expect(cache.getOrLoad('key', source.load)).rejects.toMatchObject({
      code: 'CACHE_LOAD_TIMEOUT',
      key: 'key',
      timeoutMs: 100,
      message: 'The load of "key" did not end within 100 ms.',
    });
    await clock.advance(100);
    await waiter;
    expect(source.contexts[0]?.signal.reason).toMatchObject({ code: 'CACHE_LOAD_TIMEOUT' });
    await source.answer('late');
    expect(cache.has('key')).toBe(false);
    expect(cache.stats()).toMatchObject({ loadFailures: 1, loading: 0 });
  });

  it('leaves no timer behind when the load is in time, or is left', async () => {
    const { cache, clock, source } = setup({ hardTimeoutMs: 100 });
    const waiter = cache.getOrLoad('key', source.load);
    expect(clock.pendingTimers).toBe(1);
    await source.answer('value');
    await waiter;
    const controller = new AbortController();
    const left = expect(cache.getOrLoad('b', source.load, { signal: controller.signal })).rejects.toBe('bye');
    controller.abort('bye');
    await left;
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes the old value at the soft timeout, while the load goes on and is stored', async () => {
    const { cache, clock, source } = await setupStale({ staleIfErrorMs: 1_000, softTimeoutMs: 20 });
    const controller = new AbortController();
    const waiter = cache.getOrLoad('key', source.load, { signal: controller.signal });
    await clock.advance(20);
    expect(await waiter).toBe('old');
    controller.abort('done with it');
    expect(source.contexts[0]?.signal.aborted).toBe(false);
    await source.answer('new');
    expect(cache.get('key')).toBe('new');
    expect(cache.stats().softTimeouts).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits on past the soft timeout when there is no old value, or it was invalidated', async () => {
    const { cache, clock, source } = await setupStale({ staleIfErrorMs: 1_000, softTimeoutMs: 20 });
    const waiters = [cache.getOrLoad('key', source.load), cache.getOrLoad('other', source.load)];
    cache.delete('key');
    await clock.advance(20);
    await source.answer('new');
    await source.answer('other');
    expect(await Promise.all(waiters)).toEqual(['new', 'other']);
  });
});

describe('early refresh', () => {
  it('spreads the refreshes of keys that were stored together, and blocks nobody', async () => {
    const { cache, clock } = setup({
      ttlMs: 1_000,
      earlyRefreshMs: 500,
      maxEntries: 2_000,
      random: seededRandom(1),
    });
    const keys = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
    for (const key of keys) cache.set(key, 'old');
    const perStep: number[] = [];
    for (let step = 0; step < 10; step += 1) {
      await clock.advance(99);
      const before = cache.stats().refreshes;
      for (const key of keys) await cache.getOrLoad(key, async () => 'new');
      perStep.push(cache.stats().refreshes - before);
    }
    expect(perStep.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    for (const count of perStep.slice(5)) expect(count).toBeGreaterThan(150);
    for (const count of perStep.slice(5)) expect(count).toBeLessThan(250);
    expect(cache.stats().misses).toBe(0);
  });
});
