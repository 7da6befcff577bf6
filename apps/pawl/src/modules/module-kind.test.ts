import { silentLogger, systemClock } from '@pawl/core';
import { createMemoryRunStore, createOutputLogs, createRunTracker } from '@pawl/tasks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, type TestContext } from 'vitest';
import { NO_PYTHON } from '../../test/processes.ts';
import { createModuleKind, type ModuleRequest } from './module-kind.ts';
import { createModuleRegistry } from './module-registry.ts';
import { createTaskTallies } from './task-tallies.ts';
import { createPasswordSeal, readSealKey } from './password-seal.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/modules', import.meta.url));

function setup({ onTestFinished }: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-kind-'));
  const logs = createOutputLogs({ folder });
  const module = createModuleKind({
    registry: createModuleRegistry({ path: EXAMPLES, logger: silentLogger }),
    seal: createPasswordSeal(readSealKey(undefined)),
    logs,
    mode: 'async',
  });
  const tracker = createRunTracker({
    store: createMemoryRunStore(),
    execute: (run, context) => module.run(run.input as ModuleRequest, context),
    clock: systemClock,
  });
  onTestFinished(async () => {
    await tracker.stop({ graceMs: 0 });
    rmSync(folder, { recursive: true });
  });
  const runToEnd = async (request: ModuleRequest) => {
    const { id } = await tracker.start(await module.prepare(request));
    const run = await tracker.wait(id);
    const lines = (await (await logs.open(id)).tail(100)).map(({ text }) => text);
    return { run, lines };
  };
  return { module, tracker, runToEnd };
}

it.skipIf(NO_PYTHON)(`runs a script with the parameters in force${NO_PYTHON}`, async (context) => {
  const { runToEnd } = setup(context);
  const parameters = { name: '--Ada', times: 2, style: 'formal', farewell: true };
  const { run, lines } = await runToEnd({ id: 'greeting', parameters });
  expect(run).toMatchObject({
    task: 'module:greeting',
    state: 'succeeded',
    input: { id: 'greeting', parameters: { ...parameters, title: 'Dr.' } },
  });
  expect(lines).toEqual(['Hello Dr. --Ada', 'Hello Dr. --Ada', 'Goodbye']);
});

it('hands passwords over by the environment, and stores them sealed', async (context) => {
  const { runToEnd, module } = setup(context);
  const parameters = { month: '2026-03', publish: true, 'api-token': 'hunter2hunter2' };
  const { run, lines } = await runToEnd({ id: 'report', parameters });
  expect(lines).toEqual(['Report of 2026-03', 'Published with a token of 14 characters']);
  expect(JSON.stringify(run)).not.toContain('hunter2');
  // What is stored can be asked for again: a retry, or a schedule.
  const again = run.input as ModuleRequest;
  expect(await module.checked(again)).toEqual(again);
  expect((await runToEnd(again)).lines).toEqual(lines);
});

it('refuses a password that another service sealed', async (context) => {
  const { module } = setup(context);
  const sealed = createPasswordSeal(readSealKey(undefined)).seal('hunter2hunter2', 'report.api-token');
  const parameters = { month: '2026-03', publish: true, 'api-token': sealed };
  await expect(module.prepare({ id: 'report', parameters })).rejects.toMatchObject({
    code: 'MODULE_PARAMETERS_INVALID',
    faults: [{ parameter: 'api-token' }],
  });
});

it('is titled by the name of the module, or the id of one that is gone', async (context) => {
  const { module } = setup(context);
  await module.checked({ id: 'countdown' });
  expect(module.title({ id: 'countdown' })).toBe('Countdown');
  expect(module.title({ id: 'gone' })).toBe('gone');
});

it('counts the runs of a module: those before somebody asked, and those since', async (context) => {
  const { tracker, module, runToEnd } = setup(context);
  const seconds = (fail: boolean): ModuleRequest => ({ id: 'countdown', parameters: { seconds: 0, fail } });
  await runToEnd(seconds(false));
  const tallies = createTaskTallies(tracker);
  expect(await tallies.of('module:countdown')).toMatchObject({
    runs: 1,
    successRate: 1,
    lastRun: { state: 'succeeded' },
  });
  const { run } = await runToEnd(seconds(true));
  expect(await tallies.of('module:countdown')).toMatchObject({
    runs: 2,
    successRate: 0.5,
    lastRun: { id: run.id, state: 'failed' },
  });
  expect(await tallies.of('module:other')).toEqual({ runs: 0, successRate: null, lastRun: undefined });
  expect(module.title({ id: 'countdown' })).toBe('Countdown');
});
