import type { Clock, EventSource, Logger } from '@pawl/core';
import type { SchedulerEvents } from '@pawl/tasks';

/** Why the latest slot got no run, or none yet. */
export interface SlotProblem {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly message: string;
}

/** What kept the latest slot of each schedule from its run, until one gets its run. Each is logged once. */
export interface SlotProblems {
  of(scheduleId: string): SlotProblem | undefined;
  /** Its request was refused. */
  noteRefused(scheduleId: string, error: unknown): void;
  /** As many runs are queued as may be: it waits. */
  noteHeld(scheduleId: string): void;
  forget(scheduleId: string): void;
  /** Notes what a scheduler tells from now on. */
  follow(scheduler: EventSource<SchedulerEvents>): void;
}

export interface SlotProblemsOptions {
  /** As many runs may be queued. */
  readonly maxQueued: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createSlotProblems({ maxQueued, clock, logger }: SlotProblemsOptions): SlotProblems {
  const problems = new Map<string, SlotProblem>();
  /** The schedules whose slot waits. */
  const held = new Set<string>();

  function note(scheduleId: string, message: string): void {
    held.delete(scheduleId);
    problems.set(scheduleId, { at: clock.wallTime(), message });
  }

  function noteHeld(scheduleId: string): void {
    if (held.has(scheduleId)) return;
    note(scheduleId, `Its slot waits until fewer runs are queued: ${maxQueued} is the most.`);
    held.add(scheduleId);
    logger.warn(
      { schedule: scheduleId, maxQueued },
      `A slot of the schedule ${scheduleId} is held: ${maxQueued} runs are queued, which is the most.`,
    );
  }

  function forget(scheduleId: string): void {
    held.delete(scheduleId);
    problems.delete(scheduleId);
  }

  /** None of its slots waits any more. */
  function letGo({ scheduleId }: { readonly scheduleId: string }): void {
    if (held.has(scheduleId)) forget(scheduleId);
  }

  return {
    of: (scheduleId) => problems.get(scheduleId),
    noteRefused(scheduleId, error) {
      const message = error instanceof Error ? error.message : String(error);
      note(scheduleId, message);
      logger.warn(
        { err: error, schedule: scheduleId },
        `A slot of the schedule ${scheduleId} got no run: ${message}`,
      );
    },
    noteHeld,
    forget,
    follow(scheduler) {
      scheduler.on('slot:held', ({ scheduleId }) => noteHeld(scheduleId));
      scheduler.on('slot:skipped', letGo);
      scheduler.on('schedule:paused', letGo);
      scheduler.on('slots:missed', ({ scheduleId, count, caughtUp }) => {
        if (caughtUp === count) return;
        const message = `Slots missed: ${count}, of which ${caughtUp} get a run.`;
        if (caughtUp === 0) note(scheduleId, message);
        logger.warn(
          { schedule: scheduleId, count, caughtUp },
          `The schedule ${scheduleId} was late. ${message}`,
        );
      });
    },
  };
}
