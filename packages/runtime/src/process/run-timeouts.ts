import type { Clock } from '@pawl/core';
import { createDeadlines } from '../scheduling/deadlines.ts';
import type { PoolRun } from './pool-run.ts';

export interface RunTimeoutsOptions {
  readonly clock: Clock;
  /** Most of its time is over: the last chance to find out where it is. */
  readonly onNear: (run: PoolRun) => void;
  readonly onDue: (run: PoolRun) => void;
}

/** The time limits of runs, and shortly before each the moment to look what is wrong. */
export interface RunTimeouts {
  /** Its time runs from now on. */
  start(run: PoolRun, now: number): void;
  remove(run: PoolRun): void;
  stop(): void;
}

/** Of its time, when a run is near its end. */
const NEAR_SHARE = 0.8;
/** Less time than this between near and due is no time to learn anything, in milliseconds. */
const SHORTEST_LOOK_MS = 10;

export function createRunTimeouts(options: RunTimeoutsOptions): RunTimeouts {
  const deadlines = createDeadlines<PoolRun>({
    clock: options.clock,
    keepAlive: false,
    onDue(run) {
      if (run.dueAt >= run.endsAt) {
        options.onDue(run);
        return;
      }
      run.dueAt = run.endsAt;
      deadlines.add(run);
      options.onNear(run);
    },
  });
  return {
    start(run, now) {
      const { timeoutMs } = run;
      if (timeoutMs === Infinity) return;
      run.endsAt = now + timeoutMs;
      const nearMs = timeoutMs * NEAR_SHARE;
      run.dueAt = timeoutMs - nearMs < SHORTEST_LOOK_MS ? run.endsAt : now + nearMs;
      deadlines.add(run);
    },
    remove: (run) => deadlines.remove(run),
    stop: () => deadlines.stop(),
  };
}
