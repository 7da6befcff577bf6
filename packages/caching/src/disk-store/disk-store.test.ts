import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StoredEntry } from '../cache-store.ts';
import { storeContract } from '../testing/index.ts';
import {
  createDiskStore,
  type DiskStore,
  type DiskStoreEvents,
  type DiskStoreOptions,
} from './disk-store.ts';

const MINUTE_MS = 60_000;

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-disk-store-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

async function setup(options: Partial<DiskStoreOptions> = {}): Promise<{
  store: DiskStore<unknown>;
  folder: string;
  /** The paths of the files in one of the folders. */
  files: (name: 'index' | 'blobs' | 'temp') => Promise<string[]>;
  damages: DiskStoreEvents['entry:damaged'][];
}> {
  const folder = await makeFolder();
  const store = createDiskStore({ folder, ...options });
  const damages: DiskStoreEvents['entry:damaged'][] = [];
  store.on('entry:damaged', (event) => damages.push(event));
  const files = async (name: string): Promise<string[]> =>
    (await readdir(join(folder, name))).map((file) => join(folder, name, file));
  return { store, folder, files, damages };
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

describe('createDiskStore', () => {
  for (const check of storeContract(async (limits) =>
    createDiskStore({ folder: await makeFolder(), ...limits }),
  )) {
    it(check.title, check.run);
  }

  it('holds what an earlier one held, in the same order of use', async () => {
    const { store, folder } = await setup();
    for (const key of ['a', 'b', 'c']) await store.set(key, entryOf({ key }, [key]));
    await store.get('a');
    const later = createDiskStore({ folder, maxEntries: 3 });
    expect((await later.entries()).map(([key, { tags }]) => [key, tags])).toEqual([
      ['b', ['b']],
      ['c', ['c']],
      ['a', ['a']],
    ]);
    expect((await later.set('d', entryOf('d'))).evicted.map(([key]) => key)).toEqual(['b']);
    expect((await later.get('a'))?.value).toEqual({ key: 'a' });
  });

  it('keeps whatever structuredClone keeps', async () => {
    const { store } = await setup();
    const cyclic: Record<string, unknown> = { list: [undefined, null, -0, NaN, 10n] };
    cyclic['self'] = cyclic;
    const value = {
      cyclic,
      map: new Map([[{ key: 1 }, new Set(['a'])]]),
      date: new Date(5),
      bytes: new Uint8Array([1, 2]),
      error: new RangeError('too far'),
    };
    await store.set('a', entryOf(value));
    expect((await store.get('a'))?.value).toEqual(value);
  });

  it('refuses what can not be copied, with the key, and keeps what it had', async () => {
    const { store } = await setup();
    await store.set('a', entryOf('old'));
    await expect(
      store.set(
        'a',
        entryOf(() => 1),
      ),
    ).rejects.toMatchObject({
      code: 'CACHE_VALUE_NOT_CLONEABLE',
      key: 'a',
    });
    expect((await store.get('a'))?.value).toBe('old');
  });

  it('keeps a value as it was when it was given', async () => {
    const { store } = await setup();
    const value = { count: 1 };
    const stored = store.set('a', entryOf(value));
    value.count = 2;
    await stored;
    expect((await store.get('a'))?.value).toEqual({ count: 1 });
  });

  it('shows its files to nobody else', async () => {
    const { store, folder, files } = await setup();
    await store.set('a', entryOf('secret'));
    const [file = ''] = await files('blobs');
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect((await stat(join(folder, 'blobs'))).mode & 0o077).toBe(0);
  });

  it('leaves one index file and one blob per entry, and nothing else', async () => {
    const { store, files } = await setup({ maxEntries: 2 });
    for (const key of ['a', 'b', 'c', 'c', 'd']) await store.set(key, entryOf(key));
    await store.delete('d');
    expect(await files('index')).toHaveLength(1);
    expect(await files('blobs')).toHaveLength(1);
    expect(await files('temp')).toEqual([]);
    await store.clear();
    expect(await files('blobs')).toEqual([]);
  });

  it('reports a folder that can not be used, and works once it can', async () => {
    const { folder } = await setup();
    const path = join(folder, 'nested');
    await writeFile(path, 'in the way');
    const store = createDiskStore({ folder: path });
    await expect(store.set('a', entryOf(1))).rejects.toMatchObject({ code: 'ENOTDIR' });
    await rm(path);
    await store.set('a', entryOf(1));
    expect((await store.get('a'))?.value).toBe(1);
  });

  it('works on when its folder is removed under it', async () => {
    const { store, folder } = await setup();
    await store.set('a', entryOf('a'));
    await rm(folder, { recursive: true });
    expect(await store.get('a')).toBeUndefined();
    expect(await store.deleteWhere(() => true)).toEqual([]);
    await store.set('b', entryOf('b'));
    expect((await store.entries()).map(([key]) => key)).toEqual(['b']);
  });

  it.each([
    [{}, TypeError, 'folder'],
    [{ folder: 'x', maxEntries: 0 }, RangeError, 'maxEntries'],
    [{ folder: 'x', maxBytes: '1' }, TypeError, 'maxBytes'],
    [{ folder: 'x', maxByte: 1 }, TypeError, 'did you mean `maxBytes`'],
  ])('refuses %j', (options, type, part) => {
    const create = (): unknown => createDiskStore(options as unknown as DiskStoreOptions);
    expect(create).toThrow(type);
    expect(create).toThrow(part);
  });
});

describe('a damaged entry', () => {
  const flipLastByte = async (file: string): Promise<void> => {
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(file, bytes);
  };

  it.each([
    ['blob', 'blob', 'blobs', flipLastByte],
    ['truncated blob', 'blob', 'blobs', (file: string) => writeFile(file, '')],
    ['missing blob', 'blob-missing', 'blobs', rm],
    ['index file', 'index', 'index', flipLastByte],
    ['truncated index file', 'index', 'index', (file: string) => writeFile(file, 'pawl')],
  ] as const)('counts as not there, is dropped and told of: %s', async (_title, damage, place, harm) => {
    const { store, files, damages } = await setup();
    await store.set('a', entryOf('value'));
    await store.set('b', entryOf('other'));
    const before = await files(place);
    await store.delete('b');
    const [file = ''] = (await files(place)).filter((name) => before.includes(name));
    await harm(file);
    expect(await store.get('a')).toBeUndefined();
    expect(damages).toEqual([{ key: 'a', damage }]);
    expect(await store.entries()).toEqual([]);
    expect(await files('index')).toEqual([]);
    await store.set('a', entryOf('anew'));
    expect((await store.get('a'))?.value).toBe('anew');
  });

  it('is told of once when many read it', async () => {
    const { store, files, damages } = await setup();
    await store.set('a', entryOf('value'));
    await Promise.all((await files('blobs')).map((file) => rm(file)));
    const reads = await Promise.all(Array.from({ length: 20 }, () => store.get('a')));
    expect(new Set(reads)).toEqual(new Set([undefined]));
    expect(damages).toHaveLength(1);
  });

  it('is found when the folder is looked through', async () => {
    const { store, folder, files } = await setup();
    await store.set('a', entryOf('value'));
    await Promise.all((await files('index')).map(flipLastByte));
    await writeFile(join(folder, 'index', 'stranger'), '');
    const later = createDiskStore({ folder });
    const damages: unknown[] = [];
    later.on('entry:damaged', (event) => damages.push(event));
    expect(await later.entries()).toEqual([]);
    expect(damages).toEqual([{ damage: 'index' }, { damage: 'index' }]);
  });
});

describe('a folder that others use too', () => {
  it('shows what another store changed', async () => {
    const { store, folder } = await setup();
    const other = createDiskStore({ folder });
    await store.set('a', entryOf('mine'));
    await other.set('a', entryOf('theirs'));
    await other.set('b', entryOf('b', ['tag']));
    expect((await store.get('a'))?.value).toBe('theirs');
    expect(await store.deleteWhere((_key, { tags }) => tags.includes('tag'))).toHaveLength(1);
    expect(await other.get('b')).toBeUndefined();
    expect(await store.usage()).toEqual(await other.usage());
  });

  it('keeps what another store used last', async () => {
    const clock = createManualClock();
    const { store, folder } = await setup({ maxEntries: 12, clock });
    const other = createDiskStore({ folder, clock });
    // As many that the next set does not look through the folder.
    for (let key = 0; key < 12; key += 1) await store.set(`${key}`, entryOf(key));
    await clock.advance(1);
    await other.get('0');
    expect((await store.set('12', entryOf(12))).evicted.map(([key]) => key)).toEqual(['1']);
    expect((await store.set('13', entryOf(13))).evicted.map(([key]) => key)).toEqual(['2']);
  });

  it('comes back to its limits when others write, too', async () => {
    const { store, folder } = await setup({ maxEntries: 8 });
    const other = createDiskStore({ folder, maxEntries: 8 });
    for (let round = 0; round < 20; round += 1) {
      await store.set(`mine ${round}`, entryOf(round));
      await other.set(`theirs ${round}`, entryOf(round));
      expect((await store.usage()).entries).toBeLessThanOrEqual(8 + 2 * 2);
    }
  });

  it('reads on when an entry is replaced under it', async () => {
    const { store, folder, damages } = await setup();
    const other = createDiskStore({ folder });
    await store.set('a', entryOf(-1));
    const writing = (async () => {
      for (let round = 0; round < 50; round += 1) await other.set('a', entryOf(round));
    })();
    for (let read = 0; read < 100; read += 1) expect(typeof (await store.get('a'))?.value).toBe('number');
    await writing;
    expect(damages).toEqual([]);
  });

  it('is cleared of what processes left behind, once that is old enough', async () => {
    const { store, folder, files } = await setup();
    await store.set('a', entryOf('a'));
    const old = (Date.now() - 11 * MINUTE_MS) / 1_000;
    for (const name of ['blobs/old', 'temp/old', 'blobs/young', 'temp/young']) {
      await writeFile(join(folder, name), 'left behind');
      if (name.endsWith('old')) await utimes(join(folder, name), old, old);
    }
    await createDiskStore({ folder }).entries();
    expect(await files('temp')).toEqual([join(folder, 'temp/young')]);
    expect(await files('blobs')).toHaveLength(2);
    expect((await store.get('a'))?.value).toBe('a');
  });
});
