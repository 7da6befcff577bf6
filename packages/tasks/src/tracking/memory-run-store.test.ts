import { describe, it } from 'vitest';
import { runStoreContract } from '../testing/index.ts';
import { createMemoryRunStore } from './memory-run-store.ts';

describe('createMemoryRunStore keeps the contract of a run store', () => {
  for (const { title, run } of runStoreContract(() => createMemoryRunStore())) it(title, run);
});
