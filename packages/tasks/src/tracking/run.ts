import type { RunState } from './run-state.ts';

/** A process, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, as the operating system counts it; undefined where that can't be known. */
  readonly startTime: string | undefined;
}

/** The process that tracks runs, in this one life of it. */
export interface HostIdentity extends ProcessIdentity {
  /** New for every start. */
  readonly id: string;
  /** The name of the machine. */
  readonly name: string;
  /** New for every boot of the machine; undefined where the system does not tell. */
  readonly bootId: string | undefined;
  /** When it took the store, in milliseconds since the epoch. */
  readonly since: number;
}

/** An error, as a run keeps it. */
export interface RunFailure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly stack: string | undefined;
  /** The other fields of a PawlError, as JSON keeps them: the exit code of a script, the value that was refused. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is known of an attempt whose end nobody saw. */
export interface LossReceipt {
  /** The host was killed, its machine went down, or the attempt gave no sign of life. */
  readonly reason: 'host-died' | 'host-rebooted' | 'silent';
  /** Who ran the attempt. */
  readonly host: HostIdentity;
  /** What the attempt had started, if it had. */
  readonly process: ProcessIdentity | undefined;
  /** The last sign of life, in milliseconds since the epoch. */
  readonly lastHeartbeatAt: number;
  /** When the loss was found. */
  readonly foundAt: number;
  /** Processes of the attempt that still ran and were ended. */
  readonly endedPids: readonly number[];
}

/** How an attempt ended. `stopped`: its host stopped, which is no fault of the run. */
export type AttemptOutcome = 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | 'lost' | 'stopped';

/** One try of a run. */
export interface Attempt {
  /** Rises with every attempt of a run. An attempt with an older one has no say any more. */
  readonly fence: number;
  /** From 1; attempts that were lost or stopped do not count, so the next has the same number. */
  readonly number: number;
  readonly host: HostIdentity;
  /** The process it started last, if any. */
  readonly process: ProcessIdentity | undefined;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  /** Undefined while it runs. */
  readonly outcome: AttemptOutcome | undefined;
  readonly error: RunFailure | undefined;
  /** Of a lost attempt. */
  readonly receipt: LossReceipt | undefined;
}

/** What is stored of a run when it is submitted. Times are milliseconds since the epoch. */
export interface NewRun {
  /** `run_YYYYMMDD_HHMMSS_<task>_<8 hex>`, UTC. */
  readonly id: string;
  readonly task: string;
  /** Any JSON. */
  readonly input: unknown;
  /** Higher is sooner: low 1, normal 2, high 3, urgent 4, or any number. */
  readonly priority: number;
  /** Runs that share a key run at most so many at a time. */
  readonly key: string | undefined;
  /** A second submission with the same one is the same run. */
  readonly idempotencyKey: string | undefined;
  /** The id of the schedule whose slot it has, if any. */
  readonly schedule: string | undefined;
  /** SHA-256 of task and input. */
  readonly fingerprint: string;
  readonly createdAt: number;
  /** Not started before. */
  readonly availableAt: number;
  /** Over by then, or `timed-out`. */
  readonly deadlineAt: number | undefined;
  /** How long one attempt may take; `Infinity` is no limit. */
  readonly timeoutMs: number;
  /** Attempts that may fail or time out. */
  readonly maxAttempts: number;
  /** Attempts that may be lost. */
  readonly maxLosses: number;
}

/** A request to run a task, and what became of it. */
export interface Run extends NewRun {
  readonly state: RunState;
  /** The fence of the latest attempt; 0 before the first. */
  readonly fence: number;
  /** The latest 20, oldest first. */
  readonly attempts: readonly Attempt[];
  /** How many attempts failed or timed out. */
  readonly failures: number;
  /** How many attempts were lost. */
  readonly losses: number;
  /** When the first attempt started. */
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** The last sign of life of the attempt under way. */
  readonly heartbeatAt: number | undefined;
  readonly cancelRequestedAt: number | undefined;
  readonly cancelReason: string | undefined;
  /** What the task last reported, any JSON. */
  readonly progress: unknown;
  /** What the task gave, any JSON; undefined unless `succeeded`. */
  readonly result: unknown;
  /** What ended the last attempt that did not succeed. */
  readonly error: RunFailure | undefined;
}
