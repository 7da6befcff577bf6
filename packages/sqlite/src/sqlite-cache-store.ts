import { resolve } from 'node:path';
import type { CacheStore, EntryHead, KeyedHead, StoredEntry, StoreReport, StoreUsage } from '@pawl/caching';
import {
  checkDurationMs,
  checkInteger,
  checkKnownKeys,
  checkString,
  createEmitter,
  type EventSource,
  type Logger,
  silentLogger,
} from '@pawl/core';
import { type CacheDamage, type CacheRow, entryOf, toCacheRow } from './cache-rows.ts';
import {
  type CacheLimits,
  dropEntry,
  findEntry,
  listEntries,
  type Looked,
  putEntry,
  removeEntry,
  removeWhere,
  usageOf,
  useEntries,
} from './cache-table.ts';
import { inWordsOf } from './sqlite-faults.ts';
import type { Statements } from './statements.ts';
import { createStoreHandle, type StoreHandle } from './store-handle.ts';
import { openStoreFile } from './store-file.ts';
import { createUpkeep, type StoreUpkeep } from './store-upkeep.ts';

/** How much a cache in a file may hold. */
export interface SqliteCacheOptions {
  /** The most entries it holds. @default 10000 */
  readonly maxEntries?: number;
  /** The most bytes its keys and values have together; a larger entry is refused. @default 1 GiB (1024 ** 3 bytes) */
  readonly maxBytes?: number;
  /** Told of listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

export interface SqliteCacheStoreOptions extends SqliteCacheOptions {
  /** Path of the database, which is made if it is missing; its folder is not. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly file: string;
  /** How long another process that writes to the file is waited for, in milliseconds; this process stands still. @default 5000 */
  readonly busyTimeoutMs?: number;
}

export interface SqliteCacheEvents {
  /** An entry could not be read and was dropped: it counts as not there. Without `key` that was beyond reading too. */
  'entry:damaged': { readonly key?: string; readonly damage: CacheDamage };
}

/** A cache in a file. */
export interface SqliteCache<V> extends CacheStore<V>, EventSource<SqliteCacheEvents> {
  get(key: string): Promise<StoredEntry<V> | undefined>;
  peek(key: string): Promise<StoredEntry<V> | undefined>;
  set(key: string, entry: StoredEntry<V>): Promise<StoreReport>;
  delete(key: string): Promise<EntryHead | undefined>;
  deleteWhere(matches: (key: string, head: EntryHead) => boolean): Promise<readonly KeyedHead[]>;
  clear(): Promise<void>;
  entries(): Promise<readonly KeyedHead[]>;
  usage(): Promise<StoreUsage>;
}

/** A cache in one SQLite file on a local disk. */
export interface SqliteCacheStore<V> extends SqliteCache<V>, StoreUpkeep {}

interface ResolvedCacheOptions extends CacheLimits {
  readonly logger: Logger;
}

const CACHE_KEYS = ['maxEntries', 'maxBytes', 'logger'] as const;

/** So many uses are noted before they are written down, unless something else is written first. */
const MAX_NOTED_USES = 256;

/**
 * Keeps entries in a file, which it opens when it is first used, for as long as they are used, across restarts and for
 * all processes that are given the same file. The limits hold for all of them together.
 * @throws TypeError, RangeError. Its methods reject with RunStoreError, and `set` with CACHE_VALUE_NOT_CLONEABLE for a
 * value that can't be copied
 */
export function createSqliteCacheStore<V = unknown>(options: SqliteCacheStoreOptions): SqliteCacheStore<V> {
  checkKnownKeys('createSqliteCacheStore', options, ['file', 'busyTimeoutMs', ...CACHE_KEYS]);
  const file = resolve(checkString('file', options.file));
  const busyTimeoutMs = checkDurationMs('busyTimeoutMs', options.busyTimeoutMs ?? 5_000);
  const subject = subjectOf(file);
  const handle = createStoreHandle(subject, () =>
    openStoreFile({ file, subject, busyTimeoutMs, host: undefined }),
  );
  const { cache, flush } = createCacheIn<V>(handle, file, resolveCacheLimits(options));
  return { ...cache, ...createUpkeep(subject, handle, flush) };
}

