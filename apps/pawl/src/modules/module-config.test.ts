import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { expect, it, type TestContext } from 'vitest';
import { createModuleConfigs } from './module-config.ts';
import { definitionSchema } from './module-definition.ts';

const module = definitionSchema.parse({
  id: 'Report',
  name: 'Report',
  script: 'report.py',
  parameters: [
    { name: 'month', type: 'text', required: true },
    { name: 'times', type: 'number', max: 5 },
    { name: 'token', type: 'password', required: true },
  ],
});

function setup({ onTestFinished }: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'pawl-config-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'modules');
  return {
    folder,
    configs: createModuleConfigs({ folder, clock: createManualClock(), logger: silentLogger }),
  };
}

it('keeps what was saved, whole, and forgets it', async (context) => {
  const { configs, folder } = setup(context);
  expect(await configs.read(module)).toEqual({ parameters: {}, updatedAt: undefined });
  const saved = await configs.save(module, { times: 3 });
  expect(await configs.read(module)).toEqual(saved);
  await configs.save(module, { month: 'May' });
  expect((await configs.read(module)).parameters).toEqual({ month: 'May' });
  expect(readdirSync(folder)).toEqual(['report.json']);
  expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8'))).toMatchObject({ moduleId: 'Report' });
  expect([await configs.remove('Report'), await configs.remove('Report')]).toEqual([true, false]);
});

it('is whole whoever writes at the same time', async (context) => {
  const { configs, folder } = setup(context);
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => configs.save(module, { month: 'x'.repeat(n * 100 + 1) })),
  );
  expect((await configs.read(module)).parameters['month']).toMatch(/^x+$/);
  expect(readdirSync(folder)).toEqual(['report.json']);
});

it('refuses passwords, values that break a rule, and names it does not know', async (context) => {
  const { configs } = setup(context);
  for (const [parameters, parameter] of [
    [{ token: 'secret' }, 'token'],
    [{ times: 9 }, 'times'],
    [{ other: 1 }, 'other'],
  ] as const) {
    await expect(configs.save(module, parameters)).rejects.toMatchObject({ faults: [{ parameter }] });
  }
  expect((await configs.read(module)).parameters).toEqual({});
});

it('takes a file that is damaged for none, and of an old one what still holds', async (context) => {
  const { configs, folder } = setup(context);
  await configs.save(module, { times: 1 });
  const file = join(folder, 'report.json');
  writeFileSync(file, '{"parameters":');
  expect(await configs.read(module)).toEqual({ parameters: {}, updatedAt: undefined });
  const updatedAt = '2026-03-01T00:00:00.000Z';
  writeFileSync(
    file,
    JSON.stringify({ moduleId: 'Report', parameters: { times: 99, month: 'May' }, updatedAt }),
  );
  expect(await configs.read(module)).toEqual({
    parameters: { month: 'May' },
    updatedAt: Date.parse(updatedAt),
  });
});
