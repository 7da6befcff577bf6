import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Lints planted files under the workspace's own rules, in a folder of their own, so that a build or a lint that runs
 * at the same time never sees them. @returns what was said of each file
 */
function lint(planted: Readonly<Record<string, string>>): Record<string, string[]> {
  const at = mkdtempSync(join(tmpdir(), 'pawl-layers-'));
  try {
    writeFileSync(join(at, '.oxlintrc.json'), readFileSync(join(root, '.oxlintrc.json')));
    for (const [path, text] of Object.entries(planted)) {
      mkdirSync(dirname(join(at, path)), { recursive: true });
      writeFileSync(join(at, path), `${text}\n`);
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '--format=json', '.'], {
      cwd: at,
      encoding: 'utf8',
      // The type-aware half of the linter is a program of its own, found by its path.
      env: {
        ...process.env,
        OXLINT_TSGOLINT_PATH: join(root, 'node_modules/oxlint-tsgolint/bin/tsgolint.js'),
      },
    });
    const said: Record<string, string[]> = {};
    for (const path of Object.keys(planted)) said[path] = [];
    const report = JSON.parse(stdout === '' ? stderr : stdout) as {
      diagnostics: { message: string; help?: string; filename: string }[];
      number_of_files: number;
    };
    expect(report.number_of_files).toBe(Object.keys(planted).length);
    for (const { filename, message, help } of report.diagnostics) {
      said[filename]?.push(`${message} ${help ?? ''}`);
    }
    return said;
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}

const GROUND = 'core is the ground: it imports nothing.';
const LEAF = 'stand on core alone: siblings never import each other.';
const UP = 'runtime stands on core, ipc, resilience and caching: an import never goes up.';
const PATTERNS = 'tasks stands on runtime and what is below: stores and apps import it, never the reverse.';
const STORE = 'sqlite is a store: it stands on core, caching and tasks alone.';
const PYTHON = 'python stands on runtime and what is below, beside tasks.';
const BY_PATH = 'Import another package by its name, not by its path.';

describe('the layer rule', () => {
  const wrong: readonly (readonly [where: string, source: string, message: string])[] = [
    ['packages/core', '@pawl/ipc', GROUND],
    ['packages/core', '@pawl/runtime', GROUND],
    ['packages/core', 'pawl', GROUND],
    ['packages/ipc', '@pawl/resilience', LEAF],
    ['packages/ipc', '@pawl/runtime', LEAF],
    ['packages/resilience', '@pawl/caching', LEAF],
    ['packages/resilience', '@pawl/ipc', LEAF],
    ['packages/caching', '@pawl/runtime', LEAF],
    ['packages/caching', '@pawl/resilience', LEAF],
    ['packages/runtime', '@pawl/tasks', UP],
    ['packages/runtime', '@pawl/python', UP],
    ['packages/runtime', 'pawl', UP],
    ['packages/tasks', '@pawl/sqlite', PATTERNS],
    ['packages/tasks', '@pawl/python', PATTERNS],
    ['packages/tasks', 'pawl', PATTERNS],
    ['packages/sqlite', '@pawl/runtime', STORE],
    ['packages/sqlite', '@pawl/python', STORE],
    ['packages/python', '@pawl/tasks', PYTHON],
    ['packages/python', '@pawl/sqlite', PYTHON],
    ['packages/ipc', '../../caching/src/index.ts', BY_PATH],
    ['packages/runtime', '../../../apps/pawl/src/main.ts', BY_PATH],
  ];
  const right: readonly (readonly [where: string, source: string])[] = [
    ['packages/core', './clock.ts'],
    ['packages/core', 'node:fs'],
    ['packages/ipc', '@pawl/core'],
    ['packages/ipc', '@pawl/core/testing'],
    ['packages/resilience', '@pawl/core'],
    ['packages/caching', '@pawl/core'],
    ['packages/runtime', '@pawl/core'],
    ['packages/runtime', '@pawl/ipc'],
    ['packages/runtime', '@pawl/resilience'],
    ['packages/runtime', '@pawl/caching'],
    ['packages/tasks', '@pawl/runtime'],
    ['packages/tasks', '@pawl/resilience'],
    ['packages/sqlite', '@pawl/tasks'],
    ['packages/sqlite', '@pawl/caching'],
    ['packages/python', '@pawl/runtime'],
    ['packages/python', '@pawl/ipc'],
    ['apps/pawl', '@pawl/runtime'],
    ['apps/pawl', '@pawl/core'],
  ];
  const forms = [
    (source: string) => `import { thing } from '${source}';\nexport const own = [thing];`,
    (source: string) => `import type { Thing } from '${source}';\nexport type Own = Thing;`,
    (source: string) => `export { thing } from '${source}';`,
  ];
  const file = (where: string, index: number, form: number): string =>
    `${where}/src/deeper/planted-${index}-${form}.ts`;
  const plant = (list: readonly (readonly string[])[]): Record<string, string> =>
    Object.fromEntries(
      list.flatMap(([where = '', source = ''], index) =>
        forms.map((text, form) => [file(where, index, form), text(source)] as const),
      ),
    );

  it('refuses every import that goes up or sideways, in each form it can take', () => {
    const said = lint(plant(wrong));
    for (const [index, [where, , message]] of wrong.entries()) {
      for (const form of forms.keys()) {
        const path = file(where, index, form);
        expect(said[path]?.join('\n'), `${path}: ${plant(wrong)[path]}`).toContain(message);
      }
    }
  });

  it('accepts every import that goes down', () => {
    const said = lint(plant(right));
    for (const [path, messages] of Object.entries(said)) expect(messages, path).toEqual([]);
  });

  it('covers every package there is', () => {
    const covered = new Set(wrong.map(([where]) => where.replace('packages/', '')));
    const folders = readdirSync(join(root, 'packages'), { withFileTypes: true });
    for (const { name } of folders.filter((entry) => entry.isDirectory())) expect(covered).toContain(name);
  });
});

