import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { isAlive, makeFolder, NO_PROC, NO_PYTHON, PAWL, processesWith, until } from './processes.ts';

interface Command {
  readonly pid: number;
  readonly stdin: NodeJS.WritableStream;
  stdout(): string;
  stderr(): string;
  /** When each line of stdout came. */
  readonly lines: readonly { readonly text: string; readonly at: number }[];
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
}

/** Files of this test's own, and the command to run them with. What is started ends with the test. */
function setup({ onTestFinished }: TestContext, files: Readonly<Record<string, string>> = {}) {
  const { path: folder, remove } = makeFolder();
  onTestFinished(() => {
    if (NO_PROC === '') {
      for (const line of processesWith(folder)) process.kill(Number(line.split(' ')[0]), 'SIGKILL');
    }
    remove();
  });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

  /** `pawl …args`, in that folder. */
  function pawl(args: readonly string[], env: Readonly<Record<string, string>> = {}): Command {
    const child = spawn(process.execPath, [PAWL, ...args], {
      cwd: folder,
      env: { ...process.env, PAWL_TEST_FOLDER: folder, ...env },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const output = { stdout: '', stderr: '' };
    const lines: { text: string; at: number }[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
      for (const line of text.split('\n').filter((each) => each !== '')) {
        lines.push({ text: line, at: performance.now() });
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.stdin.on('error', () => undefined);
    return {
      pid: child.pid ?? 0,
      stdin: child.stdin,
      stdout: () => output.stdout,
      stderr: () => output.stderr,
      lines,
      kill: (signal) => void child.kill(signal),
      exited: once(child, 'close').then(([code]) => code as number | null),
    };
  }
  return { folder, pawl, at: (name: string) => join(folder, name) };
}

describe.concurrent('pawl run', () => {
  it('streams lines as they come', async (context) => {
    const { pawl } = setup(context, {
      'slow.mjs':
        "console.log('first'); process.stdin.once('data', (data) => { console.log('got ' + String(data).trim()); process.exit(); })",
    });
    const command = pawl(['run', 'slow.mjs']);
    await until('the first line came', () => command.stdout() === 'first\n');
    // The script goes on only now, so the line was not held back until its end.
    command.stdin.write('more\n');
    expect(await command.exited).toBe(0);
    expect(command.lines.map(({ text }) => text)).toEqual(['first', 'got more']);
    expect(command.stderr()).toBe('');
  });

  it.skipIf(NO_PYTHON)(
    `streams those of Python too, which buffers when nobody looks${NO_PYTHON}`,
    async (context) => {
      const { pawl } = setup(context, {
        'slow.py': 'import sys\nprint("first")\nprint("got", sys.stdin.readline().strip())',
      });
      // Whatever the environment of the tests says.
      const command = pawl(['run', 'slow.py'], { PYTHONUNBUFFERED: '' });
      await until('the first line came', () => command.stdout() === 'first\n');
      command.stdin.write('more\n');
      expect(await command.exited).toBe(0);
      expect(command.stdout()).toBe('first\ngot more\n');
    },
  );

  it('keeps stdout and stderr apart', async (context) => {
    const { pawl } = setup(context, { 'both.mjs': 'console.log("out"); console.error("err");' });
    const command = pawl(['run', 'both.mjs']);
    await command.exited;
    expect([command.stdout(), command.stderr()]).toEqual(['out\n', 'err\n']);
  });

  it.for<readonly string[]>([
    ['script.mjs', 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)'],
    ['script.cjs', 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)'],
    ['script.js', 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(7)'],
    ...(NO_PYTHON === ''
      ? [
          [
            'script.py',
            'import json, sys; print(json.dumps(sys.argv[1:], separators=(",", ":"))); sys.exit(7)',
          ],
        ]
      : []),
    ['script.sh', `printf '["%s","%s","%s","%s"]\\n' "$@"; exit 7`],
  ])('mirrors the exit code of %s and hands it what is after --', async ([name = '', text = ''], context) => {
    const { pawl } = setup(context, { [name]: text });
    const command = pawl(['run', name, '--', '--arg', 'a value', '--', '--help']);
    expect(await command.exited).toBe(7);
    expect(command.stdout()).toBe('["--arg","a value","--","--help"]\n');
  });

  it('prints its output as JSON lines, and how it ended', async (context) => {
    const { pawl } = setup(context, {
      'say.sh': 'echo "wörd \\"1\\""; echo oops >&2; sleep 300 & printf last; exit 3',
    });
    const command = pawl(['run', '--json', 'say.sh']);
    expect(await command.exited).toBe(3);
    expect(command.stderr()).toBe('');
    const events = command
      .stdout()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    const entry = (stream: string, text: string): unknown =>
      expect.objectContaining({
        event: 'entry',
        stream,
        text,
        at: expect.stringMatching(/^20.*Z$/) as string,
      });
    expect(events.filter(({ stream }) => stream === 'stdout')).toEqual([
      entry('stdout', 'wörd "1"'),
      entry('stdout', 'last'),
    ]);
    expect(events.filter(({ stream }) => stream === 'stderr')).toEqual([entry('stderr', 'oops')]);
    expect(events.at(-1)).toEqual({
      event: 'complete',
      exitCode: 3,
      signal: null,
      durationMs: expect.any(Number) as number,
    });
  });

  it('runs any executable, by its first line', async (context) => {
    const { pawl, at, folder } = setup(context, { tool: '#!/bin/sh\necho "ran $1 in $(pwd)"' });
    chmodSync(at('tool'), 0o755);
    const command = pawl(['run', './tool', '--', 'x']);
    expect(await command.exited).toBe(0);
    expect(command.stdout()).toBe(`ran x in ${folder}\n`);
  });

  it("runs in the user's own environment", async (context) => {
    const { pawl } = setup(context, { 'env.mjs': 'console.log(process.env.MY_OWN_SETTING)' });
    const command = pawl(['run', 'env.mjs'], { MY_OWN_SETTING: 'mine' });
    await command.exited;
    expect(command.stdout()).toBe('mine\n');
  });

  it('passes stdin through to its end', async (context) => {
    const { pawl } = setup(context, { 'cat.sh': 'cat' });
    const command = pawl(['run', 'cat.sh']);
    const text = 'é\n'.repeat(100_000);
    command.stdin.end(text);
    expect(await command.exited).toBe(0);
    expect(command.stdout()).toBe(text);
  });

  it.for<readonly [signal: string, code: number]>([
    ['SIGKILL', 137],
    ['SIGTERM', 143],
    ['SIGUSR1', 138],
  ])('says 128 and the number when the script is killed by %s', async ([signal, code], context) => {
    const { pawl } = setup(context, {
      'die.mjs': `process.kill(process.pid, '${signal}'); setInterval(() => {}, 1000)`,
    });
    // Node itself takes SIGUSR1 for its debugger.
    const { pawl: shell } = setup(context, { 'die.sh': `kill -${signal.slice(3)} $$` });
    const command = signal === 'SIGUSR1' ? shell(['run', 'die.sh']) : pawl(['run', 'die.mjs']);
    expect(await command.exited).toBe(code);
  });

  it('is not held back by a wrong setting of the service', async (context) => {
    const { pawl } = setup(context, { 'ok.mjs': 'console.log("ok")' });
    expect(await pawl(['run', 'ok.mjs'], { PAWL_PORT: 'nonsense' }).exited).toBe(0);
  });

  describe('says why it can not run', () => {
    it('a script that is not there: 66', async (context) => {
      const command = setup(context).pawl(['run', 'nowhere.py']);
      expect(await command.exited).toBe(66);
      expect(command.stderr()).toBe('pawl: there is no script nowhere.py\n');
    });

    it('a folder: 66', async (context) => {
      const { pawl, at } = setup(context);
      mkdirSync(at('folder.py'));
      const command = pawl(['run', 'folder.py']);
      expect(await command.exited).toBe(66);
      expect(command.stderr()).toBe('pawl: folder.py is not a file\n');
    });

    it('a file that is not executable: 126', async (context) => {
      const { pawl, at } = setup(context, { data: 'x' });
      const command = pawl(['run', 'data']);
      expect(await command.exited).toBe(126);
      expect(command.stderr()).toBe(`pawl: Can't start \`${at('data')}\`: it may not be executed.\n`);
    });

    it('a Python that is missing: 69', async (context) => {
      const { pawl } = setup(context, { 'script.py': '' });
      const command = pawl(['run', 'script.py'], { PAWL_PYTHON: '/no/python' });
      expect(await command.exited).toBe(69);
      expect(command.stderr()).toBe(
        "pawl: Can't use `/no/python` as Python: there is no such program. Install Python 3.8 or later, or name one.\n",
      );
    });
  });

  describe.skipIf(NO_PROC)(`on Ctrl-C${NO_PROC}`, () => {
    /** A script with a grandchild that ignores SIGINT and SIGTERM; both are ready when it has printed `ready`. */
    const withGrandchild = (onInterrupt: string): string => `
      import { spawn } from 'node:child_process';
      ${onInterrupt}
      const stubborn = "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {});" +
        "process.stdout.write('ready\\\\n'); setInterval(() => {}, 1000)";
      const child = spawn(process.execPath, ['-e', stubborn], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.once('data', () => console.log('ready ' + child.pid));
      setInterval(() => {}, 1000);`;

    it('ends the script and what it started, and says 130', async (context) => {
      const { pawl, folder } = setup(context, { 'tree.mjs': withGrandchild('') });
      const command = pawl(['run', 'tree.mjs']);
      const pid = await until('the grandchild is ready', () => /ready (\d+)/.exec(command.stdout())?.[1]);
      command.kill('SIGINT');
      expect(await command.exited).toBe(130);
      await until('the grandchild is gone', () => !isAlive(Number(pid)), 2_000);
      expect(processesWith(folder)).toEqual([]);
    });

    it.for(['SIGTERM', 'SIGHUP'] as const)('or %s, likewise', async (signal, context) => {
      const { pawl, folder } = setup(context, { 'tree.mjs': withGrandchild('') });
      const command = pawl(['run', 'tree.mjs']);
      await until('the grandchild is ready', () => command.stdout().includes('ready'));
      command.kill(signal);
      expect(await command.exited).toBe(signal === 'SIGTERM' ? 143 : 129);
      await until('nobody is left', () => processesWith(folder).length === 0, 2_000);
    });

    it('lets the script clean up, and mirrors what it says; one Ctrl-C that arrives twice is one', async (context) => {
      const { pawl } = setup(context, {
        'tidy.mjs': `process.on('SIGINT', () => { console.log('tidying'); setTimeout(() => { console.log('tidy'); process.exit(3); }, 500); });
          console.log('ready'); setInterval(() => {}, 1000);`,
      });
      const command = pawl(['run', 'tidy.mjs']);
      await until('it is ready', () => command.stdout() === 'ready\n');
      command.kill('SIGINT');
      // As from a terminal and from npx, which forwards it.
      await until('it heard the first', () => command.stdout().includes('tidying'));
      command.kill('SIGINT');
      expect(await command.exited).toBe(3);
      expect(command.stdout()).toBe('ready\ntidying\ntidy\n');
    });

    it('a second time kills at once', async (context) => {
      const { pawl, folder } = setup(context, {
        'deaf.mjs': withGrandchild("process.on('SIGINT', () => console.log('no'));"),
      });
      const command = pawl(['run', 'deaf.mjs']);
      await until('the grandchild is ready', () => command.stdout().includes('ready'));
      command.kill('SIGINT');
      await until('it refuses to go', () => command.stdout().includes('no'));
      await wait(300);
      const secondAt = performance.now();
      command.kill('SIGINT');
      expect(await command.exited).toBe(137);
      // Well before the grace of five seconds.
      expect(performance.now() - secondAt).toBeLessThan(2_500);
      await until('nobody is left', () => processesWith(folder).length === 0, 2_000);
    });

    it('a script that does not go is killed after five seconds', { timeout: 30_000 }, async (context) => {
      const { pawl, folder } = setup(context, {
        'deaf.mjs': withGrandchild("process.on('SIGINT', () => console.log('no'));"),
      });
      const command = pawl(['run', 'deaf.mjs']);
      await until('the grandchild is ready', () => command.stdout().includes('ready'));
      const interruptedAt = performance.now();
      command.kill('SIGINT');
      expect(await command.exited).toBe(137);
      expect(performance.now() - interruptedAt).toBeGreaterThan(4_900);
      await until('nobody is left', () => processesWith(folder).length === 0, 2_000);
    });
  });

  it.skipIf(NO_PROC)(`leaves nothing that the script started${NO_PROC}`, async (context) => {
    const { pawl, folder, at } = setup(context, { 'leave.sh': 'sleep 600 &\necho $! > pid' });
    expect(await pawl(['run', 'leave.sh']).exited).toBe(0);
    expect(existsSync(at('pid'))).toBe(true);
    const pid = Number(readFileSync(at('pid'), 'utf8'));
    await until('the grandchild is gone', () => !isAlive(pid), 2_000);
    expect(processesWith(folder)).toEqual([]);
  });
});

describe.concurrent('pawl', () => {
  it.for<readonly [args: readonly string[], code: number, stdout: RegExp, stderr: RegExp]>([
    [['--version'], 0, new RegExp(`^${manifest.version.replaceAll('.', String.raw`\.`)}\n$`), /^$/],
    [['--help'], 0, /Usage: pawl [^]*--help[^]*run [^]*serve [^]*Exit codes:[^]*130 /, /^$/],
    [['run', '--help'], 0, /Usage: pawl run [^]*after --[^]*pawl run report.py -- --month 5/, /^$/],
    [['help', 'run'], 0, /Usage: pawl run /, /^$/],
    [['help', 'schedule', 'add'], 0, /Usage: pawl schedule add [^]*--cron/, /^$/],
    [['serve', '--help'], 0, /Settings are read from the environment[^]*PAWL_PORT/, /^$/],
    [[], 64, /^$/, /Usage: pawl/],
    [['schedule'], 64, /^$/, /Usage: pawl schedule/],
    [['fly'], 64, /^$/, /^pawl: unknown command 'fly'\n\(`pawl --help` shows the commands\)\n$/],
    [['subimt'], 64, /^$/, /^pawl: unknown command 'subimt'\n\(Did you mean submit\?\)/],
    [['schedule', 'lss'], 64, /^$/, /^pawl: unknown command 'lss'\n\(Did you mean ls\?\)/],
    [['ls', '--sate', 'failed'], 64, /^$/, /^pawl: unknown option '--sate'\n\(Did you mean --state\?\)/],
    [['--fly'], 64, /^$/, /^pawl: unknown option '--fly'/],
    [
      ['run'],
      64,
      /^$/,
      /^pawl: missing required argument 'script'\n\(`pawl run --help` shows how it is used\)\n$/,
    ],
    [['run', 'x.py', '--month', '5'], 64, /^$/, /^pawl: unknown option '--month'/],
    [['serve', 'now'], 64, /^$/, /^pawl: too many arguments/],
  ])('%j exits with %i', async ([args, code, stdout, stderr], context) => {
    const command = setup(context).pawl(args);
    expect(await command.exited).toBe(code);
    expect(command.stdout()).toMatch(stdout);
    expect(command.stderr()).toMatch(stderr);
  });
});
