/** What a statement takes and gives. */
export type SqlValue = string | number | Uint8Array | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The part of `node:sqlite` that is used here. */
export interface Statement {
  run(...values: readonly SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export interface SqliteDriver {
  readonly DatabaseSync: new (
    file: string,
    options?: { readonly readOnly?: boolean; readonly timeout?: number },
  ) => Database;
  readonly backup: (source: Database, file: string) => Promise<unknown>;
}

/** Before it, the built-in one is missing, or prints a warning. */
const FIRST_BUILT_IN_MAJOR = 24;

/** The SQLite of Node where it has one, else the same API from `@photostructure/sqlite`. */
export async function loadSqlite(): Promise<SqliteDriver> {
  const [major] = process.versions.node.split('.');
  if (Number(major) >= FIRST_BUILT_IN_MAJOR)
    return process.getBuiltinModule('node:sqlite') as unknown as SqliteDriver;
  return (await import('@photostructure/sqlite')) as unknown as SqliteDriver;
}
