import { PawlError } from '@pawl/core';

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

  constructor(
    run: { readonly runId: string; readonly task: string; readonly attempt: number },
    end: WorkerEnd,
  ) {
    super(
      `Worker ${end.workerId} (pid ${end.pid}) ${endText(end)} while it ran "${run.task}" ` +
        `(run ${run.runId}, attempt ${run.attempt}), after ${end.runsDone} finished runs.${tellingLine(end.stderrTail)}`,
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
