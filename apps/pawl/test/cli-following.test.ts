import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, PAWL, until } from './processes.ts';
import { pawl, type RunningPawl, startPawl } from './pawl-command.ts';
import { type Service, startService } from './start-service.ts';

/** Prints a line each time its file grows, until it says `end`. */
const LINES = `
import { readFileSync } from 'node:fs';
let seen = 0;
const timer = setInterval(() => {
  const lines = readFileSync(process.argv[2], 'utf8').split('\\n').slice(0, -1);
  for (const line of lines.slice(seen)) {
    if (line === 'end') clearInterval(timer);
    else console.log(line);
  }
  seen = lines.length;
}, 20);`;

/** On a machine that has much else to do. */
const LONG_MS = 30_000;

interface Run {
  readonly id: string;
  /** Lets it print one more line; `end` ends it. */
  readonly say: (line: string) => void;
}

const folder = makeFolder();
let shared: Service;
beforeAll(async () => {
  writeFileSync(join(folder.path, 'lines.mjs'), LINES);
  shared = await startService({ PAWL_MAX_CONCURRENT_RUNS: '20' });
});
afterAll(async () => {
  await shared.dispose();
  folder.remove();
});

let files = 0;

/** Commands that ask a service, and runs that print what they are told. */
function setup({ onTestFinished }: TestContext, { url } = shared) {
  const options = { cwd: folder.path, env: { PAWL_URL: url } };
  return {
    url,
    start: (...args: readonly string[]): RunningPawl => {
      const command = startPawl(args, options);
      onTestFinished(() => command.kill('SIGKILL'));
      return command;
    },
    submit: async (...args: readonly string[]): Promise<Run> => {
      files += 1;
      const file = join(folder.path, `lines-${files}`);
      const say = (line: string): void => appendFileSync(file, `${line}\n`);
      say('first');
      const { stdout } = await pawl(['submit', ...args, 'lines.mjs', '--', file], options);
      return { id: stdout.trim(), say };
    },
  };
}

async function stateOf(id: string): Promise<string> {
  return (await shared.request<{ state: string }>('GET', `/v1/runs/${id}`)).body.state;
}

/** The same with a service that can be ended, and started again on its data. */
async function setupRestarts(context: TestContext, PAWL_SHUTDOWN_GRACE_MS = '0') {
  const data = makeFolder();
  const settings = { PAWL_DATA_DIR: data.path, PAWL_SHUTDOWN_GRACE_MS };
  let service = await startService(settings);
  const { port } = service;
  context.onTestFinished(async () => {
    await service.dispose();
    data.remove();
  });
  return {
    ...setup(context, service),
    whileItEnds: async () => (await service.request('GET', '/health/ready')).status === 503,
    stopService: async (signal: NodeJS.Signals): Promise<void> => {
      service.kill(signal);
      await service.exited;
    },
    startServiceAgain: async (): Promise<void> => {
      const old = service;
      service = await startService({ ...settings, PAWL_PORT: String(port) });
      await old.dispose();
    },
  };
}

describe.concurrent('Ctrl-C', { timeout: 120_000 }, () => {
  it.for<readonly [command: string, args: (id: string) => readonly string[]]>([
    ['logs -f', (id) => ['logs', '-f', id]],
    [
      'submit --follow',
      () => ['submit', '--follow', '--command', 'sh', '--', '-c', 'echo first; exec sleep 60'],
    ],
    ['submit --wait', () => ['submit', '--wait', '--command', 'sleep', '--', '60']],
  ])(
    'in %s stops the watching, leaves the run alone, and says what would end it',
    async ([, args], context) => {
      const { start, submit } = setup(context);
      const run = await submit();
      const command = start(...args(run.id));
      await until('it watches', () => /first|submitted/.test(command.stdout() + command.stderr()), LONG_MS);
      await until('the run goes on', async () => (await stateOf(run.id)) === 'running', LONG_MS);
      command.kill('SIGINT');
      // As an impatient user, and npx, do.
      command.kill('SIGINT');
      const { code, stderr } = await command.exited;
      expect(code).toBe(130);
      const [, id = ''] =
        /pawl: stopped watching; the run goes on\. `pawl cancel (\S+)` ends it\.\n$/.exec(stderr) ?? [];
      expect(stderr.match(/stopped watching/g)).toHaveLength(1);
      expect(await stateOf(id)).toMatch(/queued|running/);
    },
  );

  it('in ls -f ends it with 130', async (context) => {
    const { start, submit } = setup(context);
    const command = start('ls', '-f');
    const json = start('ls', '--follow', '--json');
    const { id } = await submit();
    await until('it is told', () => command.stdout().includes(` ${id} running`), LONG_MS);
    await until('programs are told, too', () => json.stdout().includes(id), LONG_MS);
    command.kill('SIGINT');
    json.kill('SIGINT');
    expect(await command.exited).toMatchObject({ code: 130, stderr: 'pawl: stopped watching\n' });
    const { stdout } = await json.exited;
    for (const line of stdout.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ event: 'run', id: expect.any(String) });
  });
});

