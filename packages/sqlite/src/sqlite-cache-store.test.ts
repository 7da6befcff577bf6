import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeContract, type StoreLimits } from '@pawl/caching/testing';
import { afterAll, describe, it, onTestFinished } from 'vitest';
import { createSqliteCacheStore, createSqliteStore } from './index.ts';

// The contract is not about disks, and thousands of commits on a busy one take a while.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pawl-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const nextFile = (): string => join(folder, `${(files += 1)}.db`);

describe('createSqliteCacheStore keeps the contract of a cache store', () => {
  const create = (limits: StoreLimits) => {
    const store = createSqliteCacheStore({ file: nextFile(), ...limits });
    onTestFinished(() => store.close());
    return store;
  };
  for (const { title, run } of storeContract(create)) it(title, run);
});

describe('the cache of createSqliteStore keeps the contract of a cache store', () => {
  const create = (limits: StoreLimits) => {
    const store = createSqliteStore({ file: nextFile(), cache: limits });
    onTestFinished(() => store.close());
    return store.cache;
  };
  for (const { title, run } of storeContract(create)) it(title, run);
});
