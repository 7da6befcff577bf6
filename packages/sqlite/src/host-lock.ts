import { type HostIdentity, StoreLockedError } from '@pawl/tasks';
import { isSqliteError, toStoreError } from './sqlite-faults.ts';
import type { Database, SqliteDriver } from './sqlite-driver.ts';
import type { Statements } from './statements.ts';

/** A file that belongs to this process until it is released, or the process ends in whatever way. */
export interface HostLock {
  release(): void;
}

export interface HostLockOptions {
  readonly file: string;
  /** Names the store at the beginning of a sentence. */
  readonly subject: string;
  /** How long another process that has it is waited for, in milliseconds; this process stands still. */
  readonly waitMs: number;
}

/**
 * Takes `<file>.lock`, an empty file that SQLite locks and never writes to. The operating system holds the lock and
 * frees it when the process dies, so that none is ever stale, whatever happens to process numbers.
 * @throws StoreLockedError naming the holder
 */
export function takeHostLock(driver: SqliteDriver, { file, subject, waitMs }: HostLockOptions): HostLock {
  let lock: Database | undefined;
  try {
    lock = new driver.DatabaseSync(`${file}.lock`, { timeout: waitMs });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock?.close();
    if (isSqliteError(error) && error.errcode === SQLITE_BUSY) {
      throw new StoreLockedError(subject, holderOf(driver, file));
    }
    throw toStoreError(subject, error);
  }
  const held = lock;
  return { release: () => held.close() };
}

const SQLITE_BUSY = 5;

/** Writes down who has the file, for those it is refused to. */
export function leaveName(sql: Statements, host: HostIdentity): void {
  sql.run(
    `INSERT INTO host VALUES (1, ?, 1) ON CONFLICT DO UPDATE SET identity = excluded.identity`,
    JSON.stringify(host),
  );
}

/** Who left its name in the store; undefined while the holder is still making it. */
function holderOf(driver: SqliteDriver, file: string): HostIdentity | undefined {
  let db: Database | undefined;
  try {
    db = new driver.DatabaseSync(file, { readOnly: true });
    const identity = db.prepare('SELECT identity FROM host').get()?.['identity'];
    return typeof identity === 'string' ? (JSON.parse(identity) as HostIdentity) : undefined;
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}
