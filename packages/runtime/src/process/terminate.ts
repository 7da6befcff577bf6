import { checkDurationMs, type Clock, DEFAULT_GRACE_MS } from '@pawl/core';
import type { ExitInfo, ProcessHandle } from './process-handle.ts';

export interface TerminateOptions {
  /** Between the first signal and SIGKILL, in milliseconds; 0 kills at once, `Infinity` never. @default 5000 */
  readonly graceMs?: number;
  /** The first signal. @default 'SIGTERM' */
  readonly signal?: NodeJS.Signals;
}

export interface TerminationReport extends ExitInfo {
  /** Whether SIGKILL was needed. */
  readonly forced: boolean;
}

/**
 * Ends a process and its group: a polite signal, a bounded wait, then SIGKILL. Resolves when the process is gone;
 * what it had started is killed with it. The calls for one process know of each other: the shortest grace counts, and
 * all report the same.
 */
export function createTermination(
  handle: ProcessHandle,
  clock: Clock,
): (options?: TerminateOptions) => Promise<TerminationReport> {
  let forced = false;
  const kill = (): void => {
    if (handle.exit !== undefined) return;
    forced = true;
    handle.signal('SIGKILL');
  };
  return async (options = {}) => {
    const graceMs = checkDurationMs('graceMs', options.graceMs ?? DEFAULT_GRACE_MS, { infinite: true });
    if (graceMs === 0) kill();
    else handle.signal(options.signal ?? 'SIGTERM');
    const timer = clock.setTimer(graceMs, kill);
    try {
      return { ...(await handle.exited), forced };
    } finally {
      timer.cancel();
    }
  };
}

/**
 * Signals every process of the group that `pid` leads. Where there are no groups (Windows), the process alone.
 * @returns whether there was one
 */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // ESRCH: nobody is left. EPERM: only processes that changed their user are left, which are not ours to signal.
    return false;
  }
}
