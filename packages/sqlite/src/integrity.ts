import { usageOf } from './cache-table.ts';
import type { Statements } from './statements.ts';

export interface IntegrityReport {
  readonly ok: boolean;
  /** What is wrong, in SQLite's words or in ours. */
  readonly problems: readonly string[];
}

/** Whether the pages, the indices and the counts of a file agree. */
export function checkIntegrity(sql: Statements): IntegrityReport {
  const found = sql.all('PRAGMA integrity_check').map((row) => String(row['integrity_check']));
  const problems = found.filter((line) => line !== 'ok');
  const rows = sql.all(
    `SELECT state, sum(runs) AS runs, sum(counted) AS counted FROM (
       SELECT state, 0 AS runs, runs AS counted FROM run_counts WHERE state <> 'removed'
       UNION ALL SELECT state, count(*), 0 FROM runs GROUP BY state
     ) GROUP BY state`,
  );
  for (const row of rows) {
    const [state, runs, counted] = [String(row['state']), Number(row['runs']), Number(row['counted'])];
    if (runs !== counted) problems.push(`There are ${runs} ${state} runs, and ${counted} were counted.`);
  }
  const usage = usageOf(sql);
  const cache = sql.get('SELECT count(*) AS entries, coalesce(sum(bytes), 0) AS bytes FROM cache_entries');
  const [entries, bytes] = [Number(cache?.['entries']), Number(cache?.['bytes'])];
  if (entries !== usage.entries || bytes !== usage.bytes) {
    problems.push(
      `There are ${entries} cache entries of ${bytes} bytes, and ${usage.entries} of ${usage.bytes} were counted.`,
    );
  }
  return { ok: problems.length === 0, problems };
}
