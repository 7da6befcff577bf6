/** What a supervisor tells about its children. Durations are milliseconds on its clock. */
export interface SupervisorEvents {
  /** A child runs; `starts` counts this one. */
  'child:started': { readonly childId: string; readonly starts: number };
  /** A restart failed, and is tried again. */
  'child:start-failed': { readonly childId: string; readonly error: Error };
  /** A child ended and nobody had asked it to; `error` is set when it failed. */
  'child:exited': { readonly childId: string; readonly restarts: boolean; readonly error?: Error };
  /** A child is started again after `delayMs`, or later if a crash loop opens meanwhile. */
  'child:restarting': { readonly childId: string; readonly delayMs: number };
  /** A child was stopped; `forced` when it did not end by itself within its grace. */
  'child:stopped': {
    readonly childId: string;
    readonly reason: 'sibling-failed' | 'start-failed' | 'supervisor-stopped';
    readonly forced: boolean;
  };
  /** Children keep failing: none is started again for `retryAfterMs`. */
  'supervisor:crash-loop': {
    readonly failures: number;
    readonly retryAfterMs: number;
    readonly error: Error;
  };
  /** A child that was tried after a crash loop stayed up, so the others follow. */
  'supervisor:recovered': { readonly childId: string };
}
