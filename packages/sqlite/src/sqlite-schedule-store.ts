import { resolve } from 'node:path';
import { checkDurationMs, checkInteger, checkKnownKeys, checkString } from '@pawl/core';
import type { ScheduleStore } from '@pawl/tasks';
import {
  claimSlot,
  listSchedules,
  loadSchedule,
  removeSchedule,
  saveSchedule,
  toScheduleRow,
  updateSchedule,
} from './schedule-table.ts';
import { inWordsOf } from './sqlite-faults.ts';
import type { Statements } from './statements.ts';
import { createStoreHandle, type StoreHandle } from './store-handle.ts';
import { openStoreFile } from './store-file.ts';
import { createUpkeep, type StoreUpkeep } from './store-upkeep.ts';

export interface SqliteScheduleStoreOptions {
  /** Path of the database, which is made if it is missing; its folder is not. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly file: string;
  /** Claimed slots remembered per schedule, at least 1000; beyond that the earliest claim is forgotten. @default 10000 */
  readonly maxSlots?: number;
  /** How long another program that writes to the file is waited for, in milliseconds; this process stands still. @default 5000 */
  readonly busyTimeoutMs?: number;
}

/** A schedule store in one SQLite file on a local disk. */
export interface SqliteScheduleStore extends ScheduleStore, StoreUpkeep {}

/**
 * Keeps schedules in a file, which it opens when it is first used. Several processes may have the same file, a host of
 * runs among them: of all their schedulers one gets a slot.
 * @throws TypeError, RangeError
 */
export function createSqliteScheduleStore(options: SqliteScheduleStoreOptions): SqliteScheduleStore {
  checkKnownKeys('createSqliteScheduleStore', options, ['file', 'maxSlots', 'busyTimeoutMs']);
  const file = resolve(checkString('file', options.file));
  const maxSlots = checkMaxSlots(options.maxSlots);
  const busyTimeoutMs = checkDurationMs('busyTimeoutMs', options.busyTimeoutMs ?? 5_000);
  const subject = subjectOf(file);
  const handle = createStoreHandle(subject, () =>
    openStoreFile({ file, subject, busyTimeoutMs, host: undefined }),
  );
  return { ...createScheduleStoreIn(handle, file, maxSlots), ...createUpkeep(subject, handle) };
}

/** @throws TypeError, RangeError */
export function checkMaxSlots(maxSlots = 10_000): number {
  return checkInteger('maxSlots', maxSlots, { min: 1_000 });
}

export function createScheduleStoreIn(handle: StoreHandle, path: string, maxSlots: number): ScheduleStore {
  const subject = subjectOf(path);
  const read = <T>(work: (sql: Statements) => T): Promise<T> =>
    inWordsOf(subject, async () => work((await handle.open()).sql));
  const write = <T>(work: (sql: Statements) => T): Promise<T> =>
    inWordsOf(subject, async () => {
      const { commits, sql } = await handle.open();
      return commits.run(() => work(sql));
    });
  return {
    async save(record) {
      const row = toScheduleRow(record);
      await write((sql) => saveSchedule(sql, row));
    },
    load: (id) => read((sql) => loadSchedule(sql, id)),
    list: () => read(listSchedules),
    async update(id, changes) {
      const copy = structuredClone(changes);
      await write((sql) => updateSchedule(sql, id, copy));
    },
    remove: (id) => write((sql) => removeSchedule(sql, id)),
    claimSlot: (id, nominalAt) => write((sql) => claimSlot(sql, id, nominalAt, maxSlots)),
  };
}

function subjectOf(path: string): string {
  return `The schedule store ${path}`;
}
