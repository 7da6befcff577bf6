import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type Clock, createDeferred } from '@pawl/core';
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
  /** Resolves when the process itself has ended; never waits for who else holds its pipes. */
  readonly exited: Promise<ExitInfo>;
  /** Set once it has ended. */
  readonly exit: ExitInfo | undefined;
  /** Sends a signal to the whole group. @returns whether there was anyone to receive it */
  signal(signal: NodeJS.Signals): boolean;
  /** SIGTERM to the group, `graceMs`, SIGKILL to the group. Calling it again may shorten the grace, never lengthen it. */
  terminate(options?: TerminateOptions): Promise<TerminationReport>;
  /** Whether the child keeps this process running. It does at first. */
  ref(): void;
  unref(): void;
}

export interface ProcessHandleOptions {
  readonly id: string;
  readonly child: ChildProcess;
  readonly pid: number;
  readonly command: string;
  readonly hasChannel: boolean;
  readonly clock: Clock;
}

export function createProcessHandle({
  id,
  child,
  pid,
  command,
  hasChannel,
  clock,
}: ProcessHandleOptions): ProcessHandle {
  const exited = createDeferred<ExitInfo>();
  let exit: ExitInfo | undefined;
  child.once('exit', (exitCode, signal) => {
    // What the process started dies with it: the group id is still ours in this very moment.
    signalGroup(pid, 'SIGKILL');
    exit = { exitCode, signal };
    exited.resolve(exit);
  });
  // A write to a child that is gone fails on its own callback; here it must only not be uncaught.
  for (const stream of child.stdio) stream?.on('error', () => undefined);

  const handle: ProcessHandle = {
    id,
    pid,
    command,
    startedAt: clock.now(),
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    channel: hasChannel ? ((child.stdio[3] ?? null) as Readable | null) : null,
    exited: exited.promise,
    get exit() {
      return exit;
    },
    signal: (signal) => exit === undefined && signalGroup(pid, signal),
    terminate: (options) => terminate(options),
    ref() {
      child.ref();
      for (const stream of child.stdio) setRef(stream, 'ref');
    },
    unref() {
      child.unref();
      for (const stream of child.stdio) setRef(stream, 'unref');
    },
  };
  const terminate = createTermination(handle, clock);
  return handle;
}

/** Pipes of a child are sockets, which the types do not say. */
function setRef(stream: unknown, how: 'ref' | 'unref'): void {
  const socket = stream as Partial<Record<'ref' | 'unref', () => void>> | null | undefined;
  socket?.[how]?.();
}
