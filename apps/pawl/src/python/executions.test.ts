import { PawlError } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { type ExecutionRequest, type ExecutionResult, ExerciseNotFoundError } from '@pawl/python';
import { createExecutor } from '@pawl/runtime';
import { describe, expect, it } from 'vitest';
import { createExecutions } from './executions.ts';
import { createResultCache } from './result-cache.ts';

const RESULT: ExecutionResult = {
  success: true,
  output: '',
  errors: null,
  executionTime: 1,
  testResult: null,
  status: 'ok',
  exitCode: 0,
  signal: null,
  error: null,
  truncated: { stdout: false, stderr: false },
  usage: { wallMs: 1, cpuMs: 1, maxRssBytes: 1 },
  sandbox: 'bubblewrap',
};

/** Programs of which each run gives another output. */
function setup(run: (request: ExecutionRequest) => unknown = () => ({})) {
  const clock = createManualClock();
  const tests = { adding: 'assert 1' };
  let runs = 0;
  const executor = createExecutor({
    clock,
    cache: createResultCache(),
    run: async (_task, request) => {
      runs += 1;
      return { ...RESULT, output: `run ${runs}`, ...((await run(request as ExecutionRequest)) as object) };
    },
  });
  const executions = createExecutions({
    executor,
    exercises: {
      async get(id) {
        if (id !== 'adding') throw new ExerciseNotFoundError(id);
        return { id, title: '', description: '', starterCode: '', testCode: tests.adding };
      },
    },
  });
  return { clock, executions, executor, tests };
}

const CODE = { code: '1' };

it('gives the time of the whole request, in whole milliseconds', async () => {
  const { clock, executions } = setup(
    async () => new Promise((resolve) => void clock.setTimer(12.6, () => resolve({}))),
  );
  const answer = executions.execute(CODE);
  await clock.advance(20);
  expect((await answer).executionTime).toBe(13);
});

it('runs the tests of an exercise, and refuses one that there is not', async () => {
  const seen: ExecutionRequest[] = [];
  const { executions } = setup((request) => {
    seen.push(request);
    return {};
  });
  await executions.execute({ ...CODE, exerciseId: 'adding' });
  expect(seen).toEqual([{ code: '1', testCode: 'assert 1' }]);
  await expect(executions.execute({ ...CODE, exerciseId: 'other' })).rejects.toHaveProperty(
    'code',
    'EXERCISE_NOT_FOUND',
  );
});

it.each(['CIRCUIT_OPEN', 'QUEUE_FULL', 'SANDBOX_UNAVAILABLE', 'EXECUTION_INVALID'])(
  'throws what kept the program from running: %s',
  async (code) => {
    const error = new PawlError('no', { code });
    const { executions } = setup(() => Promise.reject(error));
    await expect(executions.execute(CODE)).rejects.toBe(error);
  },
);

it("throws the caller's own reason when it is cancelled", async () => {
  const left = new AbortController();
  const { executions } = setup(() => new Promise(() => undefined));
  const answer = executions.execute(CODE, { signal: left.signal });
  const reason = new Error('the client left');
  left.abort(reason);
  await expect(answer).rejects.toBe(reason);
});

describe('with a cache', () => {
  it('runs again by default, and says nothing of a cache', async () => {
    const { executions } = setup();
    await executions.execute(CODE);
    const again = await executions.execute(CODE);
    expect(again.output).toBe('run 2');
    expect(again).not.toHaveProperty('cached');
  });

  it('gives out a stored result with all it says, and counts it', async () => {
    const { executions, executor } = setup();
    const first = await executions.execute(CODE, { cache: 'use' });
    const again = await executions.execute(CODE, { cache: 'use' });
    const other = await executions.execute({ ...CODE, stdin: 'x' }, { cache: 'use' });
    expect(first).toMatchObject({ output: 'run 1', cached: false });
    expect(again).toEqual({ ...first, cached: true });
    expect(other).toMatchObject({ output: 'run 2', cached: false });
    expect(executor.stats()).toMatchObject({ total: 3, cached: 1 });
  });

  it('runs anew to refresh, and stores that; neither reads nor stores when it is off', async () => {
    const { executions } = setup();
    await executions.execute(CODE, { cache: 'use' });
    expect(await executions.execute(CODE, { cache: 'refresh' })).toMatchObject({
      output: 'run 2',
      cached: false,
    });
    expect((await executions.execute(CODE)).output).toBe('run 3');
    expect(await executions.execute(CODE, { cache: 'use' })).toMatchObject({ output: 'run 2', cached: true });
  });

  it('stores no failure', async () => {
    const { executions } = setup(() => ({ success: false }));
    await executions.execute(CODE, { cache: 'use' });
    expect(await executions.execute(CODE, { cache: 'use' })).toMatchObject({
      output: 'run 2',
      cached: false,
    });
  });

  it('runs again when the tests of the exercise were changed', async () => {
    const { executions, tests } = setup();
    const request = { ...CODE, exerciseId: 'adding' };
    await executions.execute(request, { cache: 'use' });
    expect(await executions.execute(request, { cache: 'use' })).toMatchObject({ cached: true });
    tests.adding = 'assert 2';
    expect(await executions.execute(request, { cache: 'use' })).toMatchObject({ cached: false });
  });
});
