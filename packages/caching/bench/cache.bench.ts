import { LRUCache } from 'lru-cache';
import { bench, describe } from 'vitest';
import { cacheKey, createCache } from '../src/index.ts';

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);
const value = { id: 1 };

const lru = new LRUCache<string, object>({ max: 1_000 });
const plain = createCache<object>({ maxEntries: 1_000 });
const timed = createCache<object>({ maxEntries: 1_000, ttlMs: 3_600_000, maxBytes: 1e9 });
const frequent = createCache<object>({ maxEntries: 1_000, admission: 'frequent' });
for (const key of KEYS) {
  lru.set(key, value);
  for (const cache of [plain, timed, frequent]) cache.set(key, value, { sizeBytes: 10 });
}

describe('1000 hits', () => {
  bench('lru-cache get', () => {
    for (const key of KEYS) lru.get(key);
  });
  bench('get, no expiry', () => {
    for (const key of KEYS) plain.get(key);
  });
  bench('get, time to live', () => {
    for (const key of KEYS) timed.get(key);
  });
  bench('get, frequent admission', () => {
    for (const key of KEYS) frequent.get(key);
  });
  bench('await getOrLoad, time to live', async () => {
    for (const key of KEYS) await timed.getOrLoad(key, () => value);
  });
});

describe('1000 sets', () => {
  bench('lru-cache set', () => {
    for (const key of KEYS) lru.set(key, value);
  });
  bench('set', () => {
    for (const key of KEYS) plain.set(key, value);
  });
  bench('set with a tag and a size', () => {
    for (const key of KEYS) timed.set(key, value, { tags: ['tag'], sizeBytes: 10 });
  });
});

describe('loads', () => {
  bench('1000 loads of different keys', async () => {
    const cache = createCache<object>({ maxEntries: 1_000 });
    await Promise.all(KEYS.map((key) => cache.getOrLoad(key, async () => value)));
  });
  bench('1 load for 1000 callers', async () => {
    const cache = createCache<object>({ maxEntries: 1_000 });
    await Promise.all(KEYS.map(() => cache.getOrLoad('key', async () => value)));
  });
});

describe('keys', () => {
  const input = { user: { id: 7, tags: ['a', 'b'] }, items: Array.from({ length: 20 }, (_, id) => ({ id })) };
  bench('cacheKey of 24 objects', () => {
    cacheKey(input);
  });
});
