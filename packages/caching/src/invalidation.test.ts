import { createDeferred, type Deferred } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { type Cache, createCache } from './cache.ts';
import type { CacheEvents } from './events.ts';

function setup(): { cache: Cache<string>; clock: ManualClock; begin: typeof begin } {
  const clock = createManualClock();
  const cache = createCache<string>({ clock });
  function begin(
    key: string,
    tags?: readonly string[] | ((value: string) => readonly string[]),
  ): { load: Deferred<string>; waiter: Promise<string> } {
    const load = createDeferred<string>();
    const waiter = cache.getOrLoad(key, () => load.promise, tags === undefined ? {} : { tags });
    return { load, waiter };
  }
  return { cache, clock, begin };
}

const actions: readonly [string, (cache: Cache<string>) => void][] = [
  ['delete', (cache) => cache.delete('key')],
  ['invalidateTag', (cache) => cache.invalidateTag('tag')],
  ['invalidateWhere', (cache) => cache.invalidateWhere((key) => key === 'key')],
  ['invalidateWhere by tags', (cache) => cache.invalidateWhere((_key, { tags }) => tags.includes('tag'))],
  ['clear', (cache) => cache.clear()],
];

describe.each(actions)('%s during a load', (_name, invalidate) => {
  it('gives the value to those who waited, and does not store it', async () => {
    const { cache, begin } = setup();
    const { load, waiter } = begin('key', ['tag']);
    invalidate(cache);
    load.resolve('old');
    expect(await waiter).toBe('old');
    expect(cache.has('key')).toBe(false);
    expect(cache.stats()).toMatchObject({ loadsSuperseded: 1, entries: 0 });
  });

  it('lets later callers load again, and stores theirs, in whatever order the two end', async () => {
    for (const order of ['first', 'last']) {
      const { cache, begin, clock } = setup();
      const before = begin('key', ['tag']);
      invalidate(cache);
      const after = begin('key', ['tag']);
      if (order === 'first') before.load.resolve('old');
      await clock.settle();
      after.load.resolve('new');
      await clock.settle();
      before.load.resolve('old');
      expect([await before.waiter, await after.waiter]).toEqual(['old', 'new']);
      expect(cache.get('key')).toBe('new');
    }
  });

  it('does not disturb what it does not hit', async () => {
    const { cache, begin } = setup();
    if (_name === 'clear') return;
    const { load, waiter } = begin('other', ['other tag']);
    invalidate(cache);
    load.resolve('value');
    await waiter;
    expect(cache.get('other')).toBe('value');
  });

  it('is in time even when the load has ended and its value is on the way', async () => {
    const { cache, begin } = setup();
    const { load, waiter } = begin('key', ['tag']);
    load.resolve('old');
    invalidate(cache);
    expect(await waiter).toBe('old');
    expect(cache.has('key')).toBe(false);
  });
});

describe('set during a load', () => {
  it('wins over the load', async () => {
    const { cache, begin } = setup();
    const { load, waiter } = begin('key');
    cache.set('key', 'set');
    expect(await cache.getOrLoad('key', () => 'not asked')).toBe('set');
    load.resolve('loaded');
    expect(await waiter).toBe('loaded');
    expect(cache.get('key')).toBe('set');
  });

  it('wins over a failure that would be remembered', async () => {
    const cache = createCache<string>({ negativeTtlMs: 100, clock: createManualClock() });
    const load = createDeferred<string>();
    const waiter = cache.getOrLoad('key', () => load.promise);
    cache.set('key', 'set');
    load.reject(new Error('down'));
    await expect(waiter).rejects.toThrow('down');
    expect(cache.get('key')).toBe('set');
  });
});

