import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scheduleStoreContract } from '@pawl/tasks/testing';
import { afterAll, describe, it, onTestFinished } from 'vitest';
import { createSqliteScheduleStore, createSqliteStore } from './index.ts';

// The contract is not about disks, and thousands of commits on a busy one take a while.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const nextFile = (): string => join(folder, `${(files += 1)}.db`);

describe('createSqliteScheduleStore keeps the contract of a schedule store', () => {
  const create = () => {
    const store = createSqliteScheduleStore({ file: nextFile() });
    onTestFinished(() => store.close());
    return store;
  };
  for (const { title, run } of scheduleStoreContract(create)) it(title, run);
});

describe('the schedules of createSqliteStore keep the contract of a schedule store', () => {
  const create = () => {
    const store = createSqliteStore({ file: nextFile() });
    onTestFinished(() => store.close());
    return store.schedules;
  };
  for (const { title, run } of scheduleStoreContract(create)) it(title, run);
});
