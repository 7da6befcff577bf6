import { strict as assert } from 'node:assert';
import type { CacheStore, StoredEntry, StoreOutcome } from '../cache-store.ts';

/** One rule of a store, for any test runner: `it(check.title, check.run)`. */
export interface StoreCheck {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** The limits the contract needs of the stores it is given. */
export interface StoreLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/**
 * The rules every {@link CacheStore} keeps, as checks to run against yours.
 * @param create makes a fresh, empty store with these limits, least recently used out first
 */
export function storeContract(
  create: (limits: StoreLimits) => CacheStore<unknown> | Promise<CacheStore<unknown>>,
): readonly StoreCheck[] {
  const check = (title: string, body: (store: CacheStore<unknown>) => Promise<void>): StoreCheck => ({
    title,
    run: async () => body(await create({ maxEntries: 3, maxBytes: 100 })),
  });

  return [
    check('holds nothing at first', async (store) => {
      assert.equal(await store.get('a'), undefined);
      assert.equal(await store.peek('a'), undefined);
      assert.deepEqual(await store.entries(), []);
      assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
    }),
    check('gives back what it was given', async (store) => {
      const entry = entryOf({ nested: ['value'] }, 10, ['tag']);
      assert.deepEqual(await store.set('a', entry), { stored: true, replaced: undefined, evicted: [] });
      assert.deepEqual(await store.get('a'), entry);
      assert.deepEqual(await store.peek('a'), entry);
      assert.deepEqual(await store.usage(), { entries: 1, bytes: 10 });
    }),
    check('keeps null, undefined and remembered failures apart from nothing', async (store) => {
      await store.set('null', entryOf(null));
      await store.set('undefined', entryOf(undefined));
      await store.set('failure', { ...entryOf(undefined), failure: { error: 'gone' } });
      assert.equal((await store.get('null'))?.value, null);
      assert.equal((await store.get('undefined'))?.failure, undefined);
      assert.deepEqual((await store.get('failure'))?.failure, { error: 'gone' });
    }),
    check('takes any string as a key', async (store) => {
      const keys = ['', '__proto__', 'a/../b', '\0name@1\0key', 'ключ', 'x'.repeat(1_000)];
      for (const key of keys) {
        await store.set(key, entryOf(key));
        assert.equal((await store.get(key))?.value, key);
        assert.deepEqual((await store.delete(key))?.value, key);
      }
    }),
    check('says what a set replaced, and counts the new size alone', async (store) => {
      await store.set('a', entryOf(1, 10));
      const outcome = await store.set('a', entryOf(2, 30));
      assert.equal(outcome.replaced?.value, 1);
      assert.deepEqual(outcome.evicted, []);
      assert.equal((await store.get('a'))?.value, 2);
      assert.deepEqual(await store.usage(), { entries: 1, bytes: 30 });
    }),
    check('says what a delete removed', async (store) => {
      await store.set('a', entryOf(1, 10));
      assert.equal((await store.delete('a'))?.value, 1);
      assert.equal(await store.delete('a'), undefined);
      assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
    }),
    check('evicts the least recently used entry beyond its count', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key));
      await store.get('a');
      assert.deepEqual(evictedKeys(await store.set('d', entryOf('d'))), ['b']);
      assert.deepEqual(keysOf(await store.entries()), ['c', 'a', 'd']);
    }),
    check('does not let a peek count as use', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key));
      await store.peek('a');
      assert.deepEqual(evictedKeys(await store.set('d', entryOf('d'))), ['a']);
    }),
    check('evicts as many as the bytes of a new entry need', async (store) => {
      await store.set('a', entryOf('a', 40));
      await store.set('b', entryOf('b', 40));
      assert.deepEqual(evictedKeys(await store.set('c', entryOf('c', 90))), ['a', 'b']);
      assert.deepEqual(await store.usage(), { entries: 1, bytes: 90 });
    }),
    check('makes room when an entry grows', async (store) => {
      await store.set('a', entryOf('a', 40));
      await store.set('b', entryOf('b', 40));
      assert.deepEqual(evictedKeys(await store.set('b', entryOf('b', 70))), ['a']);
      assert.deepEqual(await store.usage(), { entries: 1, bytes: 70 });
    }),
    check('holds an entry of exactly its limit', async (store) => {
      assert.equal((await store.set('a', entryOf('a', 100))).stored, true);
      assert.deepEqual(await store.usage(), { entries: 1, bytes: 100 });
    }),
    check(
      'refuses an entry above its limit, evicts nothing for it, and drops what it replaces',
      async (store) => {
        await store.set('a', entryOf('old', 10));
        await store.set('b', entryOf('b', 10));
        const outcome = await store.set('a', entryOf('new', 101));
        assert.equal(outcome.stored, false);
        assert.equal(outcome.replaced?.value, 'old');
        assert.deepEqual(keysOf(await store.entries()), ['b']);
      },
    ),
    check('forgets everything when it is cleared', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key));
      await store.clear();
      assert.deepEqual(await store.entries(), []);
      assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
      assert.equal((await store.set('a', entryOf('a'))).stored, true);
    }),
    check('lists its entries as they were, whatever changes meanwhile', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key));
      const seen: string[] = [];
      for (const [key] of await store.entries()) {
        seen.push(key);
        await store.delete(key);
        await store.set(`${key}${key}`, entryOf(key));
      }
      assert.deepEqual(seen, ['a', 'b', 'c']);
      assert.deepEqual(keysOf(await store.entries()), ['aa', 'bb', 'cc']);
    }),
  ];
}

function entryOf(value: unknown, sizeBytes = 1, tags: readonly string[] = []): StoredEntry<unknown> {
  return {
    value,
    failure: undefined,
    tags,
    sizeBytes,
    storedAt: 0,
    ttlMs: 1_000,
    refreshAt: 1_000,
    freshUntil: 1_000,
    staleUntil: 2_000,
    keepUntil: 3_000,
    retryAt: -Infinity,
    failedRefreshes: 0,
  };
}

function keysOf(entries: readonly (readonly [string, unknown])[]): readonly string[] {
  return entries.map(([key]) => key);
}

function evictedKeys(outcome: StoreOutcome<unknown>): readonly string[] {
  return keysOf(outcome.evicted);
}
