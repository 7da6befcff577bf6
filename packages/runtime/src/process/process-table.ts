/** A process of this machine, at one moment. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /** 0 where the system does not tell. */
  readonly sessionId: number;
  /** Together with the pid it names one process for good: a pid is given again, a pid with its start is not. */
  readonly startedAt: string;
  /** Whether it carries the text in the environment it was started with. `false` where that can't be read. */
  hasMark(mark: string): boolean;
  /** Whether the pid is still that of the same process. Taken for granted where asking is not cheap. */
  isCurrent(): boolean;
  /** Its command line, cut at 200 characters. */
  command(): string;
}

/** Where the processes of this machine are looked up. Zombies are not listed: they are dead. */
export interface ProcessTable {
  /** When a process was started, in the words of `startedAt`; undefined when it is gone. Only where that is cheap. */
  startOf(pid: number): string | undefined;
  /** The pid that was given last, where that is known. */
  lastPid(): number | undefined;
  /** Those with one of the pids, or all. Asks the system anew each time. */
  list(pids?: readonly number[]): readonly ProcessEntry[] | Promise<readonly ProcessEntry[]>;
}

/** Signals it, unless its pid was given to another since the entry was read, a moment ago. */
export function signalEntry(entry: ProcessEntry, signal: NodeJS.Signals): void {
  try {
    if (entry.isCurrent()) process.kill(entry.pid, signal);
  } catch {
    // ESRCH: it is gone. EPERM: it changed its user, and is left to be named as a survivor.
  }
}

const SHOWN_COMMAND = 200;

export function shownCommand(command: string): string {
  return command.trim().slice(0, SHOWN_COMMAND);
}
