import {
  checkInteger,
  checkKnownKeys,
  checkString,
  type Clock,
  createEmitter,
  type EventSource,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import type { CacheStore, EntryHead, KeyedHead, StoredEntry, StoreReport } from '../cache-store.ts';
import { ValueNotCloneableError } from '../caching-errors.ts';
import { CacheFolder, type Damage, type StagedEntry } from './cache-folder.ts';
import { ChangeQueue } from './change-queue.ts';
import { DiskIndex } from './disk-index.ts';
import { encodeContent, type EntryRecord, headOf } from './entry-record.ts';

export interface DiskStoreOptions {
  /** Where the files are; made when it is first used. It belongs to the store alone, and to those who may read it. */
  readonly folder: string;
  /** The most entries it holds. @default 10000 */
  readonly maxEntries?: number;
  /** The most bytes its files have together; a larger entry is refused. @default 1 GiB (1024 ** 3 bytes) */
  readonly maxBytes?: number;
  /** Tells which entry was used last. @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface DiskStoreEvents {
  /** An entry could not be read and was dropped: it counts as not there. Without `key` its index file was beyond reading. */
  'entry:damaged': { readonly key?: string; readonly damage: Damage };
}

/** A store of files. It holds nothing open, so it needs no end. */
export interface DiskStore<V> extends CacheStore<V>, EventSource<DiskStoreEvents> {
  get(key: string): Promise<StoredEntry<V> | undefined>;
  peek(key: string): Promise<StoredEntry<V> | undefined>;
  set(key: string, entry: StoredEntry<V>): Promise<StoreReport>;
  delete(key: string): Promise<EntryHead | undefined>;
  deleteWhere(matches: (key: string, head: EntryHead) => boolean): Promise<readonly KeyedHead[]>;
  clear(): Promise<void>;
  entries(): Promise<readonly KeyedHead[]>;
  usage(): Promise<{ readonly entries: number; readonly bytes: number }>;
}

const DEFAULT_MAX_ENTRIES = 10_000;
const DEFAULT_MAX_BYTES = 1024 ** 3;
/** The folder is looked through anew after this share of a limit was written, because other processes write too. */
const RESCAN_SHARE = 1 / 4;
/** How often a read starts over because the entry was replaced under it. */
const MAX_READS = 3;

/** What a change brings, and the blobs that nothing refers to after it. */
interface Changed<R> {
  readonly result: R;
  readonly freed: readonly string[];
}

/**
 * Keeps entries in a folder, for as long as they are used, across restarts and for all processes that are given the
 * same folder. A process that is killed at any moment leaves a folder that holds what it held before or after each
 * change; what is damaged by other means is found by its checksum and counts as not there. Entries and limits are
 * exact for one process; several may exceed the limits by a quarter each.
 * @throws TypeError or RangeError for a wrong option. Its methods throw what the file system does, and `set`
 * CACHE_VALUE_NOT_CLONEABLE for a value that can't be copied
 */
export function createDiskStore<V = unknown>(options: DiskStoreOptions): DiskStore<V> {
  checkKnownKeys('createDiskStore', options, ['folder', 'maxEntries', 'maxBytes', 'clock', 'logger']);
  const limits = { min: 1, infinite: true };
  const maxEntries = checkInteger('maxEntries', options.maxEntries ?? DEFAULT_MAX_ENTRIES, limits);
  const maxBytes = checkInteger('maxBytes', options.maxBytes ?? DEFAULT_MAX_BYTES, limits);
  const clock = options.clock ?? systemClock;
  const events = createEmitter<DiskStoreEvents>({ logger: options.logger ?? silentLogger });
  const folder = new CacheFolder(checkString('folder', options.folder));
  const index = new DiskIndex();
  const changes = new ChangeQueue();
  let isScanned = false;
  let entriesSinceScan = 0;
  let bytesSinceScan = 0;

  async function scan(): Promise<void> {
    const found = await folder.scan(() => events.emit('entry:damaged', { damage: 'index' }));
    if (!isScanned) await folder.removeOrphans(found, clock.wallTime());
    index.replaceAll(found);
    isScanned = true;
    entriesSinceScan = 0;
    bytesSinceScan = 0;
  }

  /** Changes index files in turn, has that brought to the medium, and only then removes the blobs they named. */
  async function change<R>(make: () => Promise<Changed<R>>): Promise<R> {
    const { result, freed } = await changes.run(make);
    await folder.sync();
    await folder.removeBlobs(freed);
    return result;
  }

  async function read(key: string, isUse: boolean): Promise<StoredEntry<V> | undefined> {
    for (let reads = 1; ; reads += 1) {
      const record = await folder.readRecord(key);
      if (record === undefined) return undefined;
      const content = record === 'damaged' ? 'index' : await folder.readContent(record);
      if (record !== 'damaged' && typeof content === 'object') {
        if (isUse) await use(record);
        return { ...record.head, ...content } as StoredEntry<V>;
      }
      const isDropped = await dropDamaged(key, record);
      if (isDropped) events.emit('entry:damaged', { key, damage: content as Damage });
      if (isDropped || reads === MAX_READS) return undefined;
    }
  }

  async function use(record: EntryRecord): Promise<void> {
    const usedAt = index.nextUse(clock.wallTime());
    index.touch(record, usedAt);
    await folder.touch(record.key, usedAt);
  }

  /** @returns false when another entry took its place meanwhile */
  function dropDamaged(key: string, seen: EntryRecord | 'damaged'): Promise<boolean> {
    return change(async () => {
      const record = await folder.readRecord(key);
      if (blobOf(record) !== blobOf(seen)) return { result: false, freed: [] };
      return { result: true, freed: (await remove(key)).freed };
    });
  }

  async function remove(key: string): Promise<Changed<EntryHead | undefined>> {
    const record = await folder.readRecord(key);
    if (record === undefined) return { result: undefined, freed: [] };
    await folder.removeRecord(key);
    index.remove(key);
    return record === 'damaged'
      ? { result: undefined, freed: [] }
      : { result: record.head, freed: [record.blob] };
  }

  async function removeWhere(
    matches: (key: string, head: EntryHead) => boolean,
  ): Promise<Changed<readonly KeyedHead[]>> {
    await scan();
    const matching = [...index.values()]
      .map(({ record }) => record)
      .filter(({ key, head }) => matches(key, head));
    for (const { key } of matching) {
      await folder.removeRecord(key);
      index.remove(key);
    }
    return {
      result: matching.map(({ key, head }) => [key, head]),
      freed: matching.map(({ blob }) => blob),
    };
  }

  async function replace(staged: StagedEntry): Promise<Changed<StoreReport>> {
    const { key } = staged.record;
    if (!isScanned) await scan();
    if (staged.bytes > maxBytes) {
      await folder.discard(staged);
      const { result: replaced, freed } = await remove(key);
      return { result: { stored: false, replaced, evicted: [] }, freed };
    }
    const before = await folder.readRecord(key);
    await folder.commit(staged);
    index.put(staged);
    entriesSinceScan += 1;
    bytesSinceScan += staged.bytes;
    if (entriesSinceScan > maxEntries * RESCAN_SHARE || bytesSinceScan > maxBytes * RESCAN_SHARE)
      await scan();
    const { result: evicted, freed } = await makeRoom(key);
    const replaced = before === 'damaged' ? undefined : before;
    return {
      result: { stored: true, replaced: replaced?.head, evicted },
      freed: replaced === undefined ? freed : [...freed, replaced.blob],
    };
  }

  /** Removes the least recently used entries beyond the limits, but not that of `key`. */
  async function makeRoom(key: string): Promise<Changed<readonly KeyedHead[]>> {
    const evicted: KeyedHead[] = [];
    const freed: string[] = [];
    for (const entry of index.values()) {
      const { entries, bytes } = index.usage;
      if (entries <= maxEntries && bytes <= maxBytes) break;
      const { record } = entry;
      if (record.key === key) continue;
      const lastUse = await folder.lastUse(record.key);
      // Another process used it: it goes behind those that nobody used since.
      if (lastUse !== undefined && index.isLater(lastUse, entry)) index.put({ ...entry, usedAt: lastUse });
      else {
        const { result, freed: blobs } = await remove(record.key);
        index.remove(record.key);
        if (result !== undefined) evicted.push([record.key, result]);
        freed.push(...blobs);
      }
    }
    return { result: evicted, freed };
  }

  return {
    get: (key) => read(key, true),
    peek: (key) => read(key, false),
    set(key, entry) {
      let content: Buffer;
      try {
        content = encodeContent(entry);
      } catch (error) {
        return Promise.reject(new ValueNotCloneableError(key, error));
      }
      const usedAt = index.nextUse(clock.wallTime());
      // The files are written at once, several at a time; only taking their places waits for its turn.
      const staging = folder.stage(key, headOf(entry), content, usedAt);
      staging.catch(() => undefined);
      return change(async () => {
        const staged = await staging;
        try {
          return await replace(staged);
        } catch (error) {
          await folder.discard(staged).catch(() => undefined);
          throw error;
        }
      });
    },
    delete: (key) => change(() => remove(key)),
    deleteWhere: (matches) => change(() => removeWhere(matches)),
    clear: async () => void (await change(() => removeWhere(() => true))),
    entries: () => changes.run(async () => scan().then(() => index.heads())),
    usage: () => changes.run(async () => scan().then(() => index.usage)),
    on: (name, listener) => events.on(name, listener),
    onAny: (listener) => events.onAny(listener),
  };
}

function blobOf(record: EntryRecord | 'damaged' | undefined): string | undefined {
  return typeof record === 'object' ? record.blob : record;
}
