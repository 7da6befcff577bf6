import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createEventMonitor, type EventMonitor } from '@pawl/core/testing';
import { onTestFinished } from 'vitest';
import { createPool, type PoolEvents, type PoolOptions, type ProcessPool } from '../src/index.ts';

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

/** What a promise is rejected with. */
export async function failureOf<Fault = Error & Record<string, unknown>>(
  promise: Promise<unknown>,
): Promise<Fault> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('error' in result) return result.error as Fault;
  throw new Error(`It was expected to fail, and gave ${JSON.stringify(result.value)}.`);
}

/** Whether a process lives. A zombie is dead: PID 1 of a container may never reap it. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Waits for processes that are not ours to be told of. @throws when one still lives after `withinMs` */
export async function untilGone(pids: readonly number[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (pids.some(isAlive)) {
    if (performance.now() > deadline) throw new Error(`Still alive: ${pids.filter(isAlive).join(', ')}.`);
    await wait(10);
  }
}

/** Ends a process that a test let loose on purpose. */
export function endAtLast(pid: number): void {
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
}
