import { rename, rm } from 'node:fs/promises';
import { type HostIdentity, RunStoreError } from '@pawl/tasks';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import { type HostLock, leaveName, takeHostLock } from './host-lock.ts';
import { LATEST_VERSION, migrate, versionOf } from './migrations.ts';
import { type Database, loadSqlite, type SqliteDriver } from './sqlite-driver.ts';
import { createStatements, type Statements } from './statements.ts';

/** An open database of stores. */
export interface StoreFile {
  readonly db: Database;
  readonly sql: Statements;
  readonly commits: GroupCommit;
  readonly isOpen: boolean;
  /** Copies the database as it is now, while it is in use. */
  backUp(file: string): Promise<void>;
  /** Commits what waits, and lets go of the file. */
  close(): void;
}

export interface StoreFileOptions {
  readonly file: string;
  /** Names the store at the beginning of a sentence: `The run store /var/runs.db`. */
  readonly subject: string;
  readonly busyTimeoutMs: number;
  /** Who is to have the file alone; undefined for one among others, who are not refused. */
  readonly host: HostIdentity | undefined;
}

/** @throws StoreLockedError, RunStoreError, or the error of SQLite */
export async function openStoreFile(options: StoreFileOptions): Promise<StoreFile> {
  const { file, host, busyTimeoutMs } = options;
  const driver = await loadSqlite();
  const lock = host === undefined ? undefined : takeHostLock(driver, { ...options, waitMs: 0 });
  let db: Database | undefined;
  try {
    db = new driver.DatabaseSync(file, { timeout: busyTimeoutMs });
    if (!isReady(db, options)) makeReady(driver, db, options);
    // A commit is on disk when it returns, also after a power cut; on macOS that takes F_FULLFSYNC.
    db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON');
    const sql = createStatements(db);
    if (host !== undefined) leaveName(sql, host);
    return storeFile(driver, db, sql, lock);
  } catch (error) {
    db?.close();
    lock?.release();
    throw error;
  }
}

function storeFile(
  driver: SqliteDriver,
  db: Database,
  sql: Statements,
  lock: HostLock | undefined,
): StoreFile {
  const commits = createGroupCommit(db);
  let isOpen = true;
  return {
    db,
    sql,
    commits,
    get isOpen() {
      return isOpen;
    },
    async backUp(file) {
      // A copy that was cut short must not look like a backup.
      const unfinished = `${file}.unfinished`;
      try {
        await rm(unfinished, { force: true });
        await driver.backup(db, unfinished);
        await rename(unfinished, file);
      } finally {
        await rm(unfinished, { force: true });
      }
    },
    close() {
      commits.flush();
      try {
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        // What could not be moved into the main file stays in the log beside it, where the next host finds it.
      }
      db.close();
      lock?.release();
      isOpen = false;
    },
  };
}

/** Whether the file is as this program needs it. Looks at it alone: a file of another program stays as it is. */
function isReady(db: Database, { file, subject }: StoreFileOptions): boolean {
  return versionOf(db, file, subject) === LATEST_VERSION && modeOf(db, 'PRAGMA journal_mode') === 'wal';
}

/** Makes a file of the latest version. Only its host may, and where there is none, one process at a time. */
function makeReady(driver: SqliteDriver, db: Database, options: StoreFileOptions): void {
  const { file, subject, busyTimeoutMs, host } = options;
  const lock =
    host !== undefined ? undefined : takeHostLock(driver, { file, subject, waitMs: busyTimeoutMs });
  try {
    // With a log beside the file, readers never wait.
    const mode = modeOf(db, 'PRAGMA journal_mode = WAL');
    if (mode !== 'wal') {
      throw new RunStoreError(
        'STORE_FAILED',
        `${file} lies on a file system without write-ahead logs (${mode}).`,
      );
    }
    // Another process may have done it while this one waited.
    migrate(db, versionOf(db, file, subject));
  } finally {
    lock?.release();
  }
}

function modeOf(db: Database, pragma: string): string {
  return String(db.prepare(pragma).get()?.['journal_mode']);
}
