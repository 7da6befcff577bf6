import { PawlError } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import {
  type AttemptContext,
  createExecutor,
  RunTimeoutError,
  WorkerCrashedError,
  type WorkerEnd,
} from '@pawl/runtime';
import { describe, expect, it } from 'vitest';
import { createPythonRunner } from './python-runner.ts';

const END: WorkerEnd = {
  workerId: 'worker-1',
  pid: 5,
  exitCode: null,
  signal: null,
  phase: 'run',
  stderrTail: '',
  stdoutHead: '',
  ageMs: 1,
  runsDone: 0,
};
const RUN = { runId: 'r', task: 'execute', attempt: 1 };

type Body = (context: AttemptContext, input: unknown) => unknown;

/** A runner whose programs are functions of this process. */
function setup(body: Body, maxOutputBytes = 100) {
  const clock = createManualClock();
  const executor = createExecutor({ clock, run: (_task, input, context) => body(context, input) });
  return { clock, runner: createPythonRunner({ executor, timeoutMs: 1_500, maxOutputBytes }) };
}

/** A program that prints, then ends as `end` says. */
const program =
  (stdout: string, stderr: string, end: () => unknown): Body =>
  (context) => {
    context.onOutput?.('stdout', Buffer.from(stdout));
    context.onOutput?.('stderr', Buffer.from(stderr));
    return end();
  };
const exits = (exitCode: number) => () => ({ exitCode });
const fails = (failure: Error) => async (): Promise<never> => {
  throw failure;
};

describe('the Python runner', () => {
  it('runs the code under the time limit of a program', async () => {
    const seen: unknown[] = [];
    const { runner } = setup((context, input) => {
      seen.push(input, context.timeoutMs);
      return { exitCode: 0 };
    });
    await runner.execute({ code: 'print(1)' });
    expect(seen).toEqual([{ code: 'print(1)' }, 1_500]);
  });

  it.each([
    ['succeeds with exit code 0', program('out \n\n', '', exits(0)), [true, 'out', null]],
    ['may warn', program('', 'warned\n', exits(0)), [true, '', 'warned']],
    ['fails with another, in its own words', program('a', 'why\n', exits(2)), [false, 'a', 'why']],
    ['fails without words', program('', '\n', exits(2)), [false, '', 'The program ended with exit code 2.']],
    [
      'cuts its output',
      program('x'.repeat(101), '', exits(0)),
      [true, `${'x'.repeat(100)}\n... (output truncated)`, null],
    ],
    [
      'ends its interpreter well',
      program('a', '', fails(new WorkerCrashedError(RUN, { ...END, exitCode: 0 }))),
      [true, 'a', null],
    ],
    [
      'ends its interpreter badly',
      program('a', '', fails(new WorkerCrashedError(RUN, { ...END, exitCode: 9 }))),
      [false, 'a', 'The program ended with exit code 9.'],
    ],
    [
      'is killed',
      program('a', 'e\n', fails(new WorkerCrashedError(RUN, { ...END, signal: 'SIGSEGV' }))),
      [false, 'a', 'e\nThe program was killed by SIGSEGV.'],
    ],
    [
      'is too slow',
      program('a', 'e', fails(new RunTimeoutError(RUN, 1_500))),
      [
        false,
        'a',
        'e\nThe program timed out: it was stopped after 1.5 seconds. ' +
          'It may have an endless loop, or need more time than a program gets here.',
      ],
    ],
  ])('gives the result of a program that %s', async (_how, body, [success, output, errors]) => {
    const result = await setup(body).runner.execute({ code: '1' });
    expect(result).toEqual({ success, output, errors, executionTime: 0, testResult: null });
  });

  it('gives the time in whole milliseconds', async () => {
    const { clock, runner } = setup(
      async () => new Promise((resolve) => void clock.setTimer(12.6, () => resolve({ exitCode: 0 }))),
    );
    const result = runner.execute({ code: '1' });
    await clock.advance(20);
    expect((await result).executionTime).toBe(13);
  });

  it.each(['CIRCUIT_OPEN', 'QUEUE_FULL', 'WORKER_START_FAILED', 'TIMEOUT'])(
    'throws what kept the program from running: %s',
    async (code) => {
      const error = new PawlError('no', { code });
      await expect(setup(fails(error)).runner.execute({ code: '1' })).rejects.toBe(error);
    },
  );

  it("throws the caller's own reason when it is cancelled", async () => {
    const left = new AbortController();
    const { runner } = setup(() => new Promise(() => undefined));
    const result = runner.execute({ code: '1' }, { signal: left.signal });
    const reason = new Error('the client left');
    left.abort(reason);
    await expect(result).rejects.toBe(reason);
  });
});
