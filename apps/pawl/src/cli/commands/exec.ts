import { hasCode } from '@pawl/core';
import { createPythonRunner, type ExecutionRequest, type ExecutionResult } from '@pawl/python';
import type { Command } from 'commander';
import { type Config, readConfig } from '../../config.ts';
import { runnerOptions } from '../../python/runner-options.ts';
import { isSandboxUnavailable, REMEDY } from '../../python/sandbox-state.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { print, printJson } from '../output.ts';
import { readProgram } from '../run-request.ts';
import { withExamples } from '../service-command.ts';

interface ExecOptions {
  /** File of a test script. */
  readonly tests?: string;
  readonly exercise?: string;
  /** File that the program reads as its input. */
  readonly stdin?: string;
  readonly json?: boolean;
}

const SIGNAL_BASE = 128;
const SIGKILL = 9;

export function define(command: Command): void {
  command
    .argument('[file]', 'the program; without it, or with -, it is read from stdin')
    .option('--tests <file>', 'a test script')
    .option('--exercise <id>', 'the exercise whose tests are run')
    .option('--stdin <file>', 'what input() reads')
    .option('--json', 'print the whole result');
  withExamples(
    command,
    'pawl exec program.py --tests tests.py',
    "echo 'print(6 * 7)' | pawl exec",
    'pawl exec program.py --exercise greeting --json',
  ).action(async (file: string | undefined, options: ExecOptions) => {
    const config = readConfig(process.env);
    const { json = false } = options;
    process.exitCode = await execute(await readProgram(file ?? '-', options), json, config);
  });
}

/** Runs a Python program in the sandbox. @returns the exit code that mirrors its outcome */
async function execute(request: ExecutionRequest, json: boolean, config: Config): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const runner = createPythonRunner({ ...runnerOptions(config), maxConcurrent: 1 });
  try {
    const result = await runner.execute(request, { signal: interrupted.signal });
    if (json) printJson(result);
    else printResult(result);
    return exitCodeOf(result);
  } catch (error) {
    if (interrupted.signal.aborted) return exitCodes.interrupted;
    if (isSandboxUnavailable(error)) {
      const tried = error.rejected.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ');
      throw new CommandError(exitCodes.unavailable, `no sandbox works here (${tried}). ${REMEDY}`);
    }
    if (hasCode(error, 'EXECUTION_INVALID', 'CODE_TOO_LARGE')) {
      throw new CommandError(exitCodes.usage, error.message);
    }
    if (hasCode(error, 'EXERCISE_NOT_FOUND')) throw new CommandError(exitCodes.noInput, error.message);
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    await runner.stop({ graceMs: 0 });
  }
}

function printResult({ output, errors, testResult }: ExecutionResult): void {
  if (output !== '') print(output);
  if (errors !== null) process.stderr.write(`${errors}\n`);
  if (testResult === null) return;
  for (const { name, passed, expected, actual, error } of testResult.testCases) {
    const compared = expected === undefined ? '' : ` Expected ${expected}, got ${actual}.`;
    print(passed ? `passed  ${name}` : `failed  ${name}: ${error ?? ''}${compared}`);
  }
  const passed = testResult.testCases.filter((testCase) => testCase.passed).length;
  print(`${passed} of ${testResult.testCases.length} tests passed`);
}

/** The program's own; 124 for a time limit as of `timeout`, 137 as of a kill for another; 1 when its tests failed. */
function exitCodeOf({ status, exitCode, signal, success }: ExecutionResult): number {
  if (status === 'timeout' || status === 'cpu-limit') return exitCodes.timedOut;
  if (signal !== null) return SIGNAL_BASE + signal;
  if (exitCode === null) return SIGNAL_BASE + SIGKILL;
  return exitCode === 0 && !success ? exitCodes.failed : exitCode;
}
