import { createDeferred } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { createCache } from './cache.ts';
import type { TieredCacheOptions } from './cache-options.ts';
import type { CacheStore, SyncCacheStore } from './cache-store.ts';
import type { CacheEvents } from './events.ts';
import { createMemoryStore } from './memory-store.ts';
import { createTaskCache } from './task-cache.ts';
import type { TieredCache } from './tiered-cache.ts';

function setup(options: Partial<TieredCacheOptions<unknown>> = {}): {
  cache: TieredCache<unknown>;
  clock: ManualClock;
  tier: CacheStore<unknown>;
  /** A cache as a later process makes it: nothing in memory, and a clock that starts anew. */
  restart: () => { cache: TieredCache<unknown>; clock: ManualClock };
} {
  const clock = createManualClock();
  const tier = options.tier ?? createMemoryStore({ maxEntries: Infinity });
  return {
    clock,
    tier,
    cache: createCache({ clock, ...options, tier }),
    restart: () => {
      const newClock = createManualClock({ wallTime: clock.wallTime() });
      return { clock: newClock, cache: createCache({ clock: newClock, ...options, tier }) };
    },
  };
}

/** A memory store in which single operations can be replaced. */
function tierWith(replaced: Partial<CacheStore<unknown>>): SyncCacheStore<unknown> {
  return { ...createMemoryStore({ maxEntries: Infinity }), ...(replaced as object) };
}

const fail = (): never => {
  throw new Error('out of order');
};

