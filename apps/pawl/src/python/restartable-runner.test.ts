import { createManualClock } from '@pawl/core/testing';
import { createPythonRunner, type PythonRunner, type PythonRunnerOptions } from '@pawl/python';
import { expect, it, onTestFinished } from 'vitest';
import { createRestartableRunner } from './restartable-runner.ts';

function setup() {
  const clock = createManualClock();
  const options: { current: PythonRunnerOptions } = { current: { python: '/there/is/no/python' } };
  const made: PythonRunner[] = [];
  const runner = createRestartableRunner({
    clock,
    create: () => {
      const next = createPythonRunner({ allowUnsandboxed: true, maxConcurrent: 1, ...options.current });
      made.push(next);
      return next;
    },
  });
  onTestFinished(async () => void (await runner.stop({ graceMs: 0 })));
  return { clock, options, made, runner };
}

const SIGNAL = new AbortController().signal;

it('tries a start that failed again after 10 s, once for all who ask', async () => {
  const { clock, options, made, runner } = setup();
  const failures = await Promise.allSettled([
    runner.sandboxReport(),
    runner.execute({ code: 'print(1)' }, { signal: SIGNAL }),
  ]);
  expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);

  options.current = {};
  await clock.advance(9_999);
  await expect(runner.sandboxReport()).rejects.toHaveProperty('code', 'SANDBOX_UNAVAILABLE');
  expect(made).toHaveLength(1);

  await clock.advance(1);
  const [report, result] = await Promise.all([
    runner.sandboxReport(),
    runner.execute({ code: 'print(1)' }, { signal: SIGNAL }),
  ]);
  expect(report.tier).toBeGreaterThanOrEqual(0);
  expect(result.output).toBe('1');
  expect(made).toHaveLength(2);
});

it('starts nothing after its stop', async () => {
  const { made, runner } = setup();
  await runner.stop();
  await expect(runner.execute({ code: '1' }, { signal: SIGNAL })).rejects.toHaveProperty(
    'code',
    'SERVICE_STOPPED',
  );
  expect(made.map(({ state }) => state)).toEqual(['stopped']);
});
