import { resolve } from 'node:path';
import { checkDurationMs, checkInteger, checkKnownKeys, checkString } from '@pawl/core';
import { noteProcess, resolveRunQuery, RunStoreError, settleRun, StoreLockedError } from '@pawl/tasks';
import type { HostIdentity, OpenStoreOptions, RunStore } from '@pawl/tasks';
import { leaveName } from './host-lock.ts';
import { checkIntegrity, type IntegrityReport } from './integrity.ts';
import { listRuns } from './run-list.ts';
import { RunTable } from './run-table.ts';
import { limitTurns } from './run-turns.ts';
import { inWordsOf } from './sqlite-faults.ts';
import type { Statements } from './statements.ts';
import { openStoreFile, type StoreFile } from './store-file.ts';

export interface SqliteRunStoreOptions {
  /** Path of the database, which is made if it is missing; its folder is not. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly file: string;
  /**
   * Submissions are refused, as on a full disk, while the database is larger. What is stored goes on: it always has
   * room to end. @default Infinity
   */
  readonly maxBytes?: number;
  /** How long another program that writes to the file is waited for, in milliseconds; this process stands still. @default 1000 */
  readonly busyTimeoutMs?: number;
}

/** The options of whoever is host of a file, with their defaults. */
export interface ResolvedHostOptions {
  readonly file: string;
  readonly maxBytes: number;
  readonly busyTimeoutMs: number;
}

/** A run store in one SQLite file on a local disk. */
export interface SqliteRunStore extends RunStore {
  /** Reads the whole file and compares what must agree. This process stands still meanwhile. */
  integrity(): Promise<IntegrityReport>;
  /** Writes a copy as of this moment, while the store is in use, and replaces `file` with it. @throws RunStoreError */
  backup(file: string): Promise<void>;
}

/** Whose file the runs are in. */
export interface RunFile {
  readonly path: string;
  readonly maxBytes: number;
  /** Opens the file for its host. */
  readonly open: (host: HostIdentity) => Promise<StoreFile>;
  /** Takes it back when the runs need it no more. */
  readonly release: (file: StoreFile) => void;
}

/** What an open store works with. */
interface OpenStore {
  readonly file: StoreFile;
  readonly runs: RunTable;
}

/** @throws TypeError, RangeError */
export function createSqliteRunStore(options: SqliteRunStoreOptions): SqliteRunStore {
  checkKnownKeys('createSqliteRunStore', options, ['file', 'maxBytes', 'busyTimeoutMs']);
  const { file: path, maxBytes, busyTimeoutMs } = resolveHostOptions(options);
  return createRunStoreIn({
    path,
    maxBytes,
    open: (host) => openStoreFile({ file: path, subject: subjectOf(path), busyTimeoutMs, host }),
    release: (file) => file.close(),
  });
}

/** @throws TypeError, RangeError */
export function resolveHostOptions(options: SqliteRunStoreOptions): ResolvedHostOptions {
  return {
    file: resolve(checkString('file', options.file)),
    maxBytes: checkInteger('maxBytes', options.maxBytes ?? Infinity, { min: 65_536, infinite: true }),
    busyTimeoutMs: checkDurationMs('busyTimeoutMs', options.busyTimeoutMs ?? 1_000),
  };
}

export function createRunStoreIn({ path, maxBytes, open, release }: RunFile): SqliteRunStore {
  const subject = subjectOf(path);
  let store: OpenStore | undefined;
  let host: HostIdentity | undefined;

  const opened = (): OpenStore => {
    if (store?.file.isOpen === true) return store;
    throw new RunStoreError('STORE_CLOSED', `${subject} is not open.`);
  };
  const translated = <T>(work: () => T | Promise<T>): Promise<T> => inWordsOf(subject, work);
  const read = <T>(work: (open: OpenStore) => T): Promise<T> => translated(() => work(opened()));
  const write = <T>(work: (runs: RunTable) => T): Promise<T> =>
    translated(() => {
      const { file, runs } = opened();
      return file.commits.run(() => work(runs));
    });

  /** @throws RunStoreError */
  function checkSize(): void {
    if (maxBytes === Infinity) return;
    const usedBytes = usedBytesOf(opened().file.sql);
    if (usedBytes < maxBytes) return;
    const text = `${subject} takes no more runs: it has ${usedBytes} bytes, ${maxBytes} are allowed.`;
    throw new RunStoreError('STORE_FULL', text);
  }

  async function take(opening: OpenStoreOptions): Promise<void> {
    if (host !== undefined && store?.file.isOpen !== false) throw new StoreLockedError(subject, host);
    store = undefined;
    host = opening.host;
    let file: StoreFile | undefined;
    try {
      file = await open(opening.host);
      const { sql, commits } = file;
      await commits.run(() => {
        leaveName(sql, opening.host);
        limitTurns(sql, opening.maxPerKey);
      });
      store = { file, runs: new RunTable(sql, opening) };
    } catch (error) {
      host = undefined;
      if (file !== undefined) release(file);
      throw error;
    }
  }

  return {
    open: (opening) => translated(() => take(opening)),
    close: () =>
      translated(() => {
        const { file } = store ?? {};
        store = undefined;
        host = undefined;
        if (file !== undefined) release(file);
      }),
    add: (run) =>
      write((runs) => {
        checkSize();
        return runs.add(run);
      }),
    get: (id) => read(({ runs }) => runs.get(id)),
    list: (query) => read(({ file }) => listRuns(file.sql, resolveRunQuery(query))),
    counts: () => read(({ runs }) => runs.counts()),
    claim: (request) => write((runs) => runs.claim(request)),
    cancel: (id, now, reason) => write((runs) => runs.cancel(id, now, reason)),
    settle: (id, fence, now, ending) =>
      write((runs) => runs.change(id, (run) => settleRun(run, fence, now, ending))),
    heartbeat: (now, beats) => write((runs) => runs.heartbeat(now, beats)),
    noteProcess: async (id, fence, process) => {
      await write((runs) => runs.change(id, (run) => noteProcess(run, fence, process)));
    },
    orphaned: (limit) => read(({ runs }) => runs.orphaned(limit)),
    delete: (id) => write((runs) => runs.delete(id)),
    remove: (endedBefore, limit) => write((runs) => runs.remove(endedBefore, limit)),
    integrity: () => read(({ file }) => checkIntegrity(file.sql)),
    backup: (file) => translated(() => opened().file.backUp(resolve(checkString('file', file)))),
  };
}

function subjectOf(path: string): string {
  return `The run store ${path}`;
}

/** Without the pages that removed runs have left, and without what a cache in the same file holds. */
function usedBytesOf(sql: Statements): number {
  const read = (name: string): number => Number(sql.get(`PRAGMA ${name}`)?.[name]);
  const cached = Number(sql.get('SELECT bytes FROM cache_usage')?.['bytes']);
  return (read('page_count') - read('freelist_count')) * read('page_size') - cached;
}
