import type { OverlapReason } from './overlap.ts';
import type { Pause } from './schedule-store.ts';

/** What led to a run: its slot's time, a slot that was missed, a person, or a backfill. */
export type SlotTrigger = 'schedule' | 'catch-up' | 'manual' | 'backfill';

/** Why a slot got no run. `already-claimed` means that it had one before, here or at another host. */
export type SlotSkipReason = OverlapReason | 'asked' | 'already-claimed' | 'paused' | 'removed' | 'stopped';

/** Which run of which schedule. Instants are milliseconds since the epoch. */
interface RunInfo {
  readonly scheduleId: string;
  /** The slot's identity; for a manual run the moment somebody asked. */
  readonly nominalAt: number;
  readonly trigger: SlotTrigger;
  readonly key: string;
}

/** What a scheduler tells. */
export interface SchedulerEvents {
  'schedule:saved': { readonly scheduleId: string };
  /** The store holds a schedule that can't be understood; it stays there and does not run. */
  'schedule:refused': { readonly scheduleId: string; readonly error: unknown };
  'schedule:removed': { readonly scheduleId: string };
  'schedule:paused': { readonly scheduleId: string } & Pause;
  'schedule:resumed': { readonly scheduleId: string };
  /** It has no slot left: `endAt` or `maxRuns` is reached. */
  'schedule:ended': { readonly scheduleId: string };
  'slot:skipped': {
    readonly scheduleId: string;
    readonly nominalAt: number;
    readonly reason: SlotSkipReason;
  };
  /** No run may be started now: the slot is left as it is, and asked for again. Told once of each slot. */
  'slot:held': { readonly scheduleId: string; readonly nominalAt: number };
  /** Slots that nobody was there for. The misfire policy brings `caughtUp` of them back. */
  'slots:missed': {
    readonly scheduleId: string;
    /** Counted up to 1000. */
    readonly count: number;
    readonly caughtUp: number;
    readonly firstAt: number;
    readonly lastAt: number;
  };
  'run:started': RunInfo;
  'run:succeeded': RunInfo & { readonly durationMs: number };
  'run:failed': RunInfo & { readonly durationMs: number; readonly error: unknown };
  /** It was asked to end, by a later slot or by the scheduler's stop, and ended with an error. */
  'run:cancelled': RunInfo & { readonly durationMs: number; readonly reason: unknown };
  /** The wall clock was set, or the machine slept. */
  'clock:stepped': { readonly byMs: number };
  /** The store refused; what could not be claimed is tried again. */
  'store:failed': { readonly scheduleId: string; readonly error: unknown };
}
