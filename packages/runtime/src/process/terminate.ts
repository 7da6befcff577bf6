import { checkDurationMs, type Clock, createDeferred, DEFAULT_GRACE_MS } from '@pawl/core';
import type { ExitReport, ProcessHandle } from './process-handle.ts';

export interface TerminateOptions {
  /** Between the first signal and SIGKILL, in milliseconds; 0 kills at once, `Infinity` never. @default 5000 */
  readonly graceMs?: number;
  /** The first signal. @default 'SIGTERM' */
  readonly signal?: NodeJS.Signals;
}

export interface TerminationReport extends ExitReport {
  /** Whether SIGKILL was needed. */
  readonly forced: boolean;
}

/** Reaches the group of the process and what left it. */
export interface TreeSignal {
  signal(signal: NodeJS.Signals): void;
}

/** SIGKILL takes a moment, and for ever where a process waits for a device: then it is named, and not waited for. */
const KILL_WITHIN_MS = 5_000;

/**
 * Ends a process and its group: a polite signal, a bounded wait, then SIGKILL. Resolves when the process is gone and
 * so is what it had started. The calls for one process know of each other: the shortest grace counts, and all report
 * the same.
 */
export function createTermination(
  handle: ProcessHandle,
  clock: Clock,
  tree: TreeSignal,
): (options?: TerminateOptions) => Promise<TerminationReport> {
  const gaveUp = createDeferred();
  let forced = false;
  const kill = (): void => {
    if (handle.exit !== undefined) return;
    tree.signal('SIGKILL');
    if (forced) return;
    forced = true;
    const timer = clock.setTimer(KILL_WITHIN_MS, gaveUp.resolve);
    void handle.exited.then(() => timer.cancel());
  };
  return async (options = {}) => {
    const graceMs = checkDurationMs('graceMs', options.graceMs ?? DEFAULT_GRACE_MS, { infinite: true });
    if (graceMs === 0) kill();
    else if (handle.exit === undefined) tree.signal(options.signal ?? 'SIGTERM');
    const timer = clock.setTimer(graceMs, kill);
    await Promise.race([handle.exited, gaveUp.promise]);
    timer.cancel();
    if (handle.exit !== undefined) return { ...(await handle.released), forced };
    const survivors = [{ pid: handle.pid, command: handle.command }];
    return { exitCode: null, signal: null, survivors, forced };
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
