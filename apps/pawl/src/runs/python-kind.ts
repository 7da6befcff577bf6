import { PawlError } from '@pawl/core';
import { type ExecutionResult, InvalidExecutionError, type PythonRunner } from '@pawl/python';
import type { Executor } from '@pawl/runtime';
import { attemptLogId, type OutputLogs, type RunContext } from '@pawl/tasks';
import type { z } from 'zod';
import type { pythonRequest } from '../api/run-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { createExecutions, type ExecutionsOptions } from '../python/executions.ts';
import type { RunKind } from './run-kind.ts';
import { programTitle } from './run-title.ts';

type PythonRequest = z.infer<typeof pythonRequest>;

export interface PythonKindOptions {
  readonly logs: OutputLogs;
  readonly executor: Pick<Executor, 'execute'>;
  readonly exercises: ExecutionsOptions['exercises'];
  /** @throws InvalidExecutionError */
  readonly check: PythonRunner['check'];
}

/** A submitted program did not succeed, or did not pass its tests. */
class ProgramFailedError extends PawlError {
  declare readonly code: 'PROGRAM_FAILED';
  /** What came of it, without what it printed. */
  readonly result: object;
  readonly exitCode: number | null;

  constructor(message: string, result: object, exitCode: number | null) {
    super(message, { code: 'PROGRAM_FAILED' });
    this.result = result;
    this.exitCode = exitCode;
  }
}

/** Submitted Python, in the sandbox. */
export function createPythonKind({
  logs,
  executor,
  exercises,
  check,
}: PythonKindOptions): RunKind<PythonRequest> {
  const executions = createExecutions({ executor, exercises });

  async function run(input: PythonRequest, context: RunContext): Promise<unknown> {
    const log = logs.create(attemptLogId(context.runId, context.fence));
    let answer: ExecutionResult;
    try {
      answer = await executions.execute(input, { signal: context.signal });
      const { output, errors } = answer;
      if (output !== '') await log.write('stdout', Buffer.from(`${output}\n`));
      if (errors !== null) await log.write('stderr', Buffer.from(`${errors}\n`));
    } finally {
      await log.end();
    }
    // What it printed is in its log.
    const { output: _output, errors, ...result } = answer;
    if (!answer.success)
      throw new ProgramFailedError(whyItFailed(answer), { ...result, errors }, answer.exitCode);
    return result;
  }

  return {
    async prepare(input) {
      // What is wrong with it is said now, not by a run that fails later.
      try {
        check(input);
      } catch (error) {
        if (!(error instanceof InvalidExecutionError)) throw error;
        const faults = [{ field: `python.${error.field}`, message: error.message }];
        throw new HttpError(422, error.code, error.message, faults);
      }
      if (input.exerciseId !== undefined) await exercises.get(input.exerciseId);
      return { task: 'python', input };
    },
    title: ({ code }) => programTitle(code),
    run,
  };
}

function whyItFailed({ errors, testResult, status }: ExecutionResult): string {
  const lastLine = errors?.trimEnd().split('\n').at(-1) ?? '';
  if (lastLine !== '') return lastLine;
  const failed = testResult?.testCases.filter(({ passed }) => !passed).length ?? 0;
  return failed > 0
    ? `${failed} of ${testResult?.testCases.length} tests failed.`
    : `The program ended with: ${status}.`;
}
