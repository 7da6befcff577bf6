import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCache, type StoredEntry } from '@pawl/caching';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  createSqliteCacheStore,
  type SqliteCacheEvents,
  type SqliteCacheStore,
  type SqliteCacheStoreOptions,
} from '../src/index.ts';
import { loadSqlite } from '../src/sqlite-driver.ts';
import { tempFolder } from './setup-store.ts';

function setup(options: Partial<SqliteCacheStoreOptions> = {}): {
  readonly file: string;
  readonly store: SqliteCacheStore<unknown>;
  readonly damages: readonly SqliteCacheEvents['entry:damaged'][];
} {
  const file = options.file ?? join(tempFolder(), 'cache.db');
  const store = createSqliteCacheStore({ ...options, file });
  onTestFinished(() => store.close());
  const damages: SqliteCacheEvents['entry:damaged'][] = [];
  store.on('entry:damaged', (event) => damages.push(event));
  return { file, store, damages };
}

function entryOf(value: unknown, tags: readonly string[] = []): StoredEntry<unknown> {
  return {
    value,
    failure: undefined,
    tags,
    sizeBytes: 1,
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

async function change(file: string, sql: string): Promise<void> {
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

describe('createSqliteCacheStore', () => {
  it('holds what an earlier one held, in the same order of use', async () => {
    const { file, store } = setup();
    for (const key of ['a', 'b', 'c']) await store.set(key, entryOf({ key }, [key]));
    await store.get('a');
    await store.close();
    const { store: later } = setup({ file, maxEntries: 3 });
    expect((await later.entries()).map(([key, { tags }]) => [key, tags])).toEqual([
      ['b', ['b']],
      ['c', ['c']],
      ['a', ['a']],
    ]);
    expect((await later.set('d', entryOf('d'))).evicted.map(([key]) => key)).toEqual(['b']);
    expect((await later.get('a'))?.value).toEqual({ key: 'a' });
  });

  it('keeps whatever structuredClone keeps, as it was when it was given', async () => {
    const { store } = setup();
    const cyclic: Record<string, unknown> = { list: [undefined, null, -0, NaN, 10n] };
    cyclic['self'] = cyclic;
    const value = {
      cyclic,
      map: new Map([[{ key: 1 }, new Set(['a'])]]),
      date: new Date(5),
      bytes: new Uint8Array([1, 2]),
      error: new RangeError('too far'),
    };
    const stored = store.set('a', entryOf(value));
    value.bytes[0] = 9;
    await stored;
    value.bytes[0] = 1;
    expect((await store.get('a'))?.value).toEqual(value);
  });

  it('refuses what can not be copied, with the key, and keeps what it had', async () => {
    const { store } = setup();
    await store.set('a', entryOf('old'));
    const set = store.set(
      'a',
      entryOf(() => 1),
    );
    await expect(set).rejects.toMatchObject({ code: 'CACHE_VALUE_NOT_CLONEABLE', key: 'a' });
    expect((await store.get('a'))?.value).toBe('old');
  });

  it('is the tier of a cache: what was invalidated stays gone, the rest is found again', async () => {
    const { file, store } = setup();
    const open = (tier: SqliteCacheStore<unknown>) => createCache({ ttlMs: 60_000, tier });
    const cache = open(store);
    await cache.getOrLoad('report', () => ({ total: 42n }), { tags: ['sales'] });
    await cache.getOrLoad('user', () => new Map([['name', 'Ada']]), { tags: ['users'] });
    await cache.flush();
    await cache.invalidateTag('sales');
    await store.close();

    const later = open(setup({ file }).store);
    expect(await later.getOrLoad('report', () => 'loaded anew')).toBe('loaded anew');
    expect(await later.getOrLoad('user', () => 'loaded anew')).toEqual(new Map([['name', 'Ada']]));
    expect(later.stats()).toMatchObject({ tierHits: 1, tierMisses: 1, loads: 1 });
  });

  it('holds its limits for all who share the file', async () => {
    const { file, store } = setup({ maxEntries: 8 });
    const { store: other } = setup({ file, maxEntries: 8 });
    for (let round = 0; round < 20; round += 1) {
      await store.set(`mine ${round}`, entryOf(round));
      await other.set(`theirs ${round}`, entryOf(round));
      expect((await store.usage()).entries).toBeLessThanOrEqual(8);
    }
    expect(await other.usage()).toEqual(await store.usage());
    expect((await store.get('theirs 19'))?.value).toBe(19);
  });

  it('tells others what was used, with its next write at the latest', async () => {
    const { file, store } = setup({ maxEntries: 300 });
    const { store: other } = setup({ file, maxEntries: 300 });
    for (let key = 0; key < 300; key += 1) await store.set(`${key}`, entryOf(key));
    await store.get('0');
    await store.set('1', entryOf(1));
    expect((await other.set('new', entryOf(0))).evicted.map(([key]) => key)).toEqual(['2']);
    // Without a write it does so by itself, after some hundred uses.
    for (let key = 3; key < 3 + 256; key += 1) await store.get(`${key}`);
    expect((await other.set('newer', entryOf(0))).evicted.map(([key]) => key)).toEqual(['259']);
  });

  it('is opened by many at once when there is none yet', async () => {
    const file = join(tempFolder(), 'cache.db');
    const stores = Array.from({ length: 8 }, () => setup({ file }).store);
    await Promise.all(stores.map((store, index) => store.set(`${index}`, entryOf(index))));
    expect(await stores[0]?.usage()).toMatchObject({ entries: 8 });
  });

  it('reports a file that can not be used, and works once it can', async () => {
    const { file, store } = setup();
    const garbage = 'not a database '.repeat(1_000);
    writeFileSync(file, garbage);
    await expect(store.set('a', entryOf(1))).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: `The cache store ${file} can't be used: it is no SQLite database, or damaged; restore a backup (file is not a database).`,
    });
    expect(readFileSync(file, 'utf8')).toBe(garbage);
    writeFileSync(file, '');
    await store.set('a', entryOf(1));
    expect((await store.get('a'))?.value).toBe(1);
  });

  it('costs nobody a load when it fails', async () => {
    const { store } = setup({ file: join(tempFolder(), 'missing', 'cache.db') });
    const cache = createCache({ tier: store });
    const codes: unknown[] = [];
    cache.on('tier:failed', ({ error }) => codes.push((error as { readonly code: unknown }).code));
    expect(await cache.getOrLoad('a', () => 'loaded')).toBe('loaded');
    expect(new Set(codes)).toEqual(new Set(['STORE_READ_ONLY']));
  });

  it.each([
    [{}, TypeError, 'file'],
    [{ file: 'x', maxEntries: 0 }, RangeError, 'maxEntries'],
    [{ file: 'x', maxBytes: '1' }, TypeError, 'maxBytes'],
    [{ file: 'x', busyTimeoutMs: -1 }, RangeError, 'busyTimeoutMs'],
    [{ file: 'x', maxByte: 1 }, TypeError, 'did you mean `maxBytes`'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createSqliteCacheStore(options as unknown as SqliteCacheStoreOptions);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });
});

describe('a damaged entry', () => {
  it.each([
    ['content', 'content', `UPDATE cache_contents SET content = CAST(x'00' || substr(content, 2) AS BLOB)`],
    ['truncated content', 'content', `UPDATE cache_contents SET content = substr(content, 1, 4)`],
    ['missing content', 'content', `DELETE FROM cache_contents`],
    [
      'head',
      'head',
      `UPDATE cache_entries SET head = CAST(substr(head, 1, length(head) - 1) || x'01' AS BLOB)`,
    ],
    ['digest', 'head', `UPDATE cache_entries SET digest = x''`],
    [
      'content of another entry',
      'content',
      `UPDATE cache_contents SET content = (SELECT content FROM cache_contents WHERE seq = 1)`,
    ],
  ] as const)('counts as not there, is dropped and told of: %s', async (_title, damage, harm) => {
    const { file, store, damages } = setup();
    await store.set('other', entryOf('other'));
    await store.set('a', entryOf('value'));
    await change(file, `${harm} WHERE seq = 2`);
    expect(await store.get('a')).toBeUndefined();
    expect(damages).toEqual([{ key: 'a', damage }]);
    expect((await store.entries()).map(([key]) => key)).toEqual(['other']);
    expect(await store.integrity()).toEqual({ ok: true, problems: [] });
    await store.set('a', entryOf('anew'));
    expect((await store.get('a'))?.value).toBe('anew');
  });

  it('is told of once when many read it', async () => {
    const { file, store, damages } = setup();
    await store.set('a', entryOf('value'));
    await change(file, 'DELETE FROM cache_contents');
    const reads = await Promise.all(Array.from({ length: 20 }, () => store.get('a')));
    expect(new Set(reads)).toEqual(new Set([undefined]));
    expect(damages).toHaveLength(1);
  });

  it('is found when all entries are looked at, also when its key is beyond reading', async () => {
    const { file, store, damages } = setup();
    for (const key of ['a', 'b', 'c']) await store.set(key, entryOf(key, ['tag']));
    await change(file, `UPDATE cache_entries SET key = '"broken' WHERE seq = 2`);
    await change(file, `UPDATE cache_entries SET head = x'ff' WHERE seq = 3`);
    const left = await store.deleteWhere((_key, { tags }) => tags.includes('tag'));
    expect(left.map(([key]) => key)).toEqual(['a']);
    expect(damages).toEqual([{ damage: 'head' }, { key: 'c', damage: 'head' }]);
    expect(await store.usage()).toEqual({ entries: 0, bytes: 0 });
  });

  it('is no entry that leaves to make room', async () => {
    const { file, store, damages } = setup({ maxEntries: 1 });
    await store.set('a', entryOf('a'));
    await change(file, `UPDATE cache_entries SET head = x'ff'`);
    expect(await store.set('b', entryOf('b'))).toMatchObject({ stored: true, evicted: [] });
    expect(damages).toEqual([{ key: 'a', damage: 'head' }]);
  });

  it('is not counted wrong without a line in the integrity report', async () => {
    const { file, store } = setup();
    await store.set('a', entryOf('a'));
    const { bytes } = await store.usage();
    await change(file, 'UPDATE cache_usage SET entries = 2');
    expect(await store.integrity()).toEqual({
      ok: false,
      problems: [`There are 1 cache entries of ${bytes} bytes, and 2 of ${bytes} were counted.`],
    });
  });
});