describe('time, chance and the process', () => {
  const CLOCK = 'Take a clock';
  const RANDOM = 'Take a random source';
  const PROCESS = 'Only apps, the worker and shutdown/signals.ts';
  const ENVIRONMENT = 'only apps, the worker and process/environment.ts read the environment';
  const wrong: readonly (readonly [text: string, message: string])[] = [
    ['export const at = Date.now();', CLOCK],
    ['export const at = new Date();', CLOCK],
    ['export const at = performance.now();', CLOCK],
    ['setTimeout(() => undefined, 5);', CLOCK],
    ['export const timer = setInterval(() => undefined, 5);', CLOCK],
    ["export { setTimeout } from 'node:timers/promises';", CLOCK],
    ['export const chance = Math.random();', RANDOM],
    ["export const home = process.env['HOME'];", ENVIRONMENT],
    ['export const { env } = process;', ENVIRONMENT],
    ['export const end = (): never => process.exit(1);', PROCESS],
    ["process.on('SIGTERM', () => undefined);", PROCESS],
    ["process.once('SIGTERM', () => undefined);", PROCESS],
    ["import process from 'node:process';\nprocess.exit(1);", PROCESS],
  ];
  const packages = ['core', 'ipc', 'resilience', 'caching', 'runtime'];
  const plantIn = (folder: string): Record<string, string> =>
    Object.fromEntries(wrong.map(([text], index) => [`${folder}/planted-${index}.ts`, text]));

  it.each(packages)('are injected in %s', (name) => {
    const folder = `packages/${name}/src`;
    const said = lint(plantIn(folder));
    for (const [index, [text, message]] of wrong.entries()) {
      expect(said[`${folder}/planted-${index}.ts`]?.join('\n'), text).toContain(message);
    }
  });

  const withProcess = wrong.filter(([, message]) => message === PROCESS || message === ENVIRONMENT);

  it('leaves the process to the files that own it, but neither time nor chance', () => {
    const planted: Record<string, string> = {};
    for (const [index, [text]] of withProcess.entries()) {
      planted[`packages/runtime/src/worker/planted-${index}.ts`] = text;
    }
    planted['packages/resilience/src/shutdown/signals.ts'] = "process.once('SIGTERM', () => undefined);";
    planted['packages/runtime/src/process/environment.ts'] = 'export const { env } = process;';
    for (const [path, messages] of Object.entries(lint(planted))) expect(messages, path).toEqual([]);
    const chance = lint({ 'packages/runtime/src/worker/planted.ts': 'export const chance = Math.random();' });
    expect(Object.values(chance).flat().join()).toContain(RANDOM);
    const time = lint({ 'packages/runtime/src/worker/planted.ts': 'export const at = Date.now();' });
    expect(Object.values(time).flat().join()).toContain(CLOCK);
  });

  it('leaves time and chance to their two homes', () => {
    const said = lint({
      'packages/core/src/clock.ts': 'export const at = Date.now();',
      'packages/core/src/random.ts': 'export const chance = Math.random();',
    });
    expect(Object.values(said).flat()).toEqual([]);
  });

  it('leaves both to the app', () => {
    const said = lint({ 'apps/pawl/src/main.ts': "export const port = process.env['PORT'] ?? Date.now();" });
    expect(Object.values(said).flat()).toEqual([]);
  });
});