describe('tags', () => {
  it('drop every entry that carries one, and no other', () => {
    const { cache } = setup();
    cache.set('a', '1', { tags: ['x', 'y'] });
    cache.set('b', '2', { tags: ['y', 'y'] });
    cache.set('c', '3', { tags: ['z'] });
    expect(cache.invalidateTag('y')).toBe(2);
    expect(cache.keys()).toEqual(['c']);
    expect(cache.invalidateTag('y')).toBe(0);
    expect(cache.stats().removals.invalidate).toBe(2);
  });

  it('are those of the last set', () => {
    const { cache } = setup();
    cache.set('key', '1', { tags: ['old'] });
    cache.set('key', '2', { tags: ['new'] });
    expect(cache.invalidateTag('old')).toBe(0);
    expect(cache.invalidateTag('new')).toBe(1);
  });

  it('never lose a set that follows in the same millisecond', () => {
    const { cache } = setup();
    for (let round = 0; round < 50; round += 1) {
      cache.invalidateTag('tag');
      cache.set('key', `${round}`, { tags: ['tag'] });
      expect(cache.get('key')).toBe(`${round}`);
    }
  });

  it('of everyone who joined a load count', async () => {
    const { cache, begin } = setup();
    const first = begin('key', ['a']);
    const second = begin('key', ['b']);
    first.load.resolve('value');
    expect(await second.waiter).toBe('value');
    expect(cache.invalidateTag('b')).toBe(1);
  });

  it('keep a caller out of a load that began before they were invalidated', async () => {
    const { cache, begin } = setup();
    const early = begin('key', ['a']);
    cache.invalidateTag('b');
    const same = begin('key', ['a']);
    const late = begin('key', ['b']);
    early.load.resolve('early');
    late.load.resolve('late');
    expect(await Promise.all([early.waiter, same.waiter, late.waiter])).toEqual(['early', 'early', 'late']);
    expect(cache.get('key')).toBe('late');
  });

  it('do not keep a caller out of a load that began after they were invalidated', async () => {
    const { cache } = setup();
    cache.invalidateTag('tag');
    let loads = 0;
    const load = async (): Promise<string> => `load ${(loads += 1)}`;
    await Promise.all([cache.getOrLoad('key', load), cache.getOrLoad('key', load, { tags: ['tag'] })]);
    expect(loads).toBe(1);
  });

  it('that the value will tell make any invalidation by tag count', async () => {
    const { cache, begin } = setup();
    const early = begin('key', (value) => [value]);
    cache.invalidateTag('v1');
    const late = begin('key', (value) => [value]);
    early.load.resolve('v1');
    late.load.resolve('v2');
    expect([await early.waiter, await late.waiter]).toEqual(['v1', 'v2']);
    expect(cache.get('key')).toBe('v2');
  });
});

describe('predicates', () => {
  it('leave everything as it was when they throw', () => {
    const { cache } = setup();
    cache.set('a', '1');
    cache.set('b', '2');
    const careless = (key: string): boolean => {
      if (key === 'b') throw new Error('careless');
      return true;
    };
    expect(() => cache.invalidateWhere(careless)).toThrow('careless');
    expect(cache.keys()).toEqual(['a', 'b']);
    expect(() => cache.invalidateWhere(undefined as never)).toThrow(TypeError);
  });
});

describe('a namespace', () => {
  it('does not store a value whose load began before it was cleared', async () => {
    const { cache } = setup();
    const users = cache.namespace('users');
    const load = createDeferred<string>();
    const early = users.getOrLoad('1', () => load.promise);
    users.clear();
    const late = users.getOrLoad('1', () => 'late');
    load.resolve('early');
    expect([await early, await late]).toEqual(['early', 'late']);
    expect(users.get('1')).toBe('late');
    expect(cache.stats().entries).toBe(1);
  });
});

describe('cache:invalidated', () => {
  it('tells how many entries and loads were hit', () => {
    const { cache, begin } = setup();
    const told: CacheEvents['cache:invalidated'][] = [];
    cache.on('cache:invalidated', (payload) => told.push(payload));
    cache.set('a', '1', { tags: ['t'] });
    begin('b', ['t']);
    cache.invalidateTag('t');
    cache.invalidateWhere(() => true);
    cache.namespace('users').clear();
    cache.clear();
    expect(told).toEqual([
      { by: 'tag', name: 't', entries: 1, loads: 1 },
      { by: 'predicate', entries: 0, loads: 0 },
      { by: 'namespace', name: 'users', entries: 0, loads: 0 },
      { by: 'clear', entries: 0, loads: 0 },
    ]);
  });
});

describe('a dispose function', () => {
  it('may load the key again at once', async () => {
    const loader = vi.fn<() => string>(() => 'reloaded');
    const cache: Cache<string> = createCache<string>({
      dispose: (_value, key, reason) => {
        if (reason === 'invalidate') void cache.getOrLoad(key, loader);
      },
    });
    cache.set('key', 'old', { tags: ['t'] });
    cache.invalidateTag('t');
    expect(await cache.getOrLoad('key', loader)).toBe('reloaded');
    expect(loader).toHaveBeenCalledTimes(1);
    expect(cache.get('key')).toBe('reloaded');
  });
});
