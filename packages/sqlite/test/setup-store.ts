import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunStore, ScheduleRecord } from '@pawl/tasks';
import { sampleHost } from '@pawl/tasks/testing';
import { onTestFinished } from 'vitest';
import { createSqliteRunStore, type SqliteRunStore, type SqliteRunStoreOptions } from '../src/index.ts';

/** An empty folder that is removed when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-sqlite-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A run store that is closed when the test is over. */
export function setupStore(options: Partial<SqliteRunStoreOptions> = {}): {
  readonly file: string;
  readonly store: SqliteRunStore;
} {
  const file = options.file ?? join(tempFolder(), 'runs.db');
  const store = createSqliteRunStore({ ...options, file });
  onTestFinished(() => store.close());
  return { file, store };
}

export async function openFor(store: RunStore, host = 'host-1'): Promise<void> {
  await store.open({ host: sampleHost(host), maxPerKey: 1 });
}

/** A schedule that is new. */
export function recordOf(id: string): ScheduleRecord {
  return {
    schedule: { id, cron: '0 6 * * *' },
    state: {
      createdAt: 1,
      handledUntil: 0,
      lastSlotAt: null,
      lastEndedAt: null,
      runs: 0,
      failuresInARow: 0,
      pause: null,
      skipFrom: null,
    },
  };
}
