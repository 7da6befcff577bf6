import { hasCode } from '@pawl/core';
import { type Executor, type Outcome, WorkerCrashedError } from '@pawl/runtime';
import { createOutputCollector } from './output-collector.ts';

/** What became of a submitted program. */
export interface ExecutionResult {
  /** Whether it ended by itself with exit code 0. */
  readonly success: boolean;
  /** What it printed on stdout, without trailing white space; at most 512 KiB. */
  readonly output: string;
  /** What it printed on stderr, its traceback first of all, and why it was ended; `null` when there is nothing to say. */
  readonly errors: string | null;
  /** From the request to the result, in whole milliseconds. */
  readonly executionTime: number;
  /** Always `null`: no tests are run. */
  readonly testResult: null;
}

export interface PythonRunnerOptions {
  /** Executes the task `execute` of `run_program.py`. */
  readonly executor: Executor;
  /** How long a program may run, in milliseconds. */
  readonly timeoutMs: number;
  /** Limit of stdout and of stderr each, in bytes. */
  readonly maxOutputBytes: number;
}

export interface PythonRunner {
  /**
   * Runs a program in a worker of its own.
   * @throws what kept it from being run at all, such as CIRCUIT_OPEN, QUEUE_FULL or POOL_STOPPED
   */
  execute(
    program: { readonly code: string },
    options?: { readonly signal?: AbortSignal },
  ): Promise<ExecutionResult>;
}

export function createPythonRunner({
  executor,
  timeoutMs,
  maxOutputBytes,
}: PythonRunnerOptions): PythonRunner {
  return {
    async execute({ code }, { signal } = {}) {
      const streams = {
        stdout: createOutputCollector(maxOutputBytes),
        stderr: createOutputCollector(maxOutputBytes),
      };
      const outcome = await executor.execute(
        'execute',
        { code },
        { signal, attemptTimeoutMs: timeoutMs, onOutput: (stream, chunk) => streams[stream].push(chunk) },
      );
      const stderr = streams.stderr.text().trimEnd();
      const ending = endingOf(outcome, timeoutMs);
      const success = ending.exitCode === 0;
      // A program that failed and said why needs no more words than its own.
      const silent = stderr === '' && !success ? `The program ended with exit code ${ending.exitCode}.` : '';
      const errors = [stderr, ending.reason ?? silent].filter((text) => text !== '').join('\n');
      return {
        success,
        output: streams.stdout.text().trimEnd(),
        errors: errors === '' ? null : errors,
        executionTime: Math.round(outcome.durationMs),
        testResult: null,
      };
    },
  };
}

interface Ending {
  /** `null` when it was ended by force. */
  readonly exitCode: number | null;
  /** Why, when that is nothing the program could say itself. */
  readonly reason?: string;
}

/** @throws what kept the program from being run, or from being run to its end */
function endingOf(outcome: Outcome, timeoutMs: number): Ending {
  if (outcome.status === 'succeeded') return outcome.value as { readonly exitCode: number };
  const { error } = outcome;
  if (hasCode(error, 'RUN_TIMEOUT')) return { exitCode: null, reason: timeoutText(timeoutMs) };
  if (!(error instanceof WorkerCrashedError)) throw error;
  // The program took its interpreter with it: `os._exit(0)` is as good an end as any, a signal is not.
  const { exitCode, signal } = error;
  return signal === null ? { exitCode } : { exitCode, reason: `The program was killed by ${signal}.` };
}

function timeoutText(timeoutMs: number): string {
  return (
    `The program timed out: it was stopped after ${timeoutMs / 1000} seconds. ` +
    'It may have an endless loop, or need more time than a program gets here.'
  );
}
