import { describe, expect, it } from 'vitest';
import type { StoredEntry } from './cache-store.ts';
import { createMemoryStore } from './memory-store.ts';
import { storeContract } from './testing/index.ts';

describe('createMemoryStore', () => {
  for (const check of storeContract((limits) => createMemoryStore(limits))) {
    it(check.title, check.run);
  }

  it('tells what left with its value', () => {
    const store = createMemoryStore<string>({ maxEntries: 1 });
    store.set('a', entryOf('old'));
    expect(store.set('a', entryOf('new')).replaced?.value).toBe('old');
    expect(store.set('b', entryOf('b')).evicted.map(([, entry]) => entry.value)).toEqual(['new']);
    expect(store.delete('b')?.value).toBe('b');
    store.set('c', entryOf('c'));
    expect(store.deleteWhere(() => true).map(([, entry]) => entry.value)).toEqual(['c']);
  });

  it('holds as many entries as there are bytes when the count is unlimited', () => {
    const store = createMemoryStore<number>({ maxEntries: Infinity, maxBytes: 2_000 });
    for (let i = 0; i < 3_000; i += 1) store.set(`key ${i}`, entryOf(i));
    expect(store.usage()).toEqual({ entries: 2_000, bytes: 2_000 });
  });

  it('takes Infinity for both limits', () => {
    const store = createMemoryStore<number>({ maxEntries: Infinity });
    for (let i = 0; i < 3_000; i += 1) store.set(`key ${i}`, entryOf(i, 1_000_000));
    expect(store.usage()).toEqual({ entries: 3_000, bytes: 3_000_000_000 });
  });

  it('loses every hot key to one pass over a thousand others with admission always', () => {
    expect(hotKeysAfterScan('always')).toBe(0);
  });

  it('keeps at least 80 of 100 hot keys through one pass over a thousand others with admission frequent', () => {
    expect(hotKeysAfterScan('frequent')).toBeGreaterThanOrEqual(80);
  });

  it('admits a new key that is asked for more often than the least used one', () => {
    const store = createMemoryStore<string>({ maxEntries: 2, admission: 'frequent' });
    store.set('a', entryOf('a'));
    store.set('b', entryOf('b'));
    expect(store.set('c', entryOf('c')).stored).toBe(false);
    for (let i = 0; i < 3; i += 1) store.get('c');
    const outcome = store.set('c', entryOf('c'));
    expect(outcome.stored).toBe(true);
    expect(outcome.evicted.map(([key]) => key)).toEqual(['a']);
  });

  it('updates a key it holds whatever its frequency', () => {
    const store = createMemoryStore<string>({ maxEntries: 1, admission: 'frequent' });
    store.set('a', entryOf('old'));
    for (let i = 0; i < 9; i += 1) store.get('a');
    expect(store.set('a', entryOf('new')).stored).toBe(true);
  });

  it('weighs a large entry against all that it would push out', () => {
    const store = createMemoryStore<string>({ maxBytes: 10, admission: 'frequent' });
    store.set('cold', entryOf('cold', 5));
    store.set('hot', entryOf('hot', 5));
    for (let i = 0; i < 9; i += 1) store.get('hot');
    for (let i = 0; i < 3; i += 1) store.get('large');
    expect(store.set('large', entryOf('large', 10)).stored).toBe(false);
    expect(store.set('large', entryOf('large', 5)).stored).toBe(true);
  });

  it.each([
    [{ maxEntries: 0 }, RangeError, 'maxEntries'],
    [{ maxEntries: '5' }, TypeError, 'maxEntries'],
    [{ maxBytes: 1.5 }, RangeError, 'maxBytes'],
    [{ admission: 'lfu' }, TypeError, 'admission'],
    [{ maxEntrys: 5 }, TypeError, 'did you mean `maxEntries`'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createMemoryStore(options as object);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });
});

function hotKeysAfterScan(admission: 'always' | 'frequent'): number {
  const store = createMemoryStore<number>({ maxEntries: 100, admission });
  const hot = Array.from({ length: 100 }, (_, index) => `hot ${index}`);
  const read = (key: string): void => {
    if (store.get(key) === undefined) store.set(key, entryOf(1));
  };
  for (let round = 0; round < 5; round += 1) hot.forEach(read);
  for (let index = 0; index < 1_000; index += 1) read(`scanned ${index}`);
  return hot.filter((key) => store.peek(key) !== undefined).length;
}

function entryOf<V>(value: V, sizeBytes = 1): StoredEntry<V> {
  return {
    value,
    failure: undefined,
    tags: [],
    sizeBytes,
    storedAt: 0,
    ttlMs: Infinity,
    refreshAt: Infinity,
    freshUntil: Infinity,
    staleUntil: Infinity,
    keepUntil: Infinity,
    retryAt: -Infinity,
    failedRefreshes: 0,
  };
}
