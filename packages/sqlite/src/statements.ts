import type { Database, SqlRow, SqlValue, Statement } from './sqlite-driver.ts';

/** Runs SQL, each text prepared once. Only for texts that are written in the code: values are parameters. */
export interface Statements {
  run(sql: string, ...values: readonly SqlValue[]): void;
  get(sql: string, ...values: readonly SqlValue[]): SqlRow | undefined;
  all(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[];
}

export function createStatements(db: Database): Statements {
  const prepared = new Map<string, Statement>();
  const of = (sql: string): Statement => {
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    run: (sql, ...values) => void of(sql).run(...values),
    get: (sql, ...values) => of(sql).get(...values),
    all: (sql, ...values) => of(sql).all(...values),
  };
}
