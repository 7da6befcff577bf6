import { createEventMonitor, createManualClock, type ManualClock } from '@pawl/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import type { CacheEvents, RemovalReason } from './events.ts';

function setup<V = unknown>(options: CacheOptions<V> = {}): { cache: Cache<V>; clock: ManualClock } {
  const clock = createManualClock();
  return { clock, cache: createCache<V>({ clock, ...options }) };
}

describe('get and set', () => {
  it('gives back what was set, by reference', () => {
    const { cache } = setup();
    const value = { a: 1 };
    expect(cache.set('key', value)).toBe(true);
    expect(cache.get('key')).toBe(value);
    expect(cache.get('other')).toBeUndefined();
  });

  it('tells a stored undefined or null from nothing', () => {
    const { cache } = setup();
    cache.set('undefined', undefined);
    cache.set('null', null);
    expect([cache.has('undefined'), cache.has('null'), cache.has('none')]).toEqual([true, true, false]);
    expect(cache.get('null')).toBeNull();
    expect(cache.stats().misses).toBe(0);
  });

  it('takes the empty string for a key as good as any', () => {
    const { cache } = setup();
    cache.set('', 1);
    cache.set('other', 2);
    expect(cache.get('')).toBe(1);
    expect(cache.delete('')).toBe(true);
    expect(cache.keys()).toEqual(['other']);
  });

  it('reports whether a delete removed something', () => {
    const { cache } = setup();
    cache.set('key', 1);
    expect(cache.delete('key')).toBe(true);
    expect(cache.delete('key')).toBe(false);
    expect(cache.get('key')).toBeUndefined();
  });

  it('lists the fresh keys, least recently used first, whatever changes meanwhile', async () => {
    const { cache, clock } = setup();
    cache.set('short', 1, { ttlMs: 10 });
    cache.set('a', 1);
    cache.set('b', 1);
    cache.get('a');
    await clock.advance(10);
    const seen: string[] = [];
    for (const key of cache.keys()) {
      cache.delete(key);
      cache.set(`${key}${key}`, 1);
      seen.push(key);
    }
    expect(seen).toEqual(['b', 'a']);
  });

  it('does not count a peek, nor lets it keep the entry', () => {
    const { cache } = setup({ maxEntries: 2 });
    cache.set('a', 1);
    cache.set('b', 2);
    expect(cache.peek('a')).toBe(1);
    cache.set('c', 3);
    expect(cache.has('a')).toBe(false);
    expect(cache.stats().gets).toBe(0);
  });

  it.each([42, undefined, null, '\0name@1\0key'])('refuses %j as a key', async (key) => {
    const { cache } = setup();
    expect(() => cache.get(key as string)).toThrow(TypeError);
    expect(() => cache.set(key as string, 1)).toThrow(TypeError);
    await expect(cache.getOrLoad(key as string, () => 1)).rejects.toThrow(TypeError);
  });
});

