import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, NO_PYTHON, PAWL } from './processes.ts';
import { type Ended, pawl as runPawl } from './pawl-command.ts';
import { startService } from './start-service.ts';

/** An address where nobody listens. */
const NOBODY = 'http://127.0.0.1:2';

/** The command in a folder of this test's own, with its data in there. */
function setup({ onTestFinished }: TestContext) {
  const folder = makeFolder();
  onTestFinished(folder.remove);
  const pawl = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
    runPawl(args, {
      cwd: folder.path,
      env: { PAWL_DATA_DIR: join(folder.path, 'data'), PAWL_URL: NOBODY, ...env },
    });
  return { folder: folder.path, pawl, at: (name: string) => join(folder.path, name) };
}

describe.concurrent('pawl advise', { timeout: 120_000 }, () => {
  it.for<readonly [args: readonly string[], pattern: string]>([
    [[], 'simple'],
    [['--duration', '5m'], 'long-running'],
    [['--live'], 'long-running'],
    [['--concurrent', '4'], 'concurrent'],
    [['--forget'], 'fire-and-forget'],
    [['--recurring'], 'periodic'],
    [['--per-minute', '30'], 'pooled'],
  ])('%j recommends %s, and says why', async ([args, pattern], context) => {
    const { pawl } = setup(context);
    const { code, stdout, stderr } = await pawl(['advise', ...args]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^${pattern}\n {2}\\S`));
    const json = await pawl(['advise', ...args, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ pattern, reasons: [expect.any(String)] });
  });

  it('compares and explains patterns', async (context) => {
    const { pawl } = setup(context);
    expect((await pawl(['advise', '--compare'])).stdout).toMatch(/^PATTERN +ANSWERS[^]*\npooled /);
    expect(JSON.parse((await pawl(['advise', '--compare', '--json'])).stdout)).toHaveProperty('patterns.5');
    expect((await pawl(['advise', '--explain', 'pooled'])).stdout).toMatch(
      /^pooled \(createResourcePool\)\n[^]*In code:\n/,
    );
    const json = await pawl(['advise', '--explain', 'pooled', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ name: 'pooled', benefits: expect.any(Array) });
    expect((await pawl(['advise', '--explain', 'nonsense'])).code).toBe(64);
    expect((await pawl(['advise', '--duration', 'long'])).code).toBe(64);
  });
});

describe.concurrent('pawl token', { timeout: 120_000 }, () => {
  it('makes tokens that only their file forgets, lists them, and takes them back', async (context) => {
    const { pawl, at } = setup(context);
    const file = at('data/tokens.json');
    const { code, stdout, stderr } = await pawl(['token', 'create', '--name', 'ci', '--role', 'run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pawl_[\w-]{43}\n$/);
    expect(stderr).toContain(file);
    expect(readFileSync(file, 'utf8')).not.toContain(stdout.trim());
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      tokens: [{ name: 'ci', role: 'run', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const json = await pawl(['token', 'create', '--name', 'me', '--role', 'admin', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: 'me',
      role: 'admin',
      token: expect.stringMatching(/^pawl_/),
      file,
    });
    expect((await pawl(['token', 'ls'])).stdout).toBe('TOKEN  ROLE\nci     run\nme     admin\n');
    expect(await pawl(['token', 'rm', 'ci'])).toEqual({ code: 0, stdout: 'ci removed\n', stderr: '' });
    expect(JSON.parse((await pawl(['token', 'ls', '--json'])).stdout)).toEqual({
      tokens: [{ name: 'me', role: 'admin' }],
    });
    expect(JSON.parse((await pawl(['token', 'rm', 'me', '--json'])).stdout)).toEqual({
      name: 'me',
      removed: true,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('takes the file of the option, then that of the environment', async (context) => {
    const { pawl, at } = setup(context);
    const env = { PAWL_TOKENS_FILE: at('environment.json') };
    const args = ['token', 'create', '--name', 'a', '--role', 'read'];
    await pawl(args, env);
    await pawl([...args, '--file', 'option.json'], env);
    expect([existsSync(at('environment.json')), existsSync(at('option.json'))]).toEqual([true, true]);
    expect(existsSync(at('data'))).toBe(false);
  });

  it('refuses what can not be', async (context) => {
    const { pawl, at } = setup(context);
    const create = (...args: readonly string[]): Promise<Ended> => pawl(['token', 'create', ...args]);
    expect((await create('--name', 'ci')).code).toBe(64);
    expect((await create('--name', 'ci', '--role', 'king')).code).toBe(64);
    expect((await create('--name', 'a b', '--role', 'run')).code).toBe(64);
    await create('--name', 'ci', '--role', 'run');
    expect(await create('--name', 'ci', '--role', 'run')).toMatchObject({ code: 1, stdout: '' });
    expect((await pawl(['token', 'rm', 'nobody'])).code).toBe(66);
    writeFileSync(at('bad.json'), '{"tokens": 5}');
    expect(await pawl(['token', 'ls', '--file', 'bad.json'])).toMatchObject({ code: 78, stdout: '' });
    expect((await create('--name', 'x', '--role', 'run', '--file', 'bad.json')).code).toBe(78);
    expect(readFileSync(at('bad.json'), 'utf8')).toBe('{"tokens": 5}');
    expect((await create('--name', 'x', '--role', 'run', '--file', '.')).code).toBe(78);
  });

  it('loses none that are made at the same time', async (context) => {
    const { pawl } = setup(context);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const made = await Promise.all(
      names.map((name) => pawl(['token', 'create', '--name', name, '--role', 'read'])),
    );
    expect(made.map(({ code }) => code)).toEqual(names.map(() => 0));
    const { tokens } = JSON.parse((await pawl(['token', 'ls', '--json'])).stdout) as {
      readonly tokens: readonly { readonly name: string }[];
    };
    expect(tokens.map(({ name }) => name).toSorted()).toEqual(names);
  });

  it('does not wait for another command without end: 75', async (context) => {
    const { pawl, at } = setup(context);
    mkdirSync(at('data'), { recursive: true });
    writeFileSync(at('data/tokens.json.lock'), '');
    const { code, stderr } = await pawl(['token', 'create', '--name', 'a', '--role', 'read']);
    expect([code, stderr]).toEqual([75, expect.stringContaining(`remove ${at('data/tokens.json.lock')}`)]);
  });
});

describe('tokens of a service', { timeout: 120_000 }, () => {
  it('let in whom they are for: 77 for none, a wrong one, and one that may do less', async (context) => {
    const { pawl, at } = setup(context);
    const make = async (name: string, role: string): Promise<string> =>
      (
        await pawl(['token', 'create', '--name', name, '--role', role, '--file', 'tokens.json'])
      ).stdout.trim();
    const read = await make('reader', 'read');
    const service = await startService({ PAWL_TOKENS_FILE: at('tokens.json') });
    context.onTestFinished(() => service.dispose());
    const ask = (args: readonly string[], PAWL_TOKEN = ''): Promise<Ended> =>
      pawl(args, { PAWL_URL: service.url, PAWL_TOKEN });

    for (const token of ['', 'pawl_nonsense', `${read}x`]) {
      const { code, stdout, stderr } = await ask(['ls'], token);
      expect([code, stdout]).toEqual([77, '']);
      expect(stderr).toMatch(/^pawl: .*: set PAWL_TOKEN; `pawl token create` makes one\n$/);
    }
    expect((await ask(['ls', '--json'], read)).code).toBe(0);
    const refused = await ask(['submit', '--command', 'true'], read);
    expect([refused.code, refused.stderr]).toEqual([77, expect.stringMatching(/^pawl: .*run/)]);
    // It is read again when it changes.
    const run = await make('runner', 'run');
    expect((await ask(['submit', '--wait', '--command', 'true'], run)).code).toBe(0);
    expect((await ask(['maintenance', 'run', 'statistics'], run)).code).toBe(77);
    await pawl(['token', 'rm', 'runner', '--file', 'tokens.json']);
    expect((await ask(['ls'], run)).code).toBe(77);
  });
});

describe.concurrent('without a service', { timeout: 120_000 }, () => {
  it.for(
    [
      ['ls'],
      ['ls', '--follow'],
      ['show', 'x'],
      ['logs', 'x'],
      ['logs', '-f', 'x'],
      ['cancel', 'x', 'y'],
      ['submit', '--wait', '--command', 'true'],
      ['module', 'run', 'x'],
      ['schedule', 'ls'],
      ['pool', 'ls', '--json'],
      ['maintenance', 'run', 'x'],
    ].map((args) => [args] as const),
  )('%j says how to start one: 69', async ([args], context) => {
    const { pawl } = setup(context);
    expect(await pawl(args)).toEqual({
      code: 69,
      stdout: '',
      stderr: `pawl: no service at ${NOBODY}: start one with \`pawl serve\`, or name another with --url or PAWL_URL\n`,
    });
  });

  it('an address that is none is used wrongly: 64', async (context) => {
    const { pawl } = setup(context);
    for (const url of ['nonsense', 'localhost:3001', 'ftp://x']) {
      expect(await pawl(['ls', '--url', url])).toMatchObject({
        code: 64,
        stderr: expect.stringContaining(url),
      });
    }
    expect((await pawl(['ls'], { PAWL_URL: 'nonsense' })).code).toBe(64);
  });

  it('a port that HTTP clients refuse is told: 69', async (context) => {
    const { code, stderr } = await setup(context).pawl(['ls', '--url', 'http://127.0.0.1:6000']);
    expect([code, stderr]).toEqual([69, expect.stringMatching(/^pawl: HTTP clients refuse the port/)]);
  });

  it('a service that fails is told: 70', async (context) => {
    const { pawl } = setup(context);
    const server = createHttpServer((_request, response) => {
      response.writeHead(500, { 'content-type': 'application/problem+json' });
      response.end(
        JSON.stringify({ status: 500, title: 'x', detail: 'The service failed. Its log says more.' }),
      );
    }).listen(0, '127.0.0.1');
    context.onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { readonly port: number };
    expect(await pawl(['ls', '--url', `http://127.0.0.1:${port}`])).toEqual({
      code: 70,
      stdout: '',
      stderr: 'pawl: The service failed. Its log says more.\n',
    });
  });

  it('somebody else that answers is told from Pawl: 69', async (context) => {
    const { pawl } = setup(context);
    const server = createServer((socket) => socket.end('SSH-2.0-nonsense\r\n')).listen(0, '127.0.0.1');
    context.onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as { readonly port: number };
    const { code, stderr } = await pawl(['ls', '--url', `http://127.0.0.1:${port}`]);
    expect([code, stderr]).toEqual([69, expect.stringMatching(/^pawl: the connection to http:\S+ broke/)]);
  });

  it('doctor says so, and that all else is well', async (context) => {
    const { pawl, at } = setup(context);
    const { code, stdout } = await pawl(['doctor', '--json']);
    const { ready, findings } = JSON.parse(stdout) as {
      readonly ready: boolean;
      readonly findings: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
    };
    expect(code).toBe(ready ? 0 : 69);
    const found = (name: string) => findings.find((finding) => finding.name === name);
    expect(found('data folder')).toMatchObject({ ok: true, detail: expect.stringContaining(at('data')) });
    expect(found('store')).toMatchObject({ ok: true, detail: expect.stringContaining(at('data/pawl.db')) });
    expect(found('service')).toMatchObject({ ok: false, detail: expect.stringContaining('pawl serve') });
    // It looks, and leaves nothing.
    expect(existsSync(at('data'))).toBe(false);
  });
});

