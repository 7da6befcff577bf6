import type { Statements } from './statements.ts';

/** Whose turn it is among the runs of a key. */
export interface Turns {
  /**
   * Lets the first due runs of the key be claimed, as many as it has room for, and puts the others behind them. To be
   * called after each change of one of its runs. A run without a key needs no turn.
   */
  give(key: string | undefined): void;
}

export function createTurns(sql: Statements, maxPerKey: number): Turns {
  return {
    give(key) {
      if (key === undefined) return;
      const running = sql.get(
        'SELECT count(*) AS runs FROM runs WHERE concurrency_key = ? AND stage = 3',
        key,
      );
      const room = Math.max(0, maxPerKey - Number(running?.['runs']));
      const first = (stage: 1 | 2): readonly Contender[] =>
        sql
          .all(
            `SELECT seq, priority FROM runs WHERE concurrency_key = ? AND stage = ${stage}
             ORDER BY priority DESC, seq LIMIT ?`,
            key,
            maxPerKey,
          )
          .map(({ seq, priority }) => ({ sequence: Number(seq), priority: Number(priority), stage }));
      const contenders = [...first(1), ...first(2)].toSorted(
        (a, b) => b.priority - a.priority || a.sequence - b.sequence,
      );
      for (const [index, { sequence, stage }] of contenders.entries()) {
        const due = index < room ? 1 : 2;
        if (due !== stage) sql.run('UPDATE runs SET stage = ? WHERE seq = ?', due, sequence);
      }
    },
  };
}

interface Contender {
  readonly sequence: number;
  readonly priority: number;
  readonly stage: 1 | 2;
}

/** Lets so many runs of one key run at a time; puts the queues of all keys in order if the limit was another. */
export function limitTurns(sql: Statements, maxPerKey: number): void {
  if (sql.get('SELECT max_per_key FROM host')?.['max_per_key'] === maxPerKey) return;
  sql.run('UPDATE host SET max_per_key = ?', maxPerKey);
  const turns = createTurns(sql, maxPerKey);
  sql.run('UPDATE runs SET stage = 2 WHERE stage = 1 AND concurrency_key IS NOT NULL');
  const rows = sql.all(
    'SELECT DISTINCT concurrency_key FROM runs WHERE concurrency_key IS NOT NULL AND stage = 2',
  );
  for (const { concurrency_key: key } of rows) turns.give(String(key));
}
