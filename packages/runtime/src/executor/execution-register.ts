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

/**
 * What the map holds in place of a run, which is taken out of it at the end: a Map that goes on for long leaves its old
 * tables behind, with all that was in them, until the next full garbage collection.
 */
interface Entry {
  execution: Execution | undefined;
}

export function createExecutionRegister(clock: Clock): ExecutionRegister {
  const counts = createExecutionCounts();
  const entries = new Map<string, Entry>();
  const idlers = new Set<() => void>();
  const running = (): readonly Execution[] =>
    [...entries.values()].map(({ execution }) => execution).filter((execution) => execution !== undefined);
  return {
    get: (runId) => entries.get(runId)?.execution,
    begin: (execution) => void entries.set(execution.runId, { execution }),
    end({ runId }, outcome) {
      const entry = entries.get(runId);
      if (entry !== undefined) entry.execution = undefined;
      entries.delete(runId);
      counts.add(outcome);
      if (entries.size === 0) for (const idle of idlers) idle();
    },
    async whenIdle(graceMs) {
      if (entries.size === 0) return;
      const idle = createDeferred();
      idlers.add(idle.resolve);
      const timer = clock.setTimer(graceMs, idle.resolve);
      await idle.promise;
      timer.cancel();
      idlers.delete(idle.resolve);
    },
    running,
    stats: () => counts.stats(running()),
  };
}
