import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, hasCode, type Logger, sleep } from '@pawl/core';
import { isFinal, type Run, type RunTracker } from '@pawl/tasks';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';

/** Runs that are remembered of a schedule. */
const MAX_RUNS = 30;
/** From one write to the next: with many schedules the file is long. */
const WRITE_EVERY_MS = 500;

/** Which runs a schedule had: their ids, in a file of its own; the runs themselves are in the store. */
export interface ScheduleHistory {
  /** Reads what an earlier life of the service left. A file that can't be read is logged and begun anew. */
  load(): Promise<void>;
  note(scheduleId: string, runId: string): void;
  /** The latest first. Those whose run was removed are forgotten. */
  runs(scheduleId: string): Promise<readonly Run[]>;
  forget(scheduleId: string): void;
  /** Resolves when all is written that was noted; for the end. */
  flush(): Promise<void>;
}

export interface ScheduleHistoryOptions {
  /** Absent: nothing outlives the process. */
  readonly file: string | undefined;
  readonly tracker: Pick<RunTracker, 'get'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const stored = z.record(z.string(), z.array(z.string()));

export function createScheduleHistory({
  file,
  tracker,
  clock,
  logger,
}: ScheduleHistoryOptions): ScheduleHistory {
  /** The latest run first. */
  const ids = new Map<string, readonly string[]>();
  /** Runs that won't change any more. */
  const ended = new Map<string, Run>();
  const hurry = new AbortController();
  let isDirty = false;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    if (file === undefined) return;
    try {
      await mkdir(dirname(file), { recursive: true });
      while (isDirty) {
        isDirty = false;
        await writeFileAtomic(file, JSON.stringify(Object.fromEntries(ids)), { mode: 0o600 });
        await sleep(clock, WRITE_EVERY_MS, { signal: hurry.signal, keepAlive: false }).catch(() => undefined);
      }
    } catch (error) {
      logger.warn({ err: error, file }, 'Which runs belong to which schedule could not be written down.');
    } finally {
      writing = undefined;
    }
  }

  /** What changes while a write is under way is written by the next. */
  function changed(): void {
    isDirty = true;
    writing ??= write();
  }

  function set(scheduleId: string, runIds: readonly string[]): void {
    for (const id of ids.get(scheduleId) ?? []) if (!runIds.includes(id)) ended.delete(id);
    if (runIds.length === 0) ids.delete(scheduleId);
    else ids.set(scheduleId, runIds);
    changed();
  }

  return {
    async load() {
      if (file === undefined) return;
      try {
        const content = stored.parse(JSON.parse(await readFile(file, 'utf8')));
        for (const [scheduleId, runIds] of Object.entries(content)) ids.set(scheduleId, runIds);
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) logger.warn({ err: error, file }, `${file} can't be used.`);
      }
    },
    note(scheduleId, runId) {
      const known = ids.get(scheduleId) ?? [];
      // A slot that is asked for twice has one run.
      if (!known.includes(runId)) set(scheduleId, [runId, ...known].slice(0, MAX_RUNS));
    },
    async runs(scheduleId) {
      const known = ids.get(scheduleId) ?? [];
      const found = await Promise.all(known.map(async (id) => ended.get(id) ?? tracker.get(id)));
      const runs = found.filter((run) => run !== undefined);
      for (const run of runs) if (isFinal(run.state)) ended.set(run.id, run);
      if (runs.length < known.length && ids.get(scheduleId) === known) {
        set(
          scheduleId,
          runs.map(({ id }) => id),
        );
      }
      return runs;
    },
    forget: (scheduleId) => set(scheduleId, []),
    async flush() {
      hurry.abort();
      await writing;
    },
  };
}