describe.concurrent('pawl doctor', { timeout: 120_000 }, () => {
  it('finds a store that is broken, and a data folder that is none: 69, with a remedy', async (context) => {
    const { pawl, at } = setup(context);
    mkdirSync(at('data'));
    writeFileSync(at('data/pawl.db'), 'this is no database, however long it may be '.repeat(100));
    const broken = await pawl(['doctor']);
    expect(broken.code).toBe(69);
    expect(broken.stdout).toMatch(/^missing +store [^\n]*\n +Restore a backup/m);
    writeFileSync(at('file'), '');
    writeFileSync(at('config.json'), '{}');
    const none = await pawl(['doctor'], { PAWL_DATA_DIR: at('file'), PAWL_CONFIG: at('config.json') });
    expect(none.code).toBe(69);
    expect(none.stdout).toMatch(/^missing +data folder [^\n]*is not a folder\n +Make it writable/m);
  });

  it.skipIf(process.getuid?.() === 0)('finds a data folder that may not be written to', async (context) => {
    const { pawl, at } = setup(context);
    mkdirSync(at('data'));
    chmodSync(at('data'), 0o500);
    expect((await pawl(['doctor'])).stdout).toMatch(/^missing +data folder /m);
  });
});

describe('pawl serve', { timeout: 120_000 }, () => {
  it('is refused on a data folder that another has: 69, and with a wrong setting: 78', async (context) => {
    const { pawl } = setup(context);
    const service = await startService();
    context.onTestFinished(() => service.dispose());
    const second = await pawl(['serve'], { PAWL_DATA_DIR: service.dataDir, PAWL_PORT: '0' });
    expect([second.code, second.stderr]).toEqual([
      69,
      expect.stringMatching(/pawl: The store \S+ is in use by /),
    ]);
    const taken = await pawl(['serve'], { PAWL_PORT: String(service.port) });
    expect([taken.code, taken.stderr]).toEqual([69, expect.stringMatching(/pawl: port \d+ is taken/)]);
    expect(await pawl(['serve'], { PAWL_PORT: 'http' })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/^pawl: .*\n.*PAWL_PORT/),
    });
  });
});

