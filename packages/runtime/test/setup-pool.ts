import { createEventMonitor, type EventMonitor } from '@pawl/core/testing';
import { onTestFinished } from 'vitest';
import { createPool, type PoolEvents, type PoolOptions, type ProcessPool } from '../src/index.ts';

export { endAtLast, failureOf, isAlive, untilGone } from './setup-process.ts';

export const TASKS: URL = new URL('fixtures/tasks.mjs', import.meta.url);

export interface PoolSetup {
  readonly pool: ProcessPool;
  readonly events: EventMonitor<PoolEvents>;
}

/** A pool of one worker with short graces, stopped when the test is over. */
export function setup(options: Partial<PoolOptions> = {}): PoolSetup {
  const pool = createPool({
    worker: TASKS,
    minWorkers: 0,
    maxWorkers: 1,
    cancelGraceMs: 150,
    killGraceMs: 150,
    ...options,
  });
  const events = createEventMonitor(pool);
  onTestFinished(async () => {
    events[Symbol.dispose]();
    await pool.stop({ graceMs: 0 });
  });
  return { pool, events };
}
