import type { Emitter } from '@pawl/core';
import type { AdmissionCause } from '../scheduling/admission/admission.ts';
import type { Outcome } from './outcome.ts';

/** Which run it is about. */
interface OfRun {
  readonly runId: string;
  readonly task: string;
}

interface OfAttempt extends OfRun {
  /** From 1. */
  readonly attempt: number;
}

/**
 * What an executor tells about its runs, in the order in which a run may meet it. Durations are milliseconds on the
 * executor's clock. Listeners are called in the asynchronous context in which the run was asked for.
 */
export interface ExecutorEvents {
  'execution:started': OfRun & { readonly trace: string | undefined };
  /** The result was there. */
  'cache:hit': OfRun;
  /** The result has to be made. */
  'cache:missed': OfRun;
  /** Another run under way made the result. */
  'cache:shared': OfRun;
  /** There is no room yet. */
  'admission:waiting': OfRun & { readonly resource: AdmissionCause; readonly reason: string };
  'admission:granted': OfRun & { readonly waitedMs: number };
  /** There is no room, and the run was not to wait for it. */
  'admission:refused': OfRun & { readonly resource: AdmissionCause; readonly reason: string };
  /** What was admitted is free again: the last worker is done with the run, which may have ended long before. */
  'admission:released': OfRun & { readonly heldMs: number };
  /** An attempt is handed to a pool, and waits for a worker. */
  'attempt:started': OfAttempt;
  /** A worker executes it. */
  'attempt:executing': OfAttempt & { readonly workerId: string; readonly queuedMs: number };
  'attempt:succeeded': OfAttempt & { readonly durationMs: number };
  /** An attempt ended in an error; the retry policy says what follows. */
  'attempt:failed': OfAttempt & { readonly durationMs: number; readonly error: unknown };
  'execution:ended': { readonly outcome: Outcome };
}

export type ExecutorEmitter = Emitter<ExecutorEvents>;