describe('pawl bench', { timeout: 120_000 }, () => {
  it('measures this machine, and leaves nothing', async (context) => {
    const { pawl, folder, at } = setup(context);
    mkdirSync(at('tmp'));
    const { code, stdout, stderr } = await pawl(['bench', '--json'], { TMPDIR: at('tmp') });
    expect([code, stderr]).toEqual([0, '']);
    const { measurements } = JSON.parse(stdout) as {
      readonly measurements: readonly { readonly what: string; readonly value: number }[];
    };
    const what = measurements.map((each) => each.what).join('\n');
    expect(what).toMatch(/^worker process: [^]*pool: [^]*service: start/);
    expect(what.includes('Python program')).toBe(NO_PYTHON === '');
    for (const { value } of measurements) expect(value).toBeGreaterThan(0);
    expect(spawnSync('ls', ['-A', at('tmp')], { encoding: 'utf8' }).stdout).toBe('');
    expect(existsSync(join(folder, 'data'))).toBe(false);
    expect((await pawl(['bench'], { TMPDIR: at('tmp') })).stdout).toMatch(
      /^WHAT +FIGURE +UNIT\nworker process: start to first result +[\d.]+ +ms\n/,
    );
  });
});

describe('completion', { timeout: 120_000 }, () => {
  const complete = async (context: TestContext, ...words: readonly string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await setup(context).pawl(['complete', '--', ...words]);
    expect([code, stderr]).toEqual([0, '']);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0] ?? '');
  };

  it.for<readonly [words: readonly string[], candidates: readonly string[]]>([
    [['sch'], ['schedule']],
    [
      ['schedule', 'p'],
      ['pause', 'preview'],
    ],
    [['schedule', 'pause', '--r'], ['--reason']],
    [
      ['token', 'create', '--role', ''],
      ['read', 'run', 'admin'],
    ],
    [
      ['token', 'create', '--name', 'read', '--role', 'r'],
      ['read', 'run'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['advise', '--explain', 'po'], ['pooled']],
    [['submit', '--w'], ['--wait']],
    [['nonsense', ''], []],
    // Files are the shell's own.
    [['run', ''], []],
    [['run', 'x.py', '--', ''], []],
    [['submit', '--cwd', ''], []],
    // Nobody answers.
    [['show', ''], []],
  ])('%j becomes %j', async ([words, candidates], context) => {
    const found = await complete(context, ...words);
    expect(found.filter((each) => !['help', '--help'].includes(each))).toEqual(candidates);
  });

  it.for(['bash', 'zsh', 'fish'])('prints a script for %s that asks the command', async (shell, context) => {
    const { code, stdout } = await setup(context).pawl(['completion', shell]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('pawl complete -- ')]);
    const json = await setup(context).pawl(['completion', shell, '--json']);
    expect(JSON.parse(json.stdout)).toEqual({ shell, script: stdout });
  });

  /** Each asks for the same four completions, in the way its shell calls the function. */
  const SESSIONS = {
    bash: `source ./completion
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pawl && printf '%s\\n' "\${COMPREPLY[@]}"; }
      try pawl sched
      try pawl schedule pre
      try pawl ls '$(touch evil)' --st
      complete -p pawl >&2`,
    zsh: `autoload -U compinit; compinit -u -D; source ./completion
      _describe() { print -rl -- "\${(@)\${(P)2}%%:*}" }
      try() { words=("$@"); CURRENT=$#; _pawl }
      try pawl sched
      try pawl schedule pre
      try pawl ls '$(touch evil)' --st
      print complete -F $_comps[pawl] pawl >&2`,
    fish: `source ./completion
      function try; complete -C "$argv" | string split -f1 \\t; end
      try pawl sched
      try pawl schedule pre
      try pawl ls "'(touch evil)'" --st
      complete -c pawl >&2`,
  };

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const missing =
      spawnSync(shell, ['--version']).error === undefined ? '' : ` (skipped: there is no ${shell} here)`;
    it.skipIf(missing)(`works in ${shell}, and runs nothing that was typed${missing}`, async (context) => {
      const { pawl, at, folder } = setup(context);
      writeFileSync(at('completion'), (await pawl(['completion', shell])).stdout);
      mkdirSync(at('bin'));
      writeFileSync(at('bin/pawl'), `#!/bin/sh\nexec "${process.execPath}" "${PAWL}" "$@"\n`);
      chmodSync(at('bin/pawl'), 0o755);
      const options = {
        cwd: folder,
        encoding: 'utf8',
        // Where fish keeps its own files.
        env: { ...process.env, HOME: folder, PATH: `${at('bin')}:${process.env['PATH']}`, PAWL_URL: NOBODY },
      } as const;
      const { status, stderr: complaints } = spawnSync(shell, ['-n', at('completion')], options);
      expect([status, complaints]).toEqual([0, '']);
      const { stdout, stderr } = spawnSync(shell, ['-c', SESSIONS[shell]], options);
      expect(stdout).toBe('schedule\npreview\n--state\n');
      expect(stderr).toMatch(/^complete .*pawl.*\n$/);
      expect(existsSync(at('evil'))).toBe(false);
    });
  }

  it.for(['tcsh', ''])('has none for %j: 64', async (shell, context) => {
    expect((await setup(context).pawl(['completion', shell])).code).toBe(64);
  });
});