describe('time to live', () => {
  it('serves a value until its age is its time to live, on a clock that starts at 0', async () => {
    const { cache, clock } = setup({ ttlMs: 100 });
    expect(clock.now()).toBe(0);
    cache.set('key', 'value');
    await clock.advance(99.9);
    expect(cache.get('key')).toBe('value');
    await clock.advance(0.1);
    expect(cache.has('key')).toBe(false);
    expect(cache.get('key')).toBeUndefined();
    expect(cache.stats()).toMatchObject({ entries: 0, removals: { expire: 1 } });
  });

  it('takes a time to live per entry', async () => {
    const { cache, clock } = setup({ ttlMs: 100 });
    cache.set('short', 1, { ttlMs: 10 });
    cache.set('long', 1, { ttlMs: Infinity });
    await clock.advance(10);
    expect(cache.has('short')).toBe(false);
    await clock.advance(1e12);
    expect(cache.has('long')).toBe(true);
  });

  it('starts anew with each set', async () => {
    const { cache, clock } = setup({ ttlMs: 100 });
    cache.set('key', 1);
    await clock.advance(60);
    cache.set('key', 2);
    await clock.advance(60);
    expect(cache.get('key')).toBe(2);
  });

  it('starts anew with each hit when it slides, and not with a peek', async () => {
    const { cache, clock } = setup({ ttlMs: 100, sliding: true });
    cache.set('key', 1);
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(60);
      expect(cache.get('key')).toBe(1);
    }
    await clock.advance(60);
    cache.peek('key');
    await clock.advance(60);
    expect(cache.get('key')).toBeUndefined();
  });

  it('stores nothing that has no time to live, and forgets what it replaces', () => {
    const { cache } = setup();
    cache.set('key', 1);
    expect(cache.set('key', 2, { ttlMs: 0 })).toBe(false);
    expect(cache.get('key')).toBeUndefined();
  });

  it('hides a stale value from a plain read and shows it on request', async () => {
    const { cache, clock } = setup({ ttlMs: 100, staleMs: 50 });
    cache.set('key', 1);
    await clock.advance(149);
    expect(cache.get('key')).toBeUndefined();
    expect(cache.get('key', { allowStale: true })).toBe(1);
    expect(cache.has('key', { allowStale: true })).toBe(true);
    expect(cache.stats()).toMatchObject({ hits: 1, staleHits: 1, misses: 1 });
    await clock.advance(1);
    expect(cache.get('key', { allowStale: true })).toBeUndefined();
  });

  it('drops what is too old for any use on request', async () => {
    const { cache, clock } = setup({ ttlMs: 100, staleIfErrorMs: 100 });
    cache.set('old', 1);
    await clock.advance(150);
    cache.set('young', 1);
    expect(cache.purgeExpired()).toBe(0);
    await clock.advance(50);
    expect(cache.purgeExpired()).toBe(1);
    expect(cache.stats().entries).toBe(1);
  });

  it('holds no timer', () => {
    const { cache, clock } = setup({ ttlMs: 10, staleMs: 10 });
    for (let i = 0; i < 100; i += 1) cache.set(`key ${i}`, i);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('limits', () => {
  it('evicts the least recently used entry beyond maxEntries', () => {
    const { cache } = setup({ maxEntries: 2 });
    cache.set('a', 1);
    cache.set('b', 2);
    cache.get('a');
    cache.set('c', 3);
    expect(cache.keys()).toEqual(['a', 'c']);
  });

  it('counts values and keys in bytes, exactly', () => {
    const { cache } = setup({ maxBytes: 100 });
    cache.set('key', 'x', { sizeBytes: 10 });
    expect(cache.stats().bytes).toBe(13);
    cache.set('key', 'x', { sizeBytes: 20 });
    expect(cache.stats().bytes).toBe(23);
    cache.set('ключ', 'x', { sizeBytes: 0 });
    expect(cache.stats().bytes).toBe(31);
    cache.delete('key');
    expect(cache.stats().bytes).toBe(8);
    cache.clear();
    expect(cache.stats().bytes).toBe(0);
  });

  it('keeps keys without values within maxBytes', () => {
    const { cache } = setup({ maxBytes: 10_000, maxEntries: Infinity });
    for (let i = 0; i < 100; i += 1) cache.set(`${i}`.padEnd(1_000), '', { sizeBytes: 0 });
    expect(cache.stats()).toMatchObject({ entries: 10, bytes: 10_000 });
  });

  it('estimates values when no size is told', () => {
    const { cache } = setup({ maxBytes: 1_000 });
    cache.set('key', 'x'.repeat(500));
    expect(cache.stats().bytes).toBe(503);
    cache.set('buffer', Buffer.alloc(600));
    expect(cache.keys()).toEqual(['buffer']);
  });

  it('asks sizeOf, and refuses what is no size', () => {
    const { cache } = setup<string>({ maxBytes: 1_000, sizeOf: (value) => Number(value) });
    cache.set('a', '7');
    expect(cache.stats().bytes).toBe(8);
    expect(() => cache.set('a', 'many')).toThrow('sizeOf(value)');
  });

  it('refuses an oversize value, says so, and drops what it replaces', () => {
    const { cache } = setup({ maxBytes: 100 });
    const refused = vi.fn<(payload: CacheEvents['entry:refused']) => void>();
    cache.on('entry:refused', refused);
    cache.set('key', 'x', { sizeBytes: 50 });
    expect(cache.set('key', 'x', { sizeBytes: 98 })).toBe(false);
    expect(cache.has('key')).toBe(false);
    expect(refused).toHaveBeenCalledExactlyOnceWith({ key: 'key', sizeBytes: 101 });
    expect(cache.stats()).toMatchObject({ refused: 1, bytes: 0 });
  });
});

describe('isolate', () => {
  it('keeps a change of a value handed in or out away from the cache', async () => {
    const { cache } = setup<{ list: number[] }>({ isolate: true });
    const given = { list: [1] };
    cache.set('key', given);
    given.list.push(2);
    cache.get('key')?.list.push(3);
    cache.peek('key')?.list.push(4);
    (await cache.getOrLoad('key', () => ({ list: [] }))).list.push(5);
    expect(cache.get('key')).toEqual({ list: [1] });
  });

  it('gives each waiter of one load its own copy', async () => {
    const { cache } = setup<{ list: number[] }>({ isolate: true });
    const [a, b] = await Promise.all([
      cache.getOrLoad('key', () => ({ list: [] })),
      cache.getOrLoad('key', () => ({ list: [] })),
    ]);
    a.list.push(1);
    expect(b).toEqual({ list: [] });
    expect(cache.get('key')).toEqual({ list: [] });
  });

  it('refuses what can not be copied', async () => {
    const { cache } = setup({ isolate: true });
    expect(() => cache.set('key', () => 1)).toThrow(
      expect.objectContaining({ code: 'CACHE_VALUE_NOT_CLONEABLE' }),
    );
    await expect(cache.getOrLoad('key', () => () => 1)).rejects.toMatchObject({
      code: 'CACHE_VALUE_NOT_CLONEABLE',
    });
    expect(cache.stats()).toMatchObject({ entries: 0, loads: 1, loadFailures: 1, loading: 0 });
  });
});

describe('dispose', () => {
  function withDispose(options: CacheOptions<number> = {}): {
    cache: Cache<number>;
    clock: ManualClock;
    disposed: [number, string, RemovalReason][];
  } {
    const disposed: [number, string, RemovalReason][] = [];
    return { ...setup({ ...options, dispose: (...args) => disposed.push(args) }), disposed };
  }

  it('is told once of each value that leaves, and why', async () => {
    const { cache, clock, disposed } = withDispose({ maxEntries: 3 });
    cache.set('a', 1);
    cache.set('a', 2);
    cache.delete('a');
    cache.set('b', 3, { ttlMs: 10 });
    await clock.advance(10);
    cache.get('b');
    cache.set('c', 4, { tags: ['t'] });
    cache.invalidateTag('t');
    for (const [index, key] of ['d', 'e', 'f', 'g'].entries()) cache.set(key, 5 + index);
    cache.clear();
    expect(disposed).toEqual([
      [1, 'a', 'set'],
      [2, 'a', 'delete'],
      [3, 'b', 'expire'],
      [4, 'c', 'invalidate'],
      [5, 'd', 'evict'],
      [6, 'e', 'clear'],
      [7, 'f', 'clear'],
      [8, 'g', 'clear'],
    ]);
    const { stores, entries, removals } = cache.stats();
    expect(Object.values(removals).reduce((sum, count) => sum + count)).toBe(stores - entries);
  });

  it('may set the key again', () => {
    const { cache } = setup<number>({
      maxEntries: 2,
      dispose: (value, key, reason) => {
        if (reason === 'delete' && value < 5) cache.set(key, value + 1);
      },
    });
    cache.set('key', 1);
    cache.delete('key');
    expect(cache.get('key')).toBe(2);
    cache.set('other', 9);
    cache.clear();
    expect(cache.keys()).toEqual([]);
  });

  it('finds everything gone when it runs for one of many', () => {
    const seen: (readonly string[])[] = [];
    const { cache } = setup<number>({ dispose: () => seen.push(cache.keys()) });
    cache.set('a', 1, { tags: ['t'] });
    cache.set('b', 2, { tags: ['t'] });
    cache.invalidateTag('t');
    expect(seen).toEqual([[], []]);
  });

  it('may throw without harm', () => {
    const { cache } = setup<number>({
      dispose: () => {
        throw new Error('careless');
      },
    });
    cache.set('a', 1);
    expect(cache.delete('a')).toBe(true);
    expect(cache.stats().entries).toBe(0);
  });
});

describe('namespace', () => {
  it('has keys of its own in the same room', async () => {
    const { cache } = setup({ maxEntries: 3 });
    const users = cache.namespace('users');
    cache.set('1', 'root');
    users.set('1', 'Ada');
    expect(await users.getOrLoad('2', ({ key }) => `user ${key}`)).toBe('user 2');
    expect([cache.get('1'), users.get('1'), users.peek('2')]).toEqual(['root', 'Ada', 'user 2']);
    expect(users.keys()).toEqual(['2', '1']);
    expect(cache.keys()).toEqual(['1']);
    expect(cache.namespace('users')).toBe(users);
    expect(cache.stats().entries).toBe(3);
  });

  it('hides everything at once when it is cleared, and touches nothing else', () => {
    const { cache } = setup();
    const users = cache.namespace('users');
    const orders = cache.namespace('orders');
    for (const view of [cache, users, orders]) view.set('1', 'value');
    users.clear();
    expect([cache.has('1'), users.has('1'), orders.has('1')]).toEqual([true, false, true]);
    users.set('1', 'new');
    expect(users.get('1')).toBe('new');
  });

  it('is cleared with the cache, and reached by its tags', () => {
    const { cache } = setup();
    const users = cache.namespace('users');
    users.set('1', 'value', { tags: ['t'] });
    expect(cache.invalidateTag('t')).toBe(1);
    users.set('1', 'value');
    cache.clear();
    expect(users.has('1')).toBe(false);
  });

  it('is asked by its own keys alone', () => {
    const { cache } = setup();
    const users = cache.namespace('users');
    cache.set('1', 'root');
    users.set('1', 'Ada');
    users.set('2', 'Bob');
    expect(users.invalidateWhere((key) => key === '1')).toBe(1);
    expect(cache.invalidateWhere(() => true)).toBe(1);
    expect(users.keys()).toEqual(['2']);
  });

  it('can not be reached from another name', () => {
    const { cache } = setup();
    expect(() => cache.namespace('a\0b')).toThrow(TypeError);
    expect(() => cache.namespace('')).toThrow(TypeError);
    cache.namespace('a').set('b', 1);
    expect(cache.namespace('a@1').keys()).toEqual([]);
  });
});

describe('events and options', () => {
  it('tells of reads and entries', async () => {
    const { cache, clock } = setup();
    using monitor = createEventMonitor<CacheEvents>(cache);
    cache.get('key');
    cache.set('key', 1, { tags: ['t'], ttlMs: 10, staleMs: 10 });
    cache.get('key');
    await clock.advance(10);
    cache.get('key', { allowStale: true });
    cache.delete('key');
    expect(monitor.events).toEqual([
      { name: 'cache:miss', payload: { key: 'key' } },
      { name: 'entry:stored', payload: { key: 'key', tags: ['t'], sizeBytes: 3, negative: false } },
      { name: 'cache:hit', payload: { key: 'key', stale: false, negative: false } },
      { name: 'cache:hit', payload: { key: 'key', stale: true, negative: false } },
      { name: 'entry:removed', payload: { key: 'key', reason: 'delete' } },
    ]);
  });

  it('is not hurt by a listener that throws', () => {
    const { cache } = setup();
    cache.onAny(() => {
      throw new Error('careless');
    });
    cache.set('key', 1);
    expect(cache.get('key')).toBe(1);
  });

  it.each([
    [{ ttlMs: -1 }, RangeError, 'ttlMs'],
    [{ ttlMs: Number.NaN }, TypeError, 'ttlMs'],
    [{ staleMs: '1' }, TypeError, 'staleMs'],
    [{ maxEntries: 0 }, RangeError, 'maxEntries'],
    [{ isolate: 1 }, TypeError, 'isolate'],
    [{ dispose: 1 }, TypeError, 'dispose'],
    [{ ttl: 1 }, TypeError, 'Unknown option `ttl`'],
    [{ ttlM: 1 }, TypeError, 'did you mean `ttlMs`'],
    [{ store: {}, maxBytes: 1 }, TypeError, 'maxBytes'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createCache(options as object);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });

  it.each([
    [{ ttlMs: -1 }, 'ttlMs'],
    [{ tags: 'a' }, 'tags'],
    [{ tags: [''] }, 'tags'],
    [{ sizeBytes: 0.5 }, 'sizeBytes'],
    [{ tag: ['a'] }, 'did you mean `tags`'],
    [{ negativeTtlMs: 1 }, 'negativeTtlMs'],
  ])('refuses %j for a set, and leaves the entry', (options, part) => {
    const { cache } = setup();
    cache.set('key', 1);
    expect(() => cache.set('key', 2, options as object)).toThrow(part);
    expect(cache.get('key')).toBe(1);
  });
});