describe('a load with a tier', () => {
  it('finds what an earlier process loaded or set', async () => {
    const { cache, restart } = setup();
    await cache.getOrLoad('loaded', () => 1);
    await cache.set('set', 2);
    await cache.flush();
    const { cache: later } = restart();
    expect(await later.getOrLoad('loaded', fail)).toBe(1);
    expect(await later.getOrLoad('set', fail)).toBe(2);
    expect([later.get('loaded'), later.has('set')]).toEqual([1, true]);
    expect(later.stats()).toMatchObject({
      tierHits: 2,
      tierMisses: 0,
      loads: 0,
      gets: 3,
      hits: 1,
      misses: 2,
    });
  });

  it('looks into memory alone where there is no load', async () => {
    const { cache, restart } = setup();
    await cache.set('key', 1);
    const { cache: later } = restart();
    expect([later.get('key'), later.peek('key'), later.has('key'), later.keys()]).toEqual([
      undefined,
      undefined,
      false,
      [],
    ]);
  });

  it('reads the tier once and loads once for a thousand callers', async () => {
    const get = vi.fn(async () => undefined);
    const { cache } = setup({ tier: tierWith({ get }) });
    const loader = vi.fn(() => 1);
    await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrLoad('key', loader)));
    expect([get.mock.calls.length, loader.mock.calls.length]).toEqual([1, 1]);
    expect(cache.stats()).toMatchObject({ loads: 1, coalesced: 999, tierMisses: 1, tierStores: 1 });
  });

  it('is joined while the tier is read, also by a caller with tags that were invalidated meanwhile', async () => {
    const read = createDeferred<undefined>();
    const { cache } = setup({ tier: tierWith({ get: () => read.promise }) });
    const loader = vi.fn(() => 1);
    const first = cache.getOrLoad('key', loader);
    await cache.invalidateTag('tag');
    const second = cache.getOrLoad('key', loader, { tags: ['tag'] });
    read.resolve(undefined);
    expect(await Promise.all([first, second])).toEqual([1, 1]);
    expect(loader).toHaveBeenCalledTimes(1);
    expect(await cache.invalidateTag('tag')).toBe(1);
  });

  it('keeps in memory what the tier has, sized as if it had been loaded', async () => {
    const { cache, restart } = setup({ maxBytes: 1_000 });
    await cache.set('key', 'x', { sizeBytes: 100 });
    const { cache: later } = restart();
    await later.getOrLoad('key', fail, { sizeBytes: 200 });
    expect(later.stats()).toMatchObject({ entries: 1, bytes: 203 });
  });

  it('is answered by the tier until the value is too old, whatever clock the process has', async () => {
    const { cache, clock, restart } = setup({ ttlMs: 1_000 });
    await clock.advance(5_000_000);
    await cache.set('key', 1);
    await clock.advance(600);
    const first = restart();
    expect(await first.cache.getOrLoad('key', fail)).toBe(1);
    await first.clock.advance(399);
    expect(first.cache.has('key')).toBe(true);
    await first.clock.advance(1);
    expect(first.cache.has('key')).toBe(false);
    await clock.advance(400);
    expect(await restart().cache.getOrLoad('key', () => 2)).toBe(2);
  });

  it('takes a value from before the clock was set back for a new one', async () => {
    const { cache, tier } = setup({ ttlMs: 1_000 });
    await cache.set('key', 1);
    const clock = createManualClock({ wallTime: 0 });
    const later = createCache({ tier, clock, ttlMs: 1_000 });
    await later.getOrLoad('key', fail);
    await clock.advance(999);
    expect(later.has('key')).toBe(true);
    await clock.advance(1);
    expect(later.has('key')).toBe(false);
  });

  it('serves a stale value of the tier at once, and loads it anew in the background', async () => {
    const { cache, clock, restart } = setup({ ttlMs: 100, staleMs: 100 });
    await cache.set('key', 'old');
    await clock.advance(150);
    const { cache: later } = restart();
    expect(await later.getOrLoad('key', () => 'new')).toBe('old');
    await later.flush();
    expect(later.get('key')).toBe('new');
    expect(await restart().cache.getOrLoad('key', fail)).toBe('new');
    expect(later.stats()).toMatchObject({ refreshes: 1, loads: 1, tierHits: 1 });
  });

  it('lets an old value of the tier stand in for a load that fails', async () => {
    const { cache, clock, restart } = setup({ ttlMs: 100, staleIfErrorMs: 1_000 });
    await cache.set('key', 'old');
    await clock.advance(500);
    expect(await restart().cache.getOrLoad('key', fail)).toBe('old');
    await clock.advance(600);
    await expect(restart().cache.getOrLoad('key', fail)).rejects.toThrow('out of order');
  });

  it('passes the tier by with force, overwrites it, and leaves it alone with noStore', async () => {
    const { cache, restart } = setup();
    await cache.set('key', 1);
    expect(await cache.getOrLoad('key', () => 2, { force: true })).toBe(2);
    await cache.flush();
    expect(await restart().cache.getOrLoad('key', fail)).toBe(2);
    await cache.getOrLoad('other', () => 1, { noStore: true });
    await cache.flush();
    expect(await restart().cache.getOrLoad('other', () => 'loaded')).toBe('loaded');
  });

  it('keeps failures in memory alone', async () => {
    const { cache, restart } = setup({ negativeTtlMs: 1_000 });
    await expect(cache.getOrLoad('key', fail)).rejects.toThrow('out of order');
    await expect(cache.getOrLoad('key', () => 1)).rejects.toThrow('out of order');
    await cache.flush();
    expect(await restart().cache.getOrLoad('key', () => 1)).toBe(1);
  });

  it('is left by its caller while the tier is read, and then begins no load', async () => {
    const read = createDeferred<undefined>();
    const { cache } = setup({ tier: tierWith({ get: () => read.promise }) });
    const caller = new AbortController();
    const loader = vi.fn(() => 1);
    const answer = cache.getOrLoad('key', loader, { signal: caller.signal });
    caller.abort('left');
    await expect(answer).rejects.toBe('left');
    read.resolve(undefined);
    await cache.flush();
    expect(loader).not.toHaveBeenCalled();
    expect(cache.stats()).toMatchObject({ loads: 0, loadsAbandoned: 0, loading: 0 });
  });

  it('times out while the tier is read', async () => {
    const { cache, clock } = setup({
      hardTimeoutMs: 100,
      tier: tierWith({ get: () => new Promise(() => {}) }),
    });
    const answer = expect(cache.getOrLoad('key', () => 1)).rejects.toMatchObject({
      code: 'CACHE_LOAD_TIMEOUT',
    });
    await clock.advance(100);
    await answer;
    expect(cache.stats()).toMatchObject({ loads: 1, loadFailures: 1, loading: 0 });
  });
});

