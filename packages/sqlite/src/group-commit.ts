import { setImmediate as nextTurn } from 'node:timers';
import { isSqliteError } from './sqlite-faults.ts';
import type { Database } from './sqlite-driver.ts';

/** Puts the writes of many callers into one transaction. */
export interface GroupCommit {
  /**
   * Runs `work` in the next transaction, which takes all that was asked for in this turn of the event loop.
   * Resolves once it is on disk. `work` must look before it writes: if it throws, it must not have written. It may be
   * run again, when the group it was part of failed.
   */
  run<T>(work: () => T): Promise<T>;
  /** Commits what waits. */
  flush(): void;
}

interface Waiting {
  readonly work: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** So that a long queue of callers does not stop the event loop for long: some milliseconds of work. */
const MAX_GROUP = 500;

export function createGroupCommit(db: Database): GroupCommit {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commitAll = db.prepare('COMMIT');
  let waiting: Waiting[] = [];

  function commitNext(): void {
    const group = waiting.slice(0, MAX_GROUP);
    waiting = waiting.slice(MAX_GROUP);
    if (waiting.length > 0) nextTurn(commitNext);
    if (group.length > 0) commit(group);
  }

  /** Everybody is answered after the commit, and only then. */
  function commit(group: readonly Waiting[]): void {
    const answers: (() => void)[] = [];
    try {
      begin.run();
    } catch (error) {
      // Another program writes. It was waited for once: each alone would have to wait as long again.
      for (const { reject } of group) reject(error);
      return;
    }
    try {
      for (const { work, resolve, reject } of group) {
        try {
          const value = work() as never;
          answers.push(() => resolve(value));
        } catch (error) {
          if (isSqliteError(error)) throw error;
          answers.push(() => reject(error));
        }
      }
      commitAll.run();
    } catch (error) {
      rollBack();
      const [first, ...others] = group;
      if (others.length === 0) first?.reject(error);
      // One of them may be too large for what is left of the disk: the others must not suffer for it.
      else for (const each of group) commit([each]);
      return;
    }
    for (const answer of answers) answer();
  }

  function rollBack(): void {
    try {
      db.exec('ROLLBACK');
    } catch {
      // SQLite had ended the transaction itself, as it does when the disk is full.
    }
  }

  return {
    run: (work) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) nextTurn(commitNext);
        waiting.push({ work, resolve, reject });
      }),
    flush() {
      while (waiting.length > 0) commitNext();
    },
  };
}
