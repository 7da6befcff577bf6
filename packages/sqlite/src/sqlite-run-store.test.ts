import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStoreContract } from '@pawl/tasks/testing';
import { afterAll, describe, it } from 'vitest';
import { createSqliteRunStore } from './index.ts';

describe('createSqliteRunStore keeps the contract of a run store', () => {
  // The contract is not about disks, and thousands of commits on a busy one take a while.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-sqlite-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let files = 0;
  const create = () => createSqliteRunStore({ file: join(folder, `${(files += 1)}.db`) });
  for (const { title, run } of runStoreContract(create)) it(title, run);
});
