import type { Database } from './sqlite-driver.ts';
import { RunStoreError } from '@pawl/tasks';

/** "pawl" in ASCII: tells this file from other SQLite databases. */
const APPLICATION_ID = 0x70_61_77_6c;

/**
 * The schema, as steps that are never changed once they are released. Times are milliseconds since the epoch.
 *
 * `stage` places a run that is not over: 0 waits for its time, 1 may be claimed, 2 waits for a turn of its key,
 * 3 is running. It keeps a claim at O(log n): whatever can't be claimed now is not in its way.
 *
 * `number` counts the claims of a schedule, and `used` the uses of all entries: the larger, the later. The content of
 * an entry is apart from it, so that a use or a look at all entries does not touch it.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    state TEXT NOT NULL,
    stage INTEGER,
    priority REAL NOT NULL,
    concurrency_key TEXT,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    created_at REAL NOT NULL,
    available_at REAL NOT NULL,
    deadline_at REAL,
    timeout_ms REAL NOT NULL,
    max_attempts REAL NOT NULL,
    max_losses REAL NOT NULL,
    fence INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    host_id TEXT,
    started_at REAL,
    ended_at REAL,
    heartbeat_at REAL,
    cancel_requested_at REAL,
    cancel_reason TEXT,
    input TEXT NOT NULL,
    progress TEXT,
    result TEXT,
    error TEXT,
    attempts TEXT NOT NULL
  ) STRICT;

  CREATE INDEX runs_by_state ON runs (state, created_at);
  CREATE INDEX runs_by_task ON runs (task, state, created_at);
  CREATE INDEX runs_by_key ON runs (concurrency_key, state, created_at) WHERE concurrency_key IS NOT NULL;
  CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX runs_ready ON runs (priority DESC, seq) WHERE stage = 1;
  CREATE INDEX runs_delayed ON runs (available_at) WHERE stage = 0;
  CREATE INDEX runs_by_turn ON runs (concurrency_key, stage, priority DESC, seq)
    WHERE concurrency_key IS NOT NULL AND stage IS NOT NULL;
  CREATE INDEX runs_by_deadline ON runs (deadline_at) WHERE state = 'queued' AND deadline_at IS NOT NULL;
  CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;

  CREATE TABLE run_counts (state TEXT PRIMARY KEY, runs INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER count_added AFTER INSERT ON runs BEGIN
    INSERT INTO run_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
  END;
  CREATE TRIGGER count_moved AFTER UPDATE OF state ON runs WHEN old.state <> new.state BEGIN
    UPDATE run_counts SET runs = runs - 1 WHERE state = old.state;
    INSERT INTO run_counts VALUES (new.state, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
  END;
  CREATE TRIGGER count_removed AFTER DELETE ON runs BEGIN
    UPDATE run_counts SET runs = runs - 1 WHERE state = old.state;
    INSERT INTO run_counts VALUES ('removed', 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
  END;

  CREATE TABLE host (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    identity TEXT NOT NULL,
    max_per_key INTEGER NOT NULL
  ) STRICT;
  `,
  // Ids and keys are JSON texts: SQLite keeps neither NUL nor half a surrogate pair as it was.
  `
  CREATE TABLE schedules (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    schedule TEXT NOT NULL,
    state TEXT NOT NULL
  ) STRICT;

  CREATE TABLE slot_claims (
    schedule_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    nominal_at REAL NOT NULL,
    PRIMARY KEY (schedule_seq, number)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX slot_claims_by_slot ON slot_claims (schedule_seq, nominal_at);

  CREATE TABLE cache_entries (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    head BLOB NOT NULL,
    content_digest BLOB NOT NULL,
    digest BLOB NOT NULL
  ) STRICT;
  CREATE INDEX cache_entries_by_use ON cache_entries (used);
  CREATE TABLE cache_contents (seq INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;

  CREATE TABLE cache_usage (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    entries INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO cache_usage VALUES (1, 0, 0);
  CREATE TRIGGER cache_entry_added AFTER INSERT ON cache_entries BEGIN
    UPDATE cache_usage SET entries = entries + 1, bytes = bytes + new.bytes;
  END;
  CREATE TRIGGER cache_entry_removed AFTER DELETE ON cache_entries BEGIN
    UPDATE cache_usage SET entries = entries - 1, bytes = bytes - old.bytes;
    DELETE FROM cache_contents WHERE seq = old.seq;
  END;
  `,
  // Which runs belong to which schedule was told by their idempotency keys alone: `report@2026-03-08T07:00:00.000Z`,
  // of a manual run with `#1` after it.
  `
  ALTER TABLE runs ADD COLUMN schedule TEXT;
  UPDATE runs SET schedule = known.id
    FROM (SELECT json_extract(id, '$') AS id FROM schedules) AS known
    WHERE idempotency_key > known.id || '@' AND idempotency_key < known.id || 'A'
      AND substr(idempotency_key, length(known.id) + 2, 24) GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9].[0-9][0-9][0-9]Z'
      AND substr(idempotency_key, length(known.id) + 26, 1) IN ('', '#');
  CREATE INDEX runs_by_schedule ON runs (schedule, state, created_at) WHERE schedule IS NOT NULL;
  `,
];

/** The version that a file has once it is {@link migrate migrated}. */
export const LATEST_VERSION: number = MIGRATIONS.length;

/**
 * The version of the schema in a file, without changing it; 0 for an empty one.
 * @param subject names the store at the beginning of a sentence
 * @throws RunStoreError when the file is another program's, or from a newer version of this one
 */
export function versionOf(db: Database, file: string, subject: string): number {
  const owner = db.prepare('PRAGMA application_id').get()?.['application_id'];
  if (owner !== APPLICATION_ID) {
    const tables = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables'];
    if (owner === 0 && tables === 0) return 0;
    throw new RunStoreError(
      'STORE_FAILED',
      `${file} is the database of another program; it was not changed.`,
    );
  }
  const version = Number(
    db.prepare('SELECT max(version) AS version FROM migrations').get()?.['version'] ?? 0,
  );
  if (version > LATEST_VERSION) {
    throw new RunStoreError(
      'STORE_FAILED',
      `${subject} has version ${version}, this program knows ${LATEST_VERSION}; it was not changed.`,
    );
  }
  return version;
}

/** Brings the schema from this version up to date, each step in a transaction of its own. */
export function migrate(db: Database, from: number): void {
  if (from === 0) {
    db.exec(`
      BEGIN IMMEDIATE;
      PRAGMA application_id = ${APPLICATION_ID};
      CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied_at REAL NOT NULL) STRICT;
      COMMIT;
    `);
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index < from) continue;
    db.exec(`
      BEGIN IMMEDIATE;
      ${sql}
      INSERT INTO migrations VALUES (${index + 1}, unixepoch('subsec') * 1000);
      COMMIT;
    `);
  }
}
