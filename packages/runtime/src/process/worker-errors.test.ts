import { describe, expect, it } from 'vitest';
import { type WorkerEnd, WorkerCrashedError, WorkerStartError } from './worker-errors.ts';

function end(facts: Partial<WorkerEnd> = {}): WorkerEnd {
  return {
    workerId: 'worker-3',
    pid: 41,
    exitCode: 1,
    signal: null,
    phase: 'run',
    stderrTail: '',
    stdoutHead: '',
    ageMs: 12,
    runsDone: 2,
    ...facts,
  };
}

const run = { runId: 'r1', task: 'resize', attempt: 2 };

describe('WorkerCrashedError', () => {
  it('reads as one sentence', () => {
    expect(new WorkerCrashedError(run, end({ exitCode: null, signal: 'SIGSEGV' })).message).toBe(
      'Worker worker-3 (pid 41) was killed by SIGSEGV while it ran "resize" (run r1, attempt 2), after 2 finished runs.',
    );
  });

  it.each([
    ['the last line', 'one\ntwo\n\n', 'two'],
    [
      'the error of Node, not its stack',
      'x\nTypeError: boom\n    at f (a.js:1:1)\n\nNode.js v20.20.2\n',
      'TypeError: boom',
    ],
    ['its code', 'Error [ERR_X]: bad\n    at f (a.js:1:1) {\n  code: 1\n}\n', 'Error [ERR_X]: bad'],
    ['the error of Python', 'Traceback (most recent call last):\n  File "a"\nKeyError: 1\n', 'KeyError: 1'],
    ['the last of two', 'ValueError: first\nmore\nKeyError: second\n', 'KeyError: second'],
  ])('adds what stderr says: %s', (_what, stderrTail, said) => {
    const { message } = new WorkerCrashedError(run, end({ stderrTail }));
    expect(message.endsWith(` It said on stderr: ${said}`)).toBe(true);
  });
});

describe('WorkerStartError', () => {
  it('says how it ended, or what kept it from starting', () => {
    expect(new WorkerStartError(end({ exitCode: 0 })).message).toBe(
      'Worker worker-3 did not start: it exited with code 0.',
    );
    const cause = new Error('No `hello` within 5 ms.');
    expect(new WorkerStartError(end(), cause)).toMatchObject({
      message: 'Worker worker-3 did not start: No `hello` within 5 ms.',
      cause,
      retryable: true,
      code: 'WORKER_START_FAILED',
    });
  });
});