describe.concurrent('logs -f', { timeout: 120_000 }, () => {
  it('gives what is there, then what comes, and ends with the run', async (context) => {
    const { start, submit } = setup(context);
    const { id, say } = await submit();
    const command = start('logs', '-f', id);
    await until('the first line', () => command.stdout() === 'first\n', LONG_MS);
    say('second');
    await until('the second line', () => command.stdout() === 'first\nsecond\n', LONG_MS);
    const tail = start('logs', '-f', '--tail', '1', id);
    await until('the tail', () => tail.stdout() === 'second\n', LONG_MS);
    say('third');
    say('end');
    expect(await command.exited).toEqual({ code: 0, stdout: 'first\nsecond\nthird\n', stderr: '' });
    expect(await tail.exited).toEqual({ code: 0, stdout: 'second\nthird\n', stderr: '' });
  });

  it('waits for a run that has not begun', async (context) => {
    const { start, submit } = setup(context);
    const { id, say } = await submit('--delay', '300ms');
    const command = start('logs', '-f', id);
    await until('the first line', () => command.stdout() === 'first\n', LONG_MS);
    say('end');
    expect(await command.exited).toMatchObject({ code: 0, stderr: '' });
  });

  it('goes on over the tries of a run', async (context) => {
    const { start } = setup(context);
    const script = 'if [ -e tried ]; then echo two; else touch tried; echo one; exit 1; fi';
    const command = start('submit', '--follow', '--max-attempts', '2', '--command', 'sh', '--', '-c', script);
    const { code, stdout, stderr } = await command.exited;
    expect([code, stdout]).toEqual([0, 'one\ntwo\n']);
    expect(stderr).toMatch(/pawl: attempt 2 begins\n/);
  });
});

// One after another: each starts two services.
describe('logs -f over a restart', { timeout: 90_000 }, () => {
  it('survives a kill -9, and gives the next attempt', async (context) => {
    const { start, submit, stopService, startServiceAgain } = await setupRestarts(context);
    const { id, say } = await submit();
    const command = start('logs', '-f', id);
    const waiting = start('submit', '--wait', '--command', 'sh', '--', '-c', 'sleep 0.2');
    await until('the first line', () => command.stdout() === 'first\n', LONG_MS);
    await until('the other waits', () => waiting.stderr().includes('submitted'), LONG_MS);
    await stopService('SIGKILL');
    await until('it is told', () => command.stderr() === 'pawl: the connection broke; it is sought again\n');
    await startServiceAgain();
    await until('the next attempt', () => command.stdout() === 'first\nfirst\n', LONG_MS);
    say('second');
    await until('its next line', () => command.stdout() === 'first\nfirst\nsecond\n', LONG_MS);
    say('end');
    const { code, stderr } = await command.exited;
    expect([code, stderr]).toEqual([
      0,
      'pawl: the connection broke; it is sought again\npawl: attempt 2 begins\n',
    ]);
    expect((await waiting.exited).code).toBe(0);
  });

  it('survives an orderly restart', async (context) => {
    const { start, submit, stopService, startServiceAgain } = await setupRestarts(context);
    const { id, say } = await submit();
    const command = start('logs', '-f', '--json', id);
    await until('the first line', () => command.stdout().includes('"first"'), LONG_MS);
    await stopService('SIGTERM');
    await startServiceAgain();
    say('end');
    const { code, stdout } = await command.exited;
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
    // By the service that ended, and by the one that took its place.
    expect(events.filter(({ text }) => text === 'first').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(events.at(-1)).toMatchObject({ event: 'complete', state: 'succeeded' });
  });
});

describe('a service that ends', { timeout: 90_000 }, () => {
  it('refuses new work for as long as what runs goes on: 75', async (context) => {
    const { start, submit, stopService, whileItEnds } = await setupRestarts(context, '20000');
    const { say } = await submit();
    const stopped = stopService('SIGTERM');
    await until('it ends', whileItEnds, LONG_MS);
    const { code, stdout, stderr } = await start('submit', '--command', 'true').exited;
    expect([code, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(/^pawl: /);
    say('end');
    await stopped;
  });
});

describe.concurrent('a reader that leaves', { timeout: 120_000 }, () => {
  /** A command whose output can be left. */
  function startPiped(args: readonly string[], url: string) {
    const child = spawn(process.execPath, [PAWL, ...args], {
      env: { ...process.env, PAWL_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const exited = once(child, 'exit').then(([code]) => ({ code: code as number | null, stderr }));
    return { stdout: child.stdout, exited };
  }

  it.for<readonly [command: string, args: readonly string[]]>([
    ['ls', ['ls']],
    ['ls --json', ['ls', '--json']],
    ['--help', ['--help']],
    ['schedule add --help', ['schedule', 'add', '--help']],
  ])('ends %s without a word: 141', async ([, args], context) => {
    const { submit, url } = setup(context);
    await submit();
    const command = startPiped(args, url);
    // Before anything is written.
    command.stdout.destroy();
    expect(await command.exited).toEqual({ code: 141, stderr: '' });
  });

  it('ends logs -f with the next line: 141', async (context) => {
    const { submit, url } = setup(context);
    const { id, say } = await submit();
    const command = startPiped(['logs', '-f', id], url);
    await once(command.stdout, 'data');
    command.stdout.destroy();
    say('second');
    expect(await command.exited).toEqual({ code: 141, stderr: '' });
  });
});
