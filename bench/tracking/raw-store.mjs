// SQLite without Pawl, to compare with and to fill a store quickly.
import { createRequire } from 'node:module';

/** The SQLite that `@pawl/sqlite` takes on this version of Node. */
export async function loadDriver() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.getBuiltinModule('node:sqlite');
  return createRequire(new URL('../../packages/sqlite/package.json', import.meta.url))(
    '@photostructure/sqlite',
  );
}

/** One table of one column, one row a transaction. */
export function rawTable({ DatabaseSync }, file) {
  const db = new DatabaseSync(file);
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (text TEXT NOT NULL) STRICT',
  );
  const statement = db.prepare('INSERT INTO rows VALUES (?)');
  const text = 'x'.repeat(200);
  return { insert: () => statement.run(text), end: () => db.close() };
}

/** Fills the store of a file with runs of 20 tasks, 1000 keys, 100 schedules and all states; one in a thousand is lost. */
export function fillStore({ DatabaseSync }, file, count) {
  const db = new DatabaseSync(file);
  db.exec(`
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count}),
    rows AS (SELECT n, CASE WHEN n % 1000 = 0 THEN 'lost' WHEN n % 10 = 1 THEN 'failed' WHEN n % 10 = 2 THEN 'cancelled'
      WHEN n % 100 = 3 THEN 'timed-out' WHEN n % 4 = 0 THEN 'queued' ELSE 'succeeded' END AS state FROM numbers)
    INSERT INTO runs (id, task, state, stage, priority, concurrency_key, schedule, fingerprint, created_at, available_at,
      timeout_ms, max_attempts, max_losses, fence, failures, losses, ended_at, input, attempts)
    SELECT 'run_' || n, 'task-' || (n % 20), state, CASE state WHEN 'queued' THEN 1 END, 1 + n % 4,
      CASE WHEN state <> 'queued' THEN 'key-' || (n % 1000) END, 'schedule-' || (n % 100), 'f', n, n, 1000, 1, 3, 0, 0, 0,
      CASE WHEN state <> 'queued' THEN n END, '{"path":"some/file/somewhere.png"}', '[]'
    FROM rows;
  `);
  db.close();
}
