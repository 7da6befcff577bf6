import { PawlError } from '@pawl/core';
import type { WorkerStopReason } from '../events.ts';

/** What was known of a worker process when it ended. */
export interface WorkerEnd {
  readonly workerId: string;
  /** Absent when it could not be started at all. */
  readonly pid: number | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it was doing: loading, waiting for work, running a task, or stopping. */
  readonly phase: 'start' | 'idle' | 'run' | 'stop';
  /** The last 16 KiB of its stderr, from a character boundary. */
  readonly stderrTail: string;
  /** The first 1 KiB of its stdout. */
  readonly stdoutHead: string;
  /** How long it lived, in milliseconds. */
  readonly ageMs: number;
  /** How many runs it had finished. */
  readonly runsDone: number;
}

/** What was known of a worker's memory, in bytes. */
export interface WorkerMemory {
  /** Resident memory as it last said; undefined when it never did. */
  readonly rssBytes: number | undefined;
  /** Beyond which it would have been recycled; `Infinity` without a limit. */
  readonly limitBytes: number;
}

/** Why a pool had ended a worker. */
export interface WorkerEndCause {
  readonly reason: WorkerStopReason;
  /** The whole sentence, where the reason alone does not say it. */
  readonly text?: string | undefined;
}

const UNKNOWN_MEMORY: WorkerMemory = { rssBytes: undefined, limitBytes: Infinity };

/** How V8, the C++ runtime and allocators say that there is no memory left, before they abort. */
const OUT_OF_MEMORY = /JavaScript heap out of memory|std::bad_alloc|Cannot allocate memory|out of memory/i;
/** A worker that was this near to its limit when it was killed from outside was killed for it. */
const NEAR_LIMIT = 0.8;

/** Whether memory is what ended it: it said so, or SIGKILL came, as from the kernel, near the limit. */
function suspectsMemory(
  { signal, stderrTail }: WorkerEnd,
  { rssBytes = 0, limitBytes }: WorkerMemory,
): boolean {
  return OUT_OF_MEMORY.test(stderrTail) || (signal === 'SIGKILL' && rssBytes > limitBytes * NEAR_LIMIT);
}

/** `exited with code 3`, `was killed by SIGSEGV`. */
function endText({ exitCode, signal }: Pick<WorkerEnd, 'exitCode' | 'signal'>): string {
  if (signal !== null) return `was killed by ${signal}`;
  return exitCode === null ? 'ended' : `exited with code ${exitCode}`;
}

/** `TypeError: boom`, `Error [ERR_X]: boom`, `ValueError: boom`: how runtimes print what ended them. */
const ERROR_LINE = /^(?:Uncaught )?[\w.$]*(?:Error|Exception)\b[^:]*: ./;

/** The line that says why: the last that names an error, for runtimes print stacks behind it, else the last of all. */
function tellingLine(text: string): string {
  const lines = text.split('\n').map((each) => each.trim());
  const line = lines.findLast((each) => ERROR_LINE.test(each)) ?? lines.findLast((each) => each !== '') ?? '';
  return line === '' ? '' : ` It said on stderr: ${line.slice(0, 200)}`;
}

/** The worker process died with the run on it, whatever its exit code: 0 is no excuse. */
export class WorkerCrashedError extends PawlError implements WorkerEnd {
  declare readonly code: 'WORKER_CRASHED';
  readonly runId: string;
  readonly task: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly phase: WorkerEnd['phase'];
  readonly stderrTail: string;
  readonly stdoutHead: string;
  readonly ageMs: number;
  readonly runsDone: number;
  /** Its resident memory as it last said, in bytes; undefined when it never did. */
  readonly rssBytes: number | undefined;
  /** Whether it probably died for want of memory. */
  readonly isOutOfMemorySuspected: boolean;
  /** Why its pool had ended it, as `unresponsive`; undefined when it died by itself. */
  readonly reason: WorkerStopReason | undefined;

  constructor(
    run: { readonly runId: string; readonly task: string; readonly attempt: number },
    end: WorkerEnd,
    memory: WorkerMemory = UNKNOWN_MEMORY,
    cause?: WorkerEndCause,
  ) {
    const isSuspected = suspectsMemory(end, memory);
    super(
      `Worker ${end.workerId} (pid ${end.pid}) ${endText(end)}${isSuspected ? ', probably out of memory,' : ''} ` +
        `while it ran "${run.task}" (run ${run.runId}, attempt ${run.attempt}), after ${end.runsDone} finished runs.${cause?.text === undefined ? '' : ` ${cause.text}`}${tellingLine(end.stderrTail)}`,
      { code: 'WORKER_CRASHED' },
    );
    this.runId = run.runId;
    this.task = run.task;
    this.attempt = run.attempt;
    this.workerId = end.workerId;
    this.pid = end.pid;
    this.exitCode = end.exitCode;
    this.signal = end.signal;
    this.phase = end.phase;
    this.stderrTail = end.stderrTail;
    this.stdoutHead = end.stdoutHead;
    this.ageMs = end.ageMs;
    this.runsDone = end.runsDone;
    this.rssBytes = memory.rssBytes;
    this.isOutOfMemorySuspected = isSuspected;
    this.reason = cause?.reason;
  }
}

/** A worker did not become ready: the program is missing, its module throws, or it says nothing. Waiting runs get it. */
export class WorkerStartError extends PawlError {
  declare readonly code: 'WORKER_START_FAILED';
  /** Starting again may help: a retry policy takes it. */
  readonly retryable = true;
  readonly workerId: string;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderrTail: string;
  readonly stdoutHead: string;

  /** @param cause what kept it from starting; absent when it exited by itself */
  constructor(end: WorkerEnd, cause?: unknown) {
    const why = cause instanceof Error ? cause.message : `it ${endText(end)}.`;
    super(`Worker ${end.workerId} did not start: ${why}${tellingLine(end.stderrTail)}`, {
      code: 'WORKER_START_FAILED',
      ...(cause === undefined ? {} : { cause }),
    });
    this.workerId = end.workerId;
    this.exitCode = end.exitCode;
    this.signal = end.signal;
    this.stderrTail = end.stderrTail;
    this.stdoutHead = end.stdoutHead;
  }
}
