import { type Clock, type Emitter, PawlError, sleep } from '@pawl/core';
import type { SchedulerEvents, SlotTrigger } from './scheduler-events.ts';

/** What a run of a schedule is given. */
export interface SlotRun {
  readonly scheduleId: string;
  /** The slot's nominal instant in milliseconds since the epoch; for a manual run the moment somebody asked. */
  readonly nominalAt: number;
  readonly trigger: SlotTrigger;
  /** Names this run among all runs of all schedules, `report@2026-03-08T07:00:00.000Z`: an idempotency key. */
  readonly key: string;
  readonly payload: unknown;
  /** Aborts when a later slot takes its place, or the scheduler stops. */
  readonly signal: AbortSignal;
}

/** The work of schedules. What it throws or rejects with is reported and never ends the schedule. */
export type FireSlot = (run: SlotRun) => unknown;

export interface SlotEnd {
  readonly status: 'succeeded' | 'failed' | 'cancelled';
  readonly durationMs: number;
}

/** A run that waits for its turn, or goes on. */
export interface PendingRun extends SlotRun {
  cancel(reason: unknown): void;
}

/** A later slot took the place of this run. */
export function supersededError(key: string): PawlError {
  return new PawlError(`Run ${key} was cancelled: the next one is due.`, { code: 'RUN_SUPERSEDED' });
}

function stoppedError(key: string): PawlError {
  return new PawlError(`Run ${key} was cancelled: the scheduler stops.`, { code: 'SCHEDULER_STOPPED' });
}

/** All runs of a scheduler that go on. */
export interface SlotRuns {
  /** Runs it; never rejects. */
  start(run: PendingRun): Promise<SlotEnd>;
  /** Waits for all of them at most `graceMs`, then cancels the rest. @returns the keys of those */
  drain(graceMs: number): Promise<readonly string[]>;
}

export interface SlotRunsOptions {
  readonly clock: Clock;
  readonly fire: FireSlot;
  readonly emitter: Emitter<SchedulerEvents>;
}

export function createPendingRun(request: Omit<SlotRun, 'signal'>): PendingRun {
  const controller = new AbortController();
  return { ...request, signal: controller.signal, cancel: (reason) => controller.abort(reason) };
}

export function createSlotRuns({ clock, fire, emitter }: SlotRunsOptions): SlotRuns {
  const active = new Map<PendingRun, Promise<SlotEnd>>();

  async function execute(run: PendingRun): Promise<SlotEnd> {
    const { scheduleId, nominalAt, trigger, key, signal, payload } = run;
    const info = { scheduleId, nominalAt, trigger, key };
    const startedAt = clock.now();
    emitter.emit('run:started', info);
    try {
      await fire({ ...info, signal, payload });
      const durationMs = clock.now() - startedAt;
      emitter.emit('run:succeeded', { ...info, durationMs });
      return { status: 'succeeded', durationMs };
    } catch (error) {
      const durationMs = clock.now() - startedAt;
      if (signal.aborted) {
        emitter.emit('run:cancelled', { ...info, durationMs, reason: signal.reason });
        return { status: 'cancelled', durationMs };
      }
      emitter.emit('run:failed', { ...info, durationMs, error });
      return { status: 'failed', durationMs };
    }
  }

  return {
    start(run) {
      const end = execute(run).finally(() => active.delete(run));
      active.set(run, end);
      return end;
    },
    async drain(graceMs) {
      if (active.size > 0 && graceMs > 0) {
        const over = new AbortController();
        const done = Promise.all(active.values()).finally(() => over.abort());
        await Promise.race([done, sleep(clock, graceMs, { signal: over.signal }).catch(() => undefined)]);
        over.abort();
      }
      const left = [...active.keys()];
      for (const run of left) run.cancel(stoppedError(run.key));
      return left.map((run) => run.key);
    },
  };
}
