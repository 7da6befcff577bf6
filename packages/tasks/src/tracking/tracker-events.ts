import type { AttemptOutcome, LossReceipt, Run, RunFailure } from './run.ts';

/** One attempt of a run, as its events name it. */
export interface AttemptFacts {
  readonly runId: string;
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
  readonly fence: number;
}

/** What a run tracker tells. A fact is told once it is stored. */
export interface TrackerEvents {
  /** A new run was stored. */
  'run:submitted': { readonly run: Run };
  /** A run will be tried again. */
  'run:requeued': { readonly run: Run; readonly delayMs: number };
  /** A run is over. */
  'run:ended': { readonly run: Run };
  /** `run` is as of its start. */
  'attempt:started': AttemptFacts & { readonly run: Run };
  'attempt:succeeded': AttemptFacts & { readonly durationMs: number };
  /** It ended in any other way. */
  'attempt:failed': AttemptFacts & {
    readonly durationMs: number;
    readonly outcome: Exclude<AttemptOutcome, 'succeeded'>;
    readonly error: RunFailure | undefined;
  };
  /** An attempt of a host that is gone was found, and its processes were ended. */
  'attempt:lost': AttemptFacts & { readonly receipt: LossReceipt };
  /** An attempt came to its end after the store had given it up. It changed nothing. */
  'attempt:stale': AttemptFacts;
  /** Old runs were removed. */
  'runs:removed': { readonly runIds: readonly string[] };
  /** The store did not do what it was asked; it is asked again in `retryInMs`. */
  'store:failed': { readonly operation: string; readonly error: unknown; readonly retryInMs: number };
}
