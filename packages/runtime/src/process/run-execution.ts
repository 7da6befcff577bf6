import { ConnectionClosedError, errorCodes, type OpenCall, RemoteError, WithdrawnError } from '@pawl/ipc';
import type { FailureCause } from '../events.ts';
import { keepStack } from './health-checks.ts';
import type { PoolEmitter } from './pool-emitter.ts';
import { RunTimeoutError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import type { PoolRun, RunAnswers } from './pool-run.ts';
import { withCode } from './run-faults.ts';
import { createRunGiveUp } from './run-give-up.ts';
import type { RunLedger } from './run-ledger.ts';
import { runParams, tellCaller } from './run-messages.ts';
import { createRunRecall } from './run-recall.ts';
import { createRunTimeouts } from './run-timeouts.ts';
import type { WaitingLine } from './waiting-line.ts';
import type { WorkerSet } from './worker-set.ts';
import type { Slot } from './worker-slot.ts';

export interface RunExecutionOptions {
  readonly pool: ResolvedPoolOptions;
  readonly emitter: PoolEmitter;
  readonly ledger: RunLedger;
  readonly line: WaitingLine;
  readonly workers: WorkerSet;
  /** The worker is done with a run that it executed for `tookMs`. */
  readonly onAnswered: (run: PoolRun, slot: Slot, tookMs: number) => void;
  /** A worker has fewer runs than before, or may give some back. */
  readonly onRoom: (slot: Slot, now?: number) => void;
  /** How many workers may count. */
  readonly maxWorkers: () => number;
}

/** What happens to a run between the worker that is chosen for it and its end. */
export interface RunExecution {
  /** Sends it to a worker that has room. */
  send(run: PoolRun, slot: Slot, now: number): void;
  /** Lets its time run from now on. */
  startTimeout(run: PoolRun, now: number): void;
  /** Answers the caller now, wherever the run stands; a worker that executes it gets its grace. */
  giveUp(run: PoolRun, cause: FailureCause, error: unknown): void;
  /** Asks a worker for the runs that were sent ahead to it: nothing is sent ahead again before its next answer. */
  recall(slot: Slot): void;
  /** The worker is gone: what was sent ahead waits again. */
  abandon(slot: Slot): void;
  stop(): void;
}

/** Of a run whose input can't be sent. No request has this id. */
const NOT_SENT: OpenCall = { id: 0, cancel: () => undefined };

export function createRunExecution(options: RunExecutionOptions): RunExecution {
  const { pool, emitter, ledger, line, workers, onRoom } = options;
  const { clock, logger } = pool;
  const timeouts = createRunTimeouts({
    clock,
    onNear(run) {
      if (run.slot !== undefined && run.hasBegun) void keepStack(run, run.slot);
    },
    onDue: (run) => giveUps.giveUp(run, 'timed-out', new RunTimeoutError(run, run.timeoutMs)),
  });
  const recall = createRunRecall((run, slot) => begin(run, slot, clock.now()));
  const giveUps = createRunGiveUp({ ...options, timeouts, recall });

  function begin(run: PoolRun, slot: Slot, now: number): void {
    ledger.begin(run, now);
    if (run.timeoutFrom === 'start') timeouts.start(run, now);
    if (!emitter.hears['run:started']) return;
    // Last, because a listener may cancel the run.
    emitter.emit('run:started', {
      runId: run.runId,
      task: run.task,
      attempt: run.attempt,
      workerId: slot.worker.id,
      queuedMs: now - run.submittedAt,
    });
  }

  /** A run that was sent ahead moves up. */
  function moveUp(run: PoolRun, slot: Slot, now: number): void {
    if (run.settled) giveUps.endWithGrace(run, slot);
    // One that the worker was asked for may be on its way back.
    else if (!run.isRecalled) begin(run, slot, now);
  }

  function answered(run: PoolRun, call: OpenCall, value: unknown): void {
    const { slot } = run;
    if (run.call !== call || slot === undefined) return;
    const now = clock.now();
    closeCall(run, slot, now);
    if (isOutputWanted(run)) {
      afterOutput(slot, (then) => {
        ledger.succeed(run, value, then);
        release(run, slot, true, then);
      });
      return;
    }
    ledger.succeed(run, value, now);
    release(run, slot, true, now);
  }

  function refused(run: PoolRun, call: OpenCall, error: unknown): void {
    const { slot } = run;
    if (run.call !== call || slot === undefined) return;
    if (error instanceof WithdrawnError) takeBack(run, slot);
    else if (error instanceof ConnectionClosedError) {
      // The worker's end tells more than its closed connection does; but what had not begun need not wait for it.
      if (slot.ahead.includes(run)) takeBack(run, slot);
    } else failed(run, slot, error);
  }

  const answers: RunAnswers = {
    answered,
    refused(run, call, error) {
      if (error instanceof RemoteError) refused(run, call, error);
      // Of what ends many runs at once all are told first.
      else queueMicrotask(() => refused(run, call, error));
    },
    notified(run, method, params) {
      try {
        tellCaller(run, method, params);
      } catch (error) {
        logger.error({ err: error, method }, 'A callback of a run failed.');
      }
    },
  };

  function failed(run: PoolRun, slot: Slot, error: unknown): void {
    const answeredAt = clock.now();
    closeCall(run, slot, answeredAt);
    // That it ends when it is asked to is no fault of the worker.
    const isWell = run.settled;
    // The worker has a clock, too, and may be the first to see that the time is up.
    const isLate = error instanceof RemoteError && error.rpcCode === errorCodes.budgetExceeded;
    const settle = (now: number): void => {
      if (isLate) ledger.fail(run, 'timed-out', new RunTimeoutError(run, run.timeoutMs));
      else ledger.fail(run, 'failed', withCode(error));
      release(run, slot, isWell, now);
    };
    if (isOutputWanted(run)) afterOutput(slot, settle);
    else settle(answeredAt);
  }

  /** Its answer is here, so neither a timeout nor the end of its worker matters any more. */
  function closeCall(run: PoolRun, slot: Slot, now: number): void {
    run.call = undefined;
    if (!run.hasBegun && !run.settled) begin(run, slot, now);
    timeouts.remove(run);
  }

  function isOutputWanted(run: PoolRun): boolean {
    return run.isAlone || emitter.hears['worker:output'];
  }

  /** What a run printed before its answer comes before it. */
  function afterOutput(slot: Slot, then: (now: number) => void): void {
    void slot.worker.settleOutput().then(() => then(clock.now()));
  }

  /** Its worker is done with it. */
  function release(run: PoolRun, slot: Slot, isWell: boolean, now: number): void {
    if (run.slot !== slot) return;
    slot.answered += 1;
    slot.stalled = false;
    slot.health.noteRunEnded(isWell, now);
    slot.worker.countRun();
    options.onAnswered(run, slot, now - slot.busySince);
    slot.busySince = now;
    leave(run, slot, now);
    onRoom(slot, now);
  }

  function leave(run: PoolRun, slot: Slot, now: number): void {
    const next = slot.remove(run);
    const wasGivenUp = run.graceTimer !== undefined;
    if (wasGivenUp) {
      giveUps.returned(run, slot);
      tellReleased(run, slot);
    }
    if (next !== undefined) moveUp(next, slot, now);
    if (slot.load === 0) workers.checkIn(slot, wasGivenUp);
    else giveUps.endIfAllGivenUp(slot);
  }

  function tellReleased({ runId, task }: PoolRun, slot: Slot): void {
    emitter.emit('run:released', { runId, task, workerId: slot.worker.id });
  }

  /** It did not begin: it waits again, as if it had never been sent, unless its caller has been answered. */
  function takeBack(run: PoolRun, slot: Slot): void {
    run.call = undefined;
    run.isRecalled = false;
    slot.runsLeft += 1;
    if (run.timeoutFrom === 'start') timeouts.remove(run);
    if (run.hasBegun && !run.settled) ledger.unbegin(run);
    leave(run, slot, clock.now());
    if (!run.settled) line.restore(run);
    onRoom(slot);
  }

  function ask(run: PoolRun, slot: Slot, now: number): OpenCall {
    try {
      return slot.worker.call(runParams(run, now), run);
    } catch (error) {
      queueMicrotask(() => refused(run, NOT_SENT, error));
      return NOT_SENT;
    }
  }

  return {
    send(run, slot, now) {
      if (slot.load === 0) {
        workers.checkOut(slot);
        slot.busySince = now;
      }
      const begins = slot.add(run);
      run.answers = answers;
      run.call = ask(run, slot, now);
      if (begins) begin(run, slot, now);
      else line.takeTurn(run, now);
    },
    startTimeout: (run, now) => timeouts.start(run, now),
    giveUp: (run, cause, error) => giveUps.giveUp(run, cause, error),
    recall,
    abandon(slot) {
      for (const run of slot.ahead.splice(0)) {
        run.slot = undefined;
        run.call = undefined;
        run.isRecalled = false;
        if (!run.settled) line.restore(run);
      }
      for (const run of slot.executing) {
        timeouts.remove(run);
        if (run.graceTimer === undefined) continue;
        run.graceTimer.cancel();
        tellReleased(run, slot);
      }
    },
    stop: () => timeouts.stop(),
  };
}
