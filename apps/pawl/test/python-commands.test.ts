import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, NO_PYTHON, PAWL } from './processes.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Files of this test's own, and the command in their folder. */
function setup({ onTestFinished }: TestContext, files: Readonly<Record<string, string>> = {}) {
  const folder = makeFolder();
  onTestFinished(folder.remove);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder.path, name), content);
  return async (args: readonly string[], { input = '', env = {} } = {}): Promise<Ended> => {
    const child = spawn(process.execPath, [PAWL, ...args], {
      cwd: folder.path,
      env: {
        ...process.env,
        PAWL_ALLOW_UNSANDBOXED: '1',
        PAWL_DATA_DIR: join(folder.path, 'data'),
        PAWL_URL: 'http://127.0.0.1:2',
        ...env,
      },
    });
    child.stdin.on('error', () => undefined).end(input);
    const ended = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  };
}

const NO_PYTHON_THERE = { env: { PAWL_PYTHON: '/there/is/no/python', PAWL_ALLOW_UNSANDBOXED: '0' } };

describe(`pawl exec${NO_PYTHON}`, { timeout: 60_000, skip: NO_PYTHON !== '' }, () => {
  it.for([
    ['print(1)', 0],
    ['import sys; sys.exit(7)', 7],
    ['1/0', 1],
    ['import os; os.kill(os.getpid(), 6)', 134],
    ['while True: pass', 124],
  ] as const)('mirrors the outcome of %s: %i', async ([code, exitCode], context) => {
    expect((await setup(context)(['exec'], { input: code })).code).toBe(exitCode);
  });

  it('runs a file with its input, and prints what it printed', async (context) => {
    const exec = setup(context, {
      'main.py': 'import sys\nprint(input())\nprint("e", file=sys.stderr)',
      in: 'hello',
    });
    expect(await exec(['exec', 'main.py', '--stdin', 'in'])).toEqual({
      code: 0,
      stdout: 'hello\n',
      stderr: 'e\n',
    });
  });

  it('runs tests, of a file or an exercise', async (context) => {
    const exec = setup(context, {
      'main.py': 'def add(a, b): return a - b',
      'tests.py': 'import starter\nassert starter.add(2, 0) == 2\nassert starter.add(2, 3) == 5',
    });
    const { code, stdout } = await exec(['exec', 'main.py', '--tests', 'tests.py']);
    expect(code).toBe(1);
    expect(stdout).toBe(
      'passed  starter.add(2, 0) == 2\n' +
        'failed  starter.add(2, 3) == 5: The assertion does not hold. Expected 5, got -1.\n' +
        '1 of 2 tests passed\n',
    );
    const greeting = await exec(['exec', '--exercise', 'greeting'], { input: 'print("Hello, World!")' });
    expect(greeting).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 of 2 tests passed\n$/) });
  });

  it('gives the whole result for programs', async (context) => {
    const { stdout } = await setup(context)(['exec', '--json', '-'], { input: 'print(1)' });
    expect(JSON.parse(stdout)).toMatchObject({ success: true, output: '1', status: 'ok' });
  });

  it.for([
    [['exec', 'nowhere.py'], 66, /nowhere\.py/],
    [['exec', '--exercise', 'nowhere'], 66, /There is no exercise `nowhere`/],
    [['exec', '--tests', 'nowhere.py'], 66, /nowhere\.py/],
  ] as const)('refuses %j with %i', async ([args, exitCode, why], context) => {
    const { code, stderr } = await setup(context)(args, { input: '1' });
    expect([code, stderr]).toEqual([exitCode, expect.stringMatching(why)]);
  });

  it('refuses where no sandbox works, and says what would help', async (context) => {
    const { code, stderr } = await setup(context)(['exec'], { input: '1', ...NO_PYTHON_THERE });
    expect([code, stderr]).toEqual([
      69,
      expect.stringMatching(/^pawl: no sandbox works here .*PAWL_ALLOW_UNSANDBOXED=1/),
    ]);
  });
});

describe(`pawl doctor${NO_PYTHON}`, { timeout: 60_000, skip: NO_PYTHON !== '' }, () => {
  it('shows what is here, in a line each', async (context) => {
    const { code, stdout } = await setup(context)(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ok +node +v[^\n]+\nok +python +\d[^\n]+\n(?:ok|missing) +bubblewrap +tier 1: [^\n]+\n(?:ok|missing) +landlock +tier 2: [^\n]+\nok +data folder +[^\n]+\nok +store +[^\n]+\nmissing +service +[^\n]+\n\nPrograms run [^\n]+\n$/,
    );
  });

  it('shows why each can not be used, and what to install', async (context) => {
    const { code, stdout } = await setup(context)(['doctor', '--json'], NO_PYTHON_THERE);
    expect(code).toBe(69);
    const why = expect.stringContaining('there is no such program');
    expect(JSON.parse(stdout)).toMatchObject({
      ready: false,
      sandbox: null,
      findings: [
        { name: 'node', ok: true },
        { name: 'python', ok: false, detail: why },
        { name: 'bubblewrap', ok: false },
        { name: 'landlock', ok: false },
        { name: 'data folder', ok: true },
        { name: 'store', ok: true },
        { name: 'service', ok: false },
      ],
    });
    const shown = await setup(context)(['doctor'], NO_PYTHON_THERE);
    expect(shown.stdout).toMatch(
      /\nPrograms can't be run\. Install bubblewrap and python3 \(`apt-get install/,
    );
  });
});
