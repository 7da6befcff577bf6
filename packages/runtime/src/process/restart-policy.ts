import { type Clock, type Random, systemRandom, type Timer } from '@pawl/core';
import { type Backoff, exponentialBackoff, type Jitter } from '@pawl/resilience';
import { CrashLoopError, type CrashLoopParties } from './pool-errors.ts';
import { createRestartBudget } from './restart-budget.ts';

/** A worker that did not become ready, or one that died while it had nothing to do. */
export type WorkerFault = 'start' | 'idle';

export interface RestartPolicyOptions {
  readonly maxRestarts: number;
  readonly withinMs: number;
  /** @default 100 ms, doubled up to 5 s */
  readonly backoff?: Backoff;
  /** @default none */
  readonly jitter?: Jitter | undefined;
  /** @default systemRandom */
  readonly random?: Random;
  /** Who fails, and who starts it, for the error of a crash loop. @default workers and the pool */
  readonly who?: CrashLoopParties;
  readonly clock: Clock;
  /** The budget was spent by this failure. */
  readonly onCrashLoop: (error: CrashLoopError, failures: number) => void;
}

/** Whether and when workers may be started, after some have failed. */
export interface RestartPolicy {
  /** Grows with each failure that counts. A worker is given the one of its start. */
  readonly generation: number;
  /**
   * Notes that a worker of that generation failed. Workers that were started before the last failure that counted do
   * not count again: ten that fail together are one failure, ten one after another are ten.
   */
  noteFailure(fault: WorkerFault, generation: number, error: Error): void;
  /** A worker became ready. */
  noteReady(): void;
  /** Whether none may be started now. */
  readonly isBlocked: boolean;
  /** Whether one is to be tried before all are. */
  readonly onProbation: boolean;
  /** Why none may be started now, counted from now. */
  readonly crashLoop: CrashLoopError | undefined;
  /**
   * How long to wait before the next start, in milliseconds: the backoff, or until the loop may be probed.
   * @param failures in a row of the one that is to be started. @default those of all
   */
  delayMs(failures?: number): number;
  /** Calls `fn` when the next start may be tried; a later call replaces it. Does not keep the process running. */
  retryLater(fn: () => void): void;
  cancelRetry(): void;
}

/** A backoff between starts that nobody asked for, and a budget for all of them. */
export function createRestartPolicy(options: RestartPolicyOptions): RestartPolicy {
  const { clock, withinMs } = options;
  const budget = createRestartBudget(options.maxRestarts, withinMs, clock);
  const backoff = options.backoff ?? exponentialBackoff({ initialMs: 100, maxMs: 5_000 });
  const random = options.random ?? systemRandom;
  let generation = 0;
  let failuresInRow = 0;
  let last: { readonly fault: WorkerFault; readonly error: Error } | undefined;
  let retry: Timer | undefined;
  let previousDelayMs: number | undefined;

  const describe = (): CrashLoopError =>
    new CrashLoopError(failuresInRow, withinMs, budget.retryAfterMs, last?.error, options.who);

  const policy: RestartPolicy = {
    get generation() {
      return generation;
    },
    noteFailure(fault, bornIn, error) {
      failuresInRow += 1;
      last = { fault, error };
      if (bornIn < generation) return;
      generation += 1;
      if (budget.spend()) options.onCrashLoop(describe(), failuresInRow);
    },
    noteReady() {
      // To start well says nothing of a worker that starts well and dies: those deaths are forgotten with time only.
      if (last?.fault === 'idle' && !budget.onProbation) return;
      failuresInRow = 0;
      budget.reset();
    },
    get isBlocked() {
      return budget.spent;
    },
    get onProbation() {
      return budget.onProbation;
    },
    get crashLoop() {
      return budget.spent ? describe() : undefined;
    },
    delayMs(failures = failuresInRow) {
      if (budget.spent) return budget.retryAfterMs;
      const delayMs = backoff(Math.max(1, failures), { previousDelayMs, random });
      previousDelayMs = options.jitter?.(delayMs, random) ?? delayMs;
      return previousDelayMs;
    },
    retryLater(fn) {
      retry?.cancel();
      const delayMs = policy.delayMs();
      // A timer may be early by a trifle.
      const due = (): void => (budget.spent ? policy.retryLater(fn) : fn());
      retry = clock.setTimer(delayMs, due, { keepAlive: false });
    },
    cancelRetry: () => retry?.cancel(),
  };
  return policy;
}
