import type { Outcome } from './outcome.ts';

/** What an executor tells about its runs. */
export interface ExecutorEvents {
  'execution:started': { readonly runId: string; readonly task: string };
  /** An attempt is handed to a pool. */
  'attempt:started': { readonly runId: string; readonly task: string; readonly attempt: number };
  'attempt:succeeded': {
    readonly runId: string;
    readonly task: string;
    readonly attempt: number;
    readonly durationMs: number;
  };
  /** An attempt ended in an error; the retry policy says what follows. */
  'attempt:failed': {
    readonly runId: string;
    readonly task: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly error: unknown;
  };
  'execution:ended': { readonly outcome: Outcome };
}
