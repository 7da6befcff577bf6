import {
  comparePositions,
  type ResolvedRunQuery,
  type RunPage,
  type RunPosition,
  toCursor,
} from '@pawl/tasks';
import { toRun } from './run-rows.ts';
import type { Statements } from './statements.ts';

/**
 * Lists runs by merging one list per state, each read from the index that has exactly these runs in exactly this
 * order: a page costs the same in a store of a million runs.
 */
export function listRuns(sql: Statements, query: ResolvedRunQuery): RunPage {
  const found = query.states
    .flatMap((state) => positionsOf(sql, state, query))
    .toSorted(comparePositions)
    .slice(0, query.limit + 1);
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  return {
    runs: page.flatMap(({ sequence }) => sql.all('SELECT * FROM runs WHERE seq = ?', sequence).map(toRun)),
    nextCursor: found.length > page.length && last !== undefined ? toCursor(last) : undefined,
  };
}

/** Where the runs of one state stand, one more than the page holds. */
function positionsOf(sql: Statements, state: string, query: ResolvedRunQuery): readonly RunPosition[] {
  const { task, key, schedule, createdFrom, createdBefore, after, limit } = query;
  const conditions = ['state = ?', 'created_at >= ?', '(created_at, seq) < (?, ?)'];
  // One upper bound, whichever is lower: of two, SQLite would search by the one and filter by the other.
  const end = { createdAt: createdBefore, sequence: 0 };
  const before = after === undefined || comparePositions(end, after) > 0 ? end : after;
  const values: (string | number)[] = [state, createdFrom, before.createdAt, before.sequence];
  let index = 'runs_by_state';
  const narrow = (column: string, value: string | undefined, by: string): void => {
    if (value === undefined) return;
    conditions.push(`${column} = ?`);
    values.push(value);
    index = by;
  };
  // The last of them has the fewest runs.
  narrow('task', task, 'runs_by_task');
  narrow('concurrency_key', key, 'runs_by_key');
  narrow('schedule', schedule, 'runs_by_schedule');
  const rows = sql.all(
    `SELECT seq, created_at FROM runs INDEXED BY ${index} WHERE ${conditions.join(' AND ')}
     ORDER BY created_at DESC, seq DESC LIMIT ?`,
    ...values,
    limit + 1,
  );
  return rows.map(({ seq, created_at: createdAt }) => ({
    sequence: Number(seq),
    createdAt: Number(createdAt),
  }));
}
