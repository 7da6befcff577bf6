import { type Clock, createDeferred } from '@pawl/core';
import type { Execution } from './execution.ts';
import { createExecutionCounts, type ExecutorStats } from './execution-counts.ts';
import type { Outcome } from './outcome.ts';

/** The runs under way and what became of the others: every run is in one of the two, at every moment. */
export interface ExecutionRegister {
  get(runId: string): Execution | undefined;
  begin(execution: Execution): void;
  end(execution: Execution, outcome: Outcome): void;
  /** Resolves when no run is under way, or after `graceMs`. */
  whenIdle(graceMs: number): Promise<void>;
  running(): readonly Execution[];
  stats(): ExecutorStats;
}

export function createExecutionRegister(clock: Clock): ExecutionRegister {
  const counts = createExecutionCounts();
  const running = new Map<string, Execution>();
  const idlers = new Set<() => void>();
  return {
    get: (runId) => running.get(runId),
    begin: (execution) => void running.set(execution.runId, execution),
    end(execution, outcome) {
      running.delete(execution.runId);
      counts.add(outcome);
      if (running.size === 0) for (const idle of idlers) idle();
    },
    async whenIdle(graceMs) {
      if (running.size === 0) return;
      const idle = createDeferred();
      idlers.add(idle.resolve);
      const timer = clock.setTimer(graceMs, idle.resolve);
      await idle.promise;
      timer.cancel();
      idlers.delete(idle.resolve);
    },
    running: () => [...running.values()],
    stats: () => counts.stats(running.values()),
  };
}
