import { type Clock, hasCode, onAbort, PawlError, untilAborted } from '@pawl/core';
import { fixedBackoff, retry } from '@pawl/resilience';
import type { FireSlot, Run, RunTracker, SlotRun } from '@pawl/tasks';
import type { RunRequest } from '../api/run-schemas.ts';

/** The run of a slot did not succeed. */
class ScheduledRunError extends PawlError {
  declare readonly code: 'SCHEDULED_RUN_ENDED';
  readonly runId: string;

  constructor({ id, state, error }: Run) {
    super(`Run ${id} ended ${state}${error === undefined ? '' : `: ${error.message}`}.`, {
      code: 'SCHEDULED_RUN_ENDED',
    });
    this.runId = id;
  }
}

export interface SlotSubmissionOptions {
  readonly tracker: Pick<RunTracker, 'wait' | 'cancel'>;
  /** @throws when the request is refused */
  readonly submit: (request: RunRequest, slot: SlotRun) => Promise<string>;
  /** Whether runs of this schedule may go on beside each other. */
  readonly mayOverlap: (scheduleId: string) => boolean;
  /** The run of a slot is stored. */
  readonly onSubmitted: (slot: SlotRun) => void;
  /** As many runs are queued as may be: the slot is claimed and waits. */
  readonly onHeld: (slot: SlotRun) => void;
  /** The request of a slot was refused. */
  readonly onRefused: (slot: SlotRun, error: unknown) => void;
  readonly clock: Clock;
}

/** How soon a slot asks again that found the queue full. */
const ASK_AGAIN = fixedBackoff(1_000);

/**
 * Gives each slot a tracked run, and waits for its end. The identity of the slot is the idempotency key: however often
 * it is asked for, before and after a crash, it is one run.
 */
export function createSlotSubmission(options: SlotSubmissionOptions): FireSlot {
  const { tracker, mayOverlap } = options;

  async function submit(slot: SlotRun): Promise<string> {
    const request = slot.payload as RunRequest;
    // A run that a crash interrupted goes on, and the scheduler does not know it: the key keeps the next one waiting.
    const isApart = slot.trigger === 'backfill' || mayOverlap(slot.scheduleId);
    const key = request.key ?? (isApart ? undefined : `schedule:${slot.scheduleId}`);
    try {
      const named = { ...request, idempotencyKey: slot.key, ...(key === undefined ? {} : { key }) };
      const runId = await submitWithRoom(named, slot);
      options.onSubmitted(slot);
      return runId;
    } catch (error) {
      options.onRefused(slot, error);
      throw error;
    }
  }

  /** Somebody waits for a manual run; every other asks until there is room, or until a later one supersedes it. */
  async function submitWithRoom(request: RunRequest, slot: SlotRun): Promise<string> {
    if (slot.trigger === 'manual') return options.submit(request, slot);
    /** The attempt that is under way. */
    let attempt: Promise<string> | undefined;
    const persistence = retry({
      maxAttempts: Infinity,
      backoff: ASK_AGAIN,
      jitter: false,
      shouldRetry: (error) => hasCode(error, 'RUN_QUEUE_FULL'),
      clock: options.clock,
      onRetry() {
        attempt = undefined;
        options.onHeld(slot);
      },
    });
    try {
      return await persistence.execute(() => (attempt = options.submit(request, slot)), {
        signal: slot.signal,
      });
    } catch (error) {
      if (attempt === undefined || !slot.signal.aborted) throw error;
      // It may have been stored at the last moment: whoever aborted decides what becomes of it.
      return attempt;
    }
  }

  return async (slot) => {
    const runId = await submit(slot);
    const stopped = new AbortController();
    const unlink = onAbort(slot.signal, (reason) => {
      // The tracker keeps what runs when the service stops; what a later slot supersedes is ended.
      if (hasCode(reason, 'SCHEDULER_STOPPED')) stopped.abort(reason);
      else
        void tracker
          .cancel(runId, { reason: reason instanceof Error ? reason.message : undefined })
          .catch(() => undefined);
    });
    try {
      const run = await untilAborted(tracker.wait(runId, { signal: stopped.signal }), stopped.signal);
      if (run.state !== 'succeeded') throw new ScheduledRunError(run);
    } finally {
      unlink();
    }
  };
}
