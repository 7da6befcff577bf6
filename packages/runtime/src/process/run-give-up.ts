import { showValue } from '@pawl/core';
import type { FailureCause } from '../events.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun } from './pool-run.ts';
import type { RunLedger } from './run-ledger.ts';
import type { RunTimeouts } from './run-timeouts.ts';
import type { WaitingLine } from './waiting-line.ts';
import type { WorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';

export interface RunGiveUpOptions {
  readonly pool: ResolvedPoolOptions;
  readonly ledger: RunLedger;
  readonly line: WaitingLine;
  readonly workers: WorkerSet;
  readonly timeouts: RunTimeouts;
  /** How many workers may count. */
  readonly maxWorkers: () => number;
  /** What waits in the worker of a run that was given up is better off elsewhere. */
  readonly recall: (slot: Slot) => void;
  /** Whether a worker takes runs may have changed. */
  readonly onRoom: (slot: Slot) => void;
}

/**
 * What becomes of runs that nobody waits for any more, and of their workers:
 *
 * ```text
 * answered at once ─▶ its task is asked to end ─▶ cancelGraceMs ─▶ its worker takes no more, and is ended
 * ```
 *
 * Neighbours of the run in its worker may finish first, unless it keeps their thread to itself.
 */
export interface RunGiveUp {
  /** Answers the caller now, wherever the run stands; a worker that executes it gets its grace. */
  giveUp(run: PoolRun, cause: FailureCause, error: unknown): void;
  /** It was given up while it was sent ahead, and its worker has begun it after all. */
  endWithGrace(run: PoolRun, slot: Slot): void;
  /** Its worker is done with it within the grace. */
  returned(run: PoolRun, slot: Slot): void;
  /** Ends a worker whose runs are all given up, and whose grace is over. */
  endIfAllGivenUp(slot: Slot): boolean;
}

/** A main loop that was blocked for so long, or does not say that it was not, is stuck, in milliseconds. */
const STUCK_MS = 1_000;

export function createRunGiveUp(options: RunGiveUpOptions): RunGiveUp {
  const { pool, ledger, line, workers, timeouts } = options;
  const { clock, cancelGraceMs } = pool;

  /** Asks a task to end. Its worker no longer counts, and is ended unless it comes back within the grace. */
  function endWithGrace(run: PoolRun, slot: Slot): void {
    if (run.graceTimer !== undefined || run.call === undefined) return;
    slot.givenUp += 1;
    workers.recount();
    run.graceTimer = clock.setTimer(cancelGraceMs, () => outOfGrace(run, slot));
    run.call.cancel(run.giveUpReason, cancelGraceMs);
    if (slot.ahead.length > 0) options.recall(slot);
    options.onRoom(slot);
  }

  /** It takes no more runs and no longer counts. */
  function close(slot: Slot): void {
    slot.closing = 'cancelled-run';
    workers.recount();
  }

  function outOfGrace(run: PoolRun, slot: Slot): void {
    if (slot.state !== 'busy' || run.slot !== slot) return;
    close(slot);
    options.onRoom(slot);
    if (endIfAllGivenUp(slot)) return;
    slot.worker.ping({ timeoutMs: STUCK_MS }).then(
      ({ lagMs = 0 }) => {
        if (lagMs >= STUCK_MS) workers.retire(slot, 'cancelled-run', 0);
        else if (run.slot === slot) run.graceTimer = clock.setTimer(STUCK_MS, () => outOfGrace(run, slot));
      },
      () => workers.retire(slot, 'cancelled-run', 0),
    );
  }

  function endIfAllGivenUp(slot: Slot): boolean {
    if (slot.closing !== 'cancelled-run' || slot.executing.length > slot.givenUp) return false;
    workers.retire(slot, 'cancelled-run', 0);
    return true;
  }

  return {
    giveUp(run, cause, error) {
      if (run.settled) return;
      const { slot, call } = run;
      line.leave(run);
      timeouts.remove(run);
      ledger.fail(run, cause, error);
      if (slot === undefined || call === undefined) return;
      run.giveUpReason = reasonText(error);
      if (slot.executing.includes(run)) endWithGrace(run, slot);
      // If it has begun meanwhile, it moves up and is ended then.
      else void slot.worker.withdraw([call]);
    },
    endWithGrace,
    returned(run, slot) {
      run.graceTimer?.cancel();
      run.graceTimer = undefined;
      slot.givenUp -= 1;
      workers.recount();
      // It had lost all its places, and another was started for it.
      if (slot.load > 0 && workers.size > options.maxWorkers()) close(slot);
    },
    endIfAllGivenUp,
  };
}

/** A cancel's reason as the task is told it. */
function reasonText(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === 'string' ? reason : showValue(reason);
}