describe('invalidation with a tier', () => {
  it('reaches both, by key, tag, predicate and all', async () => {
    const { cache, restart } = setup();
    for (const key of ['key', 'tagged', 'matched', 'rest']) {
      await cache.set(key, 'old', { tags: key === 'tagged' ? ['tag'] : [] });
    }
    expect(await cache.delete('key')).toBe(true);
    expect(await cache.delete('none')).toBe(false);
    expect(await cache.invalidateTag('tag')).toBe(1);
    expect(await cache.invalidateWhere((key) => key === 'matched')).toBe(1);
    const { cache: later } = restart();
    const load = (key: string): Promise<unknown> => later.getOrLoad(key, () => 'new');
    expect(await Promise.all(['key', 'tagged', 'matched', 'rest'].map(load))).toEqual([
      'new',
      'new',
      'new',
      'old',
    ]);
    await later.clear();
    expect(await restart().cache.getOrLoad('rest', () => 'new')).toBe('new');
  });

  it('counts for every reader as soon as it was called', async () => {
    const removed = createDeferred<[]>();
    const tier = tierWith({ deleteWhere: () => removed.promise });
    const { cache, restart } = setup({ tier });
    await cache.set('key', 'old', { tags: ['tag'] });
    const { cache: later } = restart();
    const invalidated = later.invalidateTag('tag');
    const answer = later.getOrLoad('key', () => 'new');
    tier.delete('key');
    removed.resolve([]);
    await invalidated;
    expect(await answer).toBe('new');
  });

  it('hits what is being read from the tier, also by a tag that no caller named', async () => {
    const tier = createMemoryStore<unknown>();
    const { cache, restart } = setup({ tier });
    await cache.set('key', 'old', { tags: ['tag'] });
    const old = tier.peek('key');
    const read = createDeferred<typeof old>();
    const get = vi.fn<CacheStore<unknown>['get']>((key) => tier.get(key));
    get.mockImplementationOnce(() => read.promise);
    const later = createCache({ tier: { ...tier, get }, clock: createManualClock() });
    const answer = later.getOrLoad('key', () => 'new');
    await vi.waitFor(() => expect(get).toHaveBeenCalledTimes(1));
    await later.invalidateTag('tag');
    read.resolve(old);
    expect(await answer).toBe('new');
    expect(later.get('key')).toBe('new');
    await later.flush();
    expect(await restart().cache.getOrLoad('key', fail)).toBe('new');
  });

  it('is over before a listener hears of it', async () => {
    const { cache } = setup();
    await cache.set('key', 'old', { tags: ['tag'] });
    const answers: Promise<unknown>[] = [];
    cache.on('entry:removed', () => answers.push(cache.getOrLoad('key', () => 'new')));
    await cache.invalidateTag('tag');
    expect(await Promise.all(answers)).toEqual(['new']);
  });

  it('hides a namespace that was cleared also from later processes, and touches no other', async () => {
    const { cache, restart } = setup();
    const names = ['users', 'users@1', 'teams'];
    for (const name of names) await cache.namespace(name).set('key', `old ${name}`);
    await cache.set('key', 'old');
    await cache.namespace('users').clear();
    await cache.namespace('users').set('other', 'kept');
    const { cache: later } = restart();
    const load = (name: string): Promise<unknown> => later.namespace(name).getOrLoad('key', () => 'new');
    expect(await Promise.all(names.map(load))).toEqual(['new', 'old users@1', 'old teams']);
    expect(await later.namespace('users').getOrLoad('other', fail)).toBe('kept');
    expect(await later.getOrLoad('key', fail)).toBe('old');
    expect(await later.namespace('teams').invalidateWhere((key) => key === 'key')).toBe(1);
    expect(later.namespace('teams')).toBe(later.namespace('teams'));
  });

  it('drops from both what is too old for any use', async () => {
    const { cache, clock, tier } = setup();
    await cache.set('short', 1, { ttlMs: 100 });
    await cache.set('long', 1);
    await clock.advance(100);
    expect(await cache.purgeExpired()).toBe(1);
    expect((await tier.entries()).map(([key]) => key)).toEqual(['long']);
    expect(cache.stats()).toMatchObject({ entries: 1, removals: { expire: 1 } });
  });

  it('stores nothing that has no time to live, and forgets what it replaces', async () => {
    const { cache, tier } = setup();
    await cache.set('key', 1);
    expect(await cache.set('key', 2, { ttlMs: 0 })).toBe(false);
    expect(await tier.get('key')).toBeUndefined();
  });

  it('rejects wrong arguments', async () => {
    const { cache } = setup();
    await expect(cache.set('\0', 1)).rejects.toThrow(TypeError);
    await expect(cache.delete(1 as never)).rejects.toThrow(TypeError);
    await expect(cache.invalidateTag('')).rejects.toThrow(TypeError);
    await expect(cache.invalidateWhere(1 as never)).rejects.toThrow(TypeError);
  });
});

