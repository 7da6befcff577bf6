import { strict as assert } from 'node:assert';
import type { CacheStore, StoredEntry, StoreReport } from '../cache-store.ts';

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
 * The rules every {@link CacheStore} keeps, as checks to run against yours. A store counts the `sizeBytes` it is told,
 * or measures what an entry takes; the checks find out by `usage()`.
 * @param create makes a fresh, empty store with these limits (`Infinity` is none), least recently used out first
 */
export function storeContract(
  create: (limits: StoreLimits) => CacheStore<unknown> | Promise<CacheStore<unknown>>,
): readonly StoreCheck[] {
  const check = (title: string, body: (store: CacheStore<unknown>) => Promise<void>): StoreCheck => ({
    title,
    run: async () => body(await create({ maxEntries: 3, maxBytes: Infinity })),
  });
  /** A check of the limit in bytes, told how much a small and a large entry count. */
  const sizeCheck = (
    title: string,
    limitOf: (small: number, large: number) => number,
    body: (store: CacheStore<unknown>, small: number, large: number) => Promise<void>,
  ): StoreCheck => ({
    title,
    run: async () => {
      const [small, large] = [await countedBytes(SMALL), await countedBytes(LARGE)];
      const store = await create({ maxEntries: 3, maxBytes: limitOf(small, large) });
      await body(store, small, large);
    },
  });
  const countedBytes = async (entry: StoredEntry<unknown>): Promise<number> => {
    const store = await create({ maxEntries: Infinity, maxBytes: Infinity });
    await store.set('a', entry);
    return (await store.usage()).bytes;
  };

  return [
    check('holds nothing at first', async (store) => {
      assert.equal(await store.get('a'), undefined);
      assert.equal(await store.peek('a'), undefined);
      assert.equal(await store.delete('a'), undefined);
      assert.deepEqual(await store.entries(), []);
      assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
    }),
    check('gives back what it was given', async (store) => {
      const entry = entryOf({ nested: ['value', new Set([1]), new Map([[1, 2n]])] }, 10, ['tag']);
      assert.deepEqual(await store.set('a', entry), { stored: true, replaced: undefined, evicted: [] });
      assert.deepEqual(await store.get('a'), entry);
      assert.deepEqual(await store.peek('a'), entry);
    }),
    check('keeps moments that never come', async (store) => {
      const never = { freshUntil: Infinity, staleUntil: Infinity, keepUntil: Infinity, retryAt: -Infinity };
      const entry = { ...entryOf('value'), ...never };
      await store.set('a', entry);
      assert.deepEqual(await store.get('a'), entry);
    }),
    check('keeps null, undefined and remembered failures apart from nothing', async (store) => {
      await store.set('null', entryOf(null));
      await store.set('undefined', entryOf(undefined));
      await store.set('failure', { ...entryOf(undefined), failure: { error: 'gone' } });
      assert.equal((await store.get('null'))?.value, null);
      assert.notEqual(await store.get('undefined'), undefined);
      assert.equal((await store.get('undefined'))?.failure, undefined);
      assert.deepEqual((await store.get('failure'))?.failure, { error: 'gone' });
    }),
    check('takes any string as a key', async (store) => {
      const surrogates = ['\ud800', '\ud801', '\ufffd'];
      const keys = ['', '__proto__', 'a/../b', '\0name@1\0key', 'ключ', 'x'.repeat(1_000), ...surrogates];
      for (const key of keys) {
        assert.equal(await store.get(key), undefined);
        await store.set(key, entryOf(key));
        assert.equal((await store.get(key))?.value, key);
      }
      for (const key of surrogates) assert.notEqual(await store.delete(key), undefined);
    }),
    check('says what a set replaced', async (store) => {
      await store.set('a', entryOf(1, 10));
      const { replaced, evicted } = await store.set('a', entryOf(2, 30));
      assert.equal(replaced?.sizeBytes, 10);
      assert.deepEqual(evicted, []);
      assert.equal((await store.get('a'))?.value, 2);
      assert.equal((await store.usage()).entries, 1);
    }),
    check('says what a delete removed', async (store) => {
      await store.set('a', entryOf(1, 10, ['tag']));
      assert.deepEqual((await store.delete('a'))?.tags, ['tag']);
      assert.equal(await store.delete('a'), undefined);
      assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
    }),
    check('deletes what matches by key and head, and says what left', async (store) => {
      for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key, 1, key === 'b' ? [] : ['tag']));
      const left = await store.deleteWhere((key, { tags }) => key !== 'c' && tags.includes('tag'));
      assert.deepEqual(keysOf(left), ['a']);
      assert.deepEqual(keysOf(await store.entries()), ['b', 'c']);
      assert.equal(await store.get('a'), undefined);
    }),
    check('deletes nothing when it is asked by a function that throws', async (store) => {
      for (const key of ['a', 'b']) await store.set(key, entryOf(key));
      const asking = async (): Promise<unknown> =>
        store.deleteWhere((key) => {
          if (key === 'b') throw new Error('broken');
          return true;
        });
      await assert.rejects(asking, /broken/);
      assert.deepEqual(keysOf(await store.entries()), ['a', 'b']);
    }),
    check('makes changes in the order of the calls, also if nobody waits', async (store) => {
      await Promise.all([
        store.set('a', entryOf('first')),
        store.delete('a'),
        store.set('a', entryOf('second')),
        store.set('b', entryOf('b')),
        store.deleteWhere((key) => key === 'b'),
        store.set('c', LARGE),
        store.clear(),
        store.set('d', LARGE),
        store.set('d', entryOf('third')),
      ]);
      assert.deepEqual(keysOf(await store.entries()), ['d']);
      assert.equal((await store.get('d'))?.value, 'third');
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
    sizeCheck(
      'counts the same for the same entry, and nothing for what left',
      () => Infinity,
      async (store, small, large) => {
        assert.ok(small > 0 && large > small);
        await store.set('a', SMALL);
        await store.set('b', LARGE);
        assert.deepEqual(await store.usage(), { entries: 2, bytes: small + large });
        await store.set('b', SMALL);
        assert.deepEqual(await store.usage(), { entries: 2, bytes: 2 * small });
        await store.delete('a');
        await store.deleteWhere((key) => key === 'b');
        assert.deepEqual(await store.usage(), { entries: 0, bytes: 0 });
      },
    ),
    sizeCheck(
      'evicts as many as the bytes of a new entry need, and holds one of exactly its limit',
      (_small, large) => large,
      async (store, _small, large) => {
        await store.set('a', SMALL);
        await store.set('b', SMALL);
        assert.deepEqual(evictedKeys(await store.set('c', LARGE)), ['a', 'b']);
        assert.deepEqual(await store.usage(), { entries: 1, bytes: large });
      },
    ),
    sizeCheck(
      'makes room when an entry grows',
      (small, large) => small + large - 1,
      async (store, _small, large) => {
        await store.set('a', SMALL);
        await store.set('b', SMALL);
        assert.deepEqual(evictedKeys(await store.set('b', LARGE)), ['a']);
        assert.deepEqual(await store.usage(), { entries: 1, bytes: large });
      },
    ),
    sizeCheck(
      'refuses an entry above its limit, evicts nothing for it, and drops what it replaces',
      (_small, large) => large - 1,
      async (store) => {
        await store.set('a', SMALL);
        await store.set('b', SMALL);
        const { stored, replaced, evicted } = await store.set('a', LARGE);
        assert.equal(stored, false);
        assert.equal(replaced?.sizeBytes, SMALL.sizeBytes);
        assert.deepEqual(evicted, []);
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

/** What they count, each in its way: told, or measured. */
const SMALL: StoredEntry<unknown> = entryOf('x'.repeat(10), 10);
const LARGE: StoredEntry<unknown> = entryOf('x'.repeat(9_000), 9_000);

function keysOf(entries: readonly (readonly [string, unknown])[]): readonly string[] {
  return entries.map(([key]) => key);
}

function evictedKeys(outcome: StoreReport): readonly string[] {
  return keysOf(outcome.evicted);
}