/** @throws TypeError, RangeError */
export function resolveCacheOptions(options: SqliteCacheOptions): ResolvedCacheOptions {
  checkKnownKeys('cache', options, CACHE_KEYS);
  return resolveCacheLimits(options);
}

function resolveCacheLimits({ maxEntries, maxBytes, logger }: SqliteCacheOptions): ResolvedCacheOptions {
  const limits = { min: 1, infinite: true };
  return {
    maxEntries: checkInteger('maxEntries', maxEntries ?? 10_000, limits),
    maxBytes: checkInteger('maxBytes', maxBytes ?? 1024 ** 3, limits),
    logger: logger ?? silentLogger,
  };
}

/** The cache that is in an open file, and how to write down what it keeps in mind. */
interface CacheInFile<V> {
  readonly cache: SqliteCache<V>;
  readonly flush: () => Promise<void>;
}

export function createCacheIn<V>(
  handle: StoreHandle,
  path: string,
  { logger, ...limits }: ResolvedCacheOptions,
): CacheInFile<V> {
  const subject = subjectOf(path);
  const events = createEmitter<SqliteCacheEvents>({ logger });
  /** Keys as JSON texts, in the order of their use. A trip to the disk for each hit would cost more than the hit. */
  const noted = new Set<string>();

  const write = <T>(work: (sql: Statements) => T): Promise<T> =>
    inWordsOf(subject, async () => {
      const { commits, sql } = await handle.open();
      return commits.run(() => work(sql));
    });

  /** Where the order of use counts. If the transaction fails, all that is lost is who was used last. */
  const writeInOrder = <T>(work: (sql: Statements) => T): Promise<T> =>
    write((sql) => {
      useEntries(sql, noted);
      noted.clear();
      return work(sql);
    });

  async function look<R>(work: Promise<Looked<R>>): Promise<R> {
    const { result, damaged } = await work;
    for (const key of damaged)
      events.emit('entry:damaged', { damage: 'head', ...(key === undefined ? {} : { key }) });
    return result;
  }

  async function read(key: string, isUse: boolean): Promise<StoredEntry<V> | undefined> {
    const keyText = JSON.stringify(key);
    const row = await inWordsOf(subject, async () => findEntry((await handle.open()).sql, keyText));
    if (row === undefined) return undefined;
    const entry = entryOf<V>(row);
    if (typeof entry === 'object') {
      if (isUse) noteUse(keyText);
      return entry;
    }
    if (await write((sql) => dropEntry(sql, row))) events.emit('entry:damaged', { key, damage: entry });
    return undefined;
  }

  function noteUse(keyText: string): void {
    noted.delete(keyText);
    noted.add(keyText);
    if (noted.size >= MAX_NOTED_USES) void flush();
  }

  /** Never rejects: nobody waits for who was used last. */
  async function flush(): Promise<void> {
    if (noted.size > 0) await writeInOrder(() => undefined).catch(() => undefined);
  }

  return {
    flush,
    cache: {
      get: (key) => read(key, true),
      peek: (key) => read(key, false),
      async set(key, entry) {
        let row: CacheRow;
        try {
          row = toCacheRow(JSON.stringify(key), entry);
        } catch (error) {
          // Only now: whoever has no cache need not load it.
          const { ValueNotCloneableError } = await import('@pawl/caching');
          throw new ValueNotCloneableError(key, error);
        }
        return look(writeInOrder((sql) => putEntry(sql, row, limits)));
      },
      delete: (key) => write((sql) => removeEntry(sql, JSON.stringify(key))),
      deleteWhere: (matches) => look(write((sql) => removeWhere(sql, matches))),
      clear: () => write((sql) => sql.run('DELETE FROM cache_entries')),
      entries: () => look(writeInOrder(listEntries)),
      usage: () => write(usageOf),
      on: (name, listener) => events.on(name, listener),
      onAny: (listener) => events.onAny(listener),
    },
  };
}

function subjectOf(path: string): string {
  return `The cache store ${path}`;
}