describe('a tier that fails', () => {
  function failures(cache: TieredCache<unknown>): CacheEvents['tier:failed'][] {
    const seen: CacheEvents['tier:failed'][] = [];
    cache.on('tier:failed', (event) => seen.push(event));
    return seen;
  }

  it('keeps nobody from loading', async () => {
    const { cache } = setup({ tier: tierWith({ get: fail, set: async () => fail() }) });
    const seen = failures(cache);
    expect(await cache.getOrLoad('key', () => 1)).toBe(1);
    await cache.flush();
    expect(cache.get('key')).toBe(1);
    expect(seen.map(({ operation, key }) => [operation, key])).toEqual([
      ['get', 'key'],
      ['set', 'key'],
    ]);
    expect(cache.stats()).toMatchObject({ tierFailures: 2, tierStores: 0 });
  });

  it('does not bring back what a set was to replace', async () => {
    const tier = tierWith({});
    const { cache, restart } = setup({ tier });
    await cache.set('key', 'old');
    tier.set = fail;
    await expect(cache.set('key', 'new')).rejects.toThrow('out of order');
    expect(cache.get('key')).toBe('new');
    expect(await restart().cache.getOrLoad('key', () => 'loaded')).toBe('loaded');
  });

  it.each([
    ['delete', 'delete'],
    ['tag', 'deleteWhere'],
    ['clear', 'clear'],
  ] as const)('is not read any more after a failed %s, until it was cleared', async (by, operation) => {
    const tier = tierWith({});
    const { cache } = setup({ tier, maxEntries: 1 });
    const seen = failures(cache);
    await cache.set('key', 'old', { tags: ['tag'] });
    const works = tier[operation];
    Object.assign(tier, { [operation]: fail });
    const invalidate = {
      delete: () => cache.delete('key'),
      tag: () => cache.invalidateTag('tag'),
      clear: () => cache.clear(),
    };
    await expect(invalidate[by]()).rejects.toThrow('out of order');
    expect(seen.map((event) => event.operation)).toEqual([operation]);
    expect(await cache.getOrLoad('key', () => 'new')).toBe('new');
    Object.assign(tier, { [operation]: works });
    await cache.set('other', 1);
    await cache.clear();
    await cache.set('key', 'newer');
    await cache.set('other', 1);
    expect(await cache.getOrLoad('key', fail)).toBe('newer');
  });
});

describe('a task cache with a tier', () => {
  it('finds results of an earlier process, and says that they were cached', async () => {
    const { cache, restart } = setup();
    const double = (input: number): number => input * 2;
    const options = { deterministic: true, version: '1' };
    const tasks = createTaskCache({ cache });
    const first = await tasks.run('double', 4, double, options);
    await tasks.run('double', 5, double, options);
    await cache.flush();
    const later = createTaskCache({ cache: restart().cache });
    const again = await later.run('double', 4, fail, options);
    expect([first.cached, again.cached, again.shared, again.value]).toEqual([false, true, false, 8]);
    expect(again.provenance).toEqual(first.provenance);
    expect(await later.invalidateTask('double')).toBe(2);
    expect((await createTaskCache({ cache: restart().cache }).run('double', 4, double, options)).cached).toBe(
      false,
    );
  });

  it('counts a result of another task cache on the same cache as cached', async () => {
    const { cache } = setup();
    const busy = createTaskCache({ cache });
    for (let input = 0; input < 5; input += 1)
      await busy.run('t', input, () => input, { deterministic: true });
    const other = await createTaskCache({ cache }).run('t', 4, fail, { deterministic: true });
    expect(other.cached).toBe(true);
  });
});
