import type { Duplex, Readable, Writable } from 'node:stream';
import { type Clock, createDeferred } from '@pawl/core';
import { createDescendantReaper, type DescendantReaper } from './descendant-reaper.ts';
import type { DescendantFinder, DescendantProcess } from './descendants.ts';
import type { StartedChild } from './spawner.ts';
import {
  createTermination,
  signalGroup,
  type TerminateOptions,
  type TerminationReport,
} from './terminate.ts';

/** How a process ended: one of the two is set. */
export interface ExitInfo {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How a process ended, and what it left. */
export interface ExitReport extends ExitInfo {
  /**
   * What it had started and what lives on: because it was to be left alone (`descendants: 'keep'`), or because it
   * could not be ended.
   */
  readonly survivors: readonly DescendantProcess[];
}

/** A child process and the group it leads. */
export interface ProcessHandle {
  /** Unique within its manager. */
  readonly id: string;
  readonly pid: number;
  readonly command: string;
  /** When it was started, on the manager's monotonic clock. */
  readonly startedAt: number;
  /** `null` where the stream is inherited or ignored. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** File descriptor 3 of the child, read here; `null` unless asked for. */
  readonly channel: Readable | null;
  /** File descriptor 4 of the child, read and written here; `null` unless asked for. */
  readonly control: Duplex | null;
  /** Resolves when the process itself has ended; never waits for who else holds its pipes. */
  readonly exited: Promise<ExitInfo>;
  /** Set once it has ended. */
  readonly exit: ExitInfo | undefined;
  /** Resolves when also what it had started is gone, or a second after its end with what is not. Never rejects. */
  readonly released: Promise<ExitReport>;
  /** Sends a signal to the whole group. @returns whether there was anyone to receive it */
  signal(signal: NodeJS.Signals): boolean;
  /**
   * SIGTERM to the group and to what left it, `graceMs`, SIGKILL to all. Calling it again may shorten the grace, never
   * lengthen it. Resolves when all are gone, or with those that are not a bounded time after SIGKILL.
   */
  terminate(options?: TerminateOptions): Promise<TerminationReport>;
  /** Whether the child keeps this process running. It does at first. */
  ref(): void;
  unref(): void;
}

export interface ProcessHandleOptions {
  readonly id: string;
  readonly child: StartedChild;
  readonly command: string;
  /** What the process carries in its environment. */
  readonly mark: string;
  readonly hasChannel: boolean;
  /** What becomes of what it left behind when it ends by itself. */
  readonly descendants: 'end' | 'keep';
  readonly finder: DescendantFinder;
  /** When it was started, in the words of the process table. */
  readonly tableStart: string | undefined;
  readonly clock: Clock;
}

export function createProcessHandle(options: ProcessHandleOptions): ProcessHandle {
  const { id, child, command, clock } = options;
  const { pid, stdio } = child;
  const startedAt = clock.now();
  const exited = createDeferred<ExitInfo>();
  const reaper: DescendantReaper = createDescendantReaper({ ...options, pid, startedAt });
  let exit: ExitInfo | undefined;
  let keepsDescendants = options.descendants === 'keep';

  child.onExit((how) => {
    // What the process started dies with it: the group id is still ours in this very moment.
    if (!keepsDescendants) signalGroup(pid, 'SIGKILL');
    exit = how;
    exited.resolve(how);
  });
  const released = exited.promise.then(async (how) => ({
    ...how,
    survivors: await (keepsDescendants ? reaper.look() : reaper.end()),
  }));
  // A write to a child that is gone fails on its own callback; here it must only not be uncaught.
  for (const stream of stdio) stream?.on('error', () => undefined);

  const handle: ProcessHandle = {
    id,
    pid,
    command,
    startedAt,
    stdin: (stdio[0] ?? null) as Writable | null,
    stdout: (stdio[1] ?? null) as Readable | null,
    stderr: (stdio[2] ?? null) as Readable | null,
    channel: options.hasChannel ? ((stdio[3] ?? null) as Readable | null) : null,
    control: (stdio[4] ?? null) as Duplex | null,
    exited: exited.promise,
    get exit() {
      return exit;
    },
    released,
    signal: (signal) => exit === undefined && signalGroup(pid, signal),
    terminate: (how) => terminate(how),
    ref() {
      child.ref();
      for (const stream of stdio) setRef(stream, 'ref');
    },
    unref() {
      child.unref();
      for (const stream of stdio) setRef(stream, 'unref');
    },
  };
  const terminate = createTermination(handle, clock, {
    signal(signal) {
      keepsDescendants = false;
      // Found before the signal: those whose parent ends of it hang on nothing any more.
      reaper.remember();
      handle.signal(signal);
      reaper.signal(signal);
    },
  });
  return handle;
}

/** Pipes of a child are sockets, which the types do not say. */
function setRef(stream: unknown, how: 'ref' | 'unref'): void {
  const socket = stream as Partial<Record<'ref' | 'unref', () => void>> | null | undefined;
  socket?.[how]?.();
}
