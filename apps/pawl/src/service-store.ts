import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSqliteStore, type IntegrityReport } from '@pawl/sqlite';
import { createMemoryRunStore, createMemoryScheduleStore } from '@pawl/tasks';
import type { RunStore, ScheduleStore } from '@pawl/tasks';
import type { Config } from './config.ts';

/** Where the service keeps runs and schedules. */
export interface ServiceStore {
  readonly kind: 'sqlite' | 'memory';
  /** The database; undefined in memory. */
  readonly file: string | undefined;
  readonly runs: RunStore;
  readonly schedules: ScheduleStore;
  /** Where the output of runs is kept; in a temporary place where the runs are in memory. */
  readonly logsFolder: string;
  /** Takes the file for this process. @throws StoreLockedError naming who has it; RunStoreError */
  open(): Promise<void>;
  /** Reads the whole file; this process stands still meanwhile. */
  integrity(): Promise<IntegrityReport>;
  /** The last thing a service does. Twice is fine. */
  close(): Promise<void>;
}

export function createServiceStore({ store, dataDir }: Pick<Config, 'store' | 'dataDir'>): ServiceStore {
  if (store === 'memory') {
    const logsFolder = mkdtempSync(join(tmpdir(), 'pawl-logs-'));
    return {
      kind: 'memory',
      file: undefined,
      runs: createMemoryRunStore(),
      schedules: createMemoryScheduleStore(),
      logsFolder,
      open: () => Promise.resolve(),
      integrity: () => Promise.resolve({ ok: true, problems: [] }),
      close: () => rm(logsFolder, { recursive: true, force: true }),
    };
  }
  const file = join(dataDir, 'pawl.db');
  const sqlite = createSqliteStore({ file });
  return {
    kind: 'sqlite',
    file,
    runs: sqlite.runs,
    schedules: sqlite.schedules,
    logsFolder: join(dataDir, 'logs'),
    // Any question opens it.
    open: async () => void (await sqlite.schedules.list()),
    integrity: () => sqlite.integrity(),
    close: () => sqlite.close(),
  };
}
