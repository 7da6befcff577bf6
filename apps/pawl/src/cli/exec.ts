import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { hasCode } from '@pawl/core';
import { createPythonRunner, type ExecutionRequest, type ExecutionResult } from '@pawl/python';
import type { Config } from '../config.ts';
import { runnerOptions } from '../python/runner-options.ts';
import { isSandboxUnavailable, REMEDY } from '../python/sandbox-state.ts';
import { exitCodes } from './exit-codes.ts';

export interface ExecOptions {
  /** File of a test script. */
  readonly tests?: string;
  readonly exercise?: string;
  /** File that the program reads as its input. */
  readonly stdin?: string;
  readonly json?: boolean;
}

const SIGNAL_BASE = 128;
const SIGKILL = 9;

/**
 * Runs a Python program in the sandbox: a file, or what comes on stdin. @returns the exit code that mirrors its outcome
 */
export async function execProgram(
  file: string | undefined,
  { tests, exercise, stdin, json = false }: ExecOptions,
  config: Config,
): Promise<number> {
  let request: ExecutionRequest;
  try {
    request = {
      code: await (file === undefined || file === '-' ? text(process.stdin) : readFile(file, 'utf8')),
      testCode: tests === undefined ? undefined : await readFile(tests, 'utf8'),
      exerciseId: exercise,
      stdin: stdin === undefined ? undefined : await readFile(stdin, 'utf8'),
    };
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EISDIR', 'EACCES')) throw error;
    return fail(exitCodes.noInput, error.message);
  }
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const runner = createPythonRunner({ ...runnerOptions(config), maxConcurrent: 1 });
  try {
    const result = await runner.execute(request, { signal: interrupted.signal });
    if (json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
    else print(result);
    return exitCodeOf(result);
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    if (isSandboxUnavailable(error)) {
      const tried = error.rejected.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
      return fail(exitCodes.unavailable, `no sandbox works here (${tried}). ${REMEDY}`);
    }
    if (hasCode(error, 'EXECUTION_INVALID', 'CODE_TOO_LARGE')) return fail(exitCodes.usage, error.message);
    if (hasCode(error, 'EXERCISE_NOT_FOUND')) return fail(exitCodes.noInput, error.message);
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    await runner.stop({ graceMs: 0 });
  }
}

function print({ output, errors, testResult }: ExecutionResult): void {
  if (output !== '') process.stdout.write(`${output}\n`);
  if (errors !== null) process.stderr.write(`${errors}\n`);
  if (testResult === null) return;
  for (const { name, passed, expected, actual, error } of testResult.testCases) {
    const compared = expected === undefined ? '' : ` Expected ${expected}, got ${actual}.`;
    process.stdout.write(passed ? `passed  ${name}\n` : `failed  ${name}: ${error ?? ''}${compared}\n`);
  }
  const passed = testResult.testCases.filter((testCase) => testCase.passed).length;
  process.stdout.write(`${passed} of ${testResult.testCases.length} tests passed\n`);
}

/** The program's own; 124 for a time limit as of `timeout`, 137 as of a kill for another; 1 when its tests failed. */
function exitCodeOf({ status, exitCode, signal, success }: ExecutionResult): number {
  if (status === 'timeout' || status === 'cpu-limit') return exitCodes.timedOut;
  if (signal !== null) return SIGNAL_BASE + signal;
  if (exitCode === null) return SIGNAL_BASE + SIGKILL;
  return exitCode === 0 && !success ? exitCodes.failed : exitCode;
}

function fail(code: number, message: string): number {
  process.stderr.write(`pawl: ${message}\n`);
  return code;
}
