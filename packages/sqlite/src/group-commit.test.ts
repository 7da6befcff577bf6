import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createGroupCommit, type GroupCommit } from './group-commit.ts';
import { isSqliteError } from './sqlite-faults.ts';
import { type Database, loadSqlite } from './sqlite-driver.ts';

async function setup(): Promise<{
  readonly db: Database;
  readonly commits: GroupCommit;
  readonly insert: (id: number) => void;
  readonly ids: () => readonly unknown[];
}> {
  const { DatabaseSync } = await loadSqlite();
  const db = new DatabaseSync(':memory:');
  onTestFinished(() => db.close());
  db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY CHECK (id < 100)) STRICT');
  return {
    db,
    commits: createGroupCommit(db),
    insert: (id) => void db.prepare('INSERT INTO items VALUES (?)').run(id),
    ids: () =>
      db
        .prepare('SELECT id FROM items')
        .all()
        .map(({ id }) => id),
  };
}

describe('createGroupCommit', () => {
  it('puts what is asked for in one turn into one transaction, and answers each after it', async () => {
    const { db, commits, insert } = await setup();
    const inside: boolean[] = [];
    const isInside = (): boolean => {
      try {
        db.exec('BEGIN');
        db.exec('ROLLBACK');
        return false;
      } catch {
        return true;
      }
    };
    const answers = [1, 2, 3].map((id) =>
      commits
        .run(() => {
          inside.push(isInside());
          insert(id);
          return id;
        })
        .then((value) => [value, isInside()]),
    );
    expect(inside).toEqual([]);
    expect(await Promise.all(answers)).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(inside).toEqual([true, true, true]);
  });

  it('refuses one without the others when its work says no', async () => {
    const { commits, insert, ids } = await setup();
    const settled = await Promise.allSettled([
      commits.run(() => insert(1)),
      commits.run(() => {
        throw new RangeError('no');
      }),
      commits.run(() => insert(3)),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(ids()).toEqual([1, 3]);
  });

  it('tries each alone when SQLite fails with the group, so that one does not spoil the others', async () => {
    const { commits, insert, ids } = await setup();
    const settled = await Promise.allSettled([1, 500, 3].map((id) => commits.run(() => insert(id))));
    expect(settled).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { message: expect.stringContaining('CHECK') as string } },
      { status: 'fulfilled' },
    ]);
    expect(ids()).toEqual([1, 3]);
  });

  it('refuses a whole group after one wait while another program writes', async () => {
    const { DatabaseSync } = await loadSqlite();
    const folder = mkdtempSync(join(tmpdir(), 'pawl-group-commit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [db, other] = [1, 2].map(() => new DatabaseSync(join(folder, 'items.db'), { timeout: 20 }));
    onTestFinished(() => [db, other].forEach((each) => each?.close()));
    if (db === undefined || other === undefined) throw new Error('No database.');
    other.exec('CREATE TABLE items (id INTEGER PRIMARY KEY) STRICT; BEGIN IMMEDIATE');
    let begins = 0;
    const begin = db.prepare('BEGIN IMMEDIATE');
    const counting: Database = {
      exec: (sql) => db.exec(sql),
      close: () => db.close(),
      prepare: (sql) =>
        sql === 'BEGIN IMMEDIATE'
          ? { ...begin, run: () => ((begins += 1), begin.run()), get: () => undefined, all: () => [] }
          : db.prepare(sql),
    };
    const commits = createGroupCommit(counting);
    const settled = await Promise.allSettled([1, 2, 3].map(() => commits.run(() => undefined)));
    expect(settled.map((each) => each.status === 'rejected' && isSqliteError(each.reason))).toEqual([
      true,
      true,
      true,
    ]);
    expect(begins).toBe(1);
    other.exec('COMMIT');
    await commits.run(() => undefined);
  });

  it('commits what waits when it is flushed, more than one group too', async () => {
    const { commits, insert, ids } = await setup();
    const all = Promise.all(
      Array.from({ length: 1_201 }, (_, index) =>
        commits.run(() => (index % 13 === 0 ? insert(index / 13) : undefined)),
      ),
    );
    commits.flush();
    expect(ids()).toHaveLength(93);
    expect(await all).toHaveLength(1_201);
  });
});
