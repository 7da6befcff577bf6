import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, NO_PROC, NO_PYTHON, PAWL, processesWith, until } from './processes.ts';
import { problemIn, type Service, setup } from './start-service.ts';

interface PoolPage {
  readonly pools: readonly { readonly waiting: number }[];
}

/** Sends a program and waits until it runs: it starts a process that can be seen from outside of its sandbox. */
async function startProgram(
  service: Service,
  code: string,
): Promise<{ readonly answer: Promise<Response | Error>; readonly mark: string }> {
  const mark = `sleep ${600 + Math.random()}`;
  const answer = service
    .post({ code: `import subprocess, time\nsubprocess.Popen("${mark}".split())\n${code}` })
    .catch((error: unknown) => error as Error);
  await until('the program runs', () => processesWith(mark).length > 0);
  return { answer, mark };
}

const NO_ENDING = NO_PYTHON || NO_PROC;
describe(`the end of the service${NO_ENDING}`, { concurrent: true, skip: NO_ENDING !== '' }, () => {
  it.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'by %s answers what runs, exits with 0, and leaves no process and no folder',
    async (signal, context) => {
      const service = await setup(context);
      const { answer } = await startProgram(service, 'time.sleep(1); print("to the end")');
      service.kill(signal);
      const response = (await answer) as Response;
      expect(await response.json()).toMatchObject({ success: true, output: 'to the end' });
      expect(await service.exited).toEqual({ code: 0, signal: null });
      expect(processesWith(service.folder)).toEqual([]);
      expect(readdirSync(service.folder)).toEqual([]);
      expect(service.stderr()).toBe('');
    },
  );

  it('waits for what waits for its turn', { timeout: 30_000 }, async (context) => {
    const service = await setup(context, { PAWL_MAX_CONCURRENT_RUNS: '1' });
    const { answer } = await startProgram(service, 'time.sleep(2)');
    const waiting = [1, 2].map((n) => service.run(`import time\ntime.sleep(2)\nprint(${n})`));
    await until('they wait', async () => {
      const { body } = await service.request<PoolPage>('GET', '/v1/pools');
      return body.pools[0]?.waiting === 2;
    });
    service.kill('SIGTERM');
    expect(await Promise.all(waiting)).toMatchObject([{ output: '1' }, { output: '2' }]);
    expect(await answer).toMatchObject({ status: 200 });
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('refuses new programs with 503 meanwhile, is not ready, and lives', async (context) => {
    const service = await setup(context);
    const { answer } = await startProgram(service, 'time.sleep(2); print("to the end")');
    service.kill('SIGTERM');
    const ready = (): Promise<Response> => fetch(`${service.url}/health/ready`);
    const problem = await until('it is not ready', async () => {
      const response = await ready();
      return response.status === 503 && problemIn(response, 503);
    });
    expect(problem.code).toBe('STOPPING');
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    const refused = await service.post({ code: 'print(1)' });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await problemIn(refused, 503)).toMatchObject({ code: 'EXECUTOR_STOPPED' });
    expect(await ((await answer) as Response).json()).toMatchObject({ output: 'to the end' });
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it(
    'is forced by a second signal, and leaves no process and no folder then either',
    { concurrent: false },
    async (context) => {
      const service = await setup(context);
      const { answer, mark } = await startProgram(service, 'while True: time.sleep(600)');
      service.kill('SIGINT');
      // The same signal counts again after 100 ms: earlier it would be an echo of npm.
      await wait(300);
      const secondAt = performance.now();
      service.kill('SIGINT');
      expect(await service.exited).toEqual({ code: 1, signal: null });
      expect(performance.now() - secondAt).toBeLessThan(2_000);
      expect(await answer).toBeInstanceOf(Error);
      await until(
        'nobody is left',
        () => processesWith(mark).length + processesWith(service.folder).length === 0,
        2_000,
      );
      expect(readdirSync(service.folder)).toEqual([]);
    },
  );

  it('by SIGKILL ends its Python workers within 2 s, idle and stubborn ones', async (context) => {
    const service = await setup(context);
    const stubborn = 'while True:\n  try:\n    while True: pass\n  except BaseException: pass';
    const { answer, mark } = await startProgram(service, stubborn);
    service.kill('SIGKILL');
    await service.exited;
    await until(
      'the workers are gone',
      () => processesWith(mark).length + processesWith(service.folder).length === 0,
      2_000,
    );
    expect(await answer).toBeInstanceOf(Error);
  });
});

it('says for programs where it listens', async ({ onTestFinished }) => {
  const data = makeFolder();
  onTestFinished(data.remove);
  const child = spawn(process.execPath, [PAWL, 'serve', '--json'], {
    env: { ...process.env, PAWL_PORT: '0', PAWL_DATA_DIR: data.path },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const { event, url } = JSON.parse(line) as Readonly<Record<string, string>>;
  expect(event).toBe('listening');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

describe('the service does not start', () => {
  const serve = (env: Readonly<Record<string, string>>): { status: number | null; stderr: string } => {
    const data = makeFolder();
    const { status, stderr, stdout } = spawnSync(process.execPath, [PAWL, 'serve'], {
      env: { ...process.env, PAWL_PORT: '0', PAWL_DATA_DIR: data.path, ...env },
      encoding: 'utf8',
      timeout: 20_000,
    });
    data.remove();
    expect(stdout).toBe('');
    return { status, stderr };
  };

  it('on a port that is taken: 69, and no folder is left', async (context) => {
    const { port } = await setup(context);
    const folder = makeFolder();
    context.onTestFinished(folder.remove);
    expect(serve({ PAWL_PORT: String(port), TMPDIR: folder.path })).toEqual({
      status: 69,
      stderr: `pawl: port ${port} is taken: end what listens there, or choose another with PAWL_PORT\n`,
    });
    expect(readdirSync(folder.path)).toEqual([]);
  });

  it('with a wrong configuration: 78, naming each setting', () => {
    expect(serve({ PAWL_PORT: '80a', PAWL_HOST: 'pawl.example' })).toEqual({
      status: 78,
      stderr:
        "pawl: The configuration can't be used:\n" +
        '  Expected `PAWL_HOST` to be localhost or an IP address, got `pawl.example`.\n' +
        '  Expected `PAWL_PORT` to be an integer from 0 to 65535, got `80a`.\n',
    });
  });
});

/** A Python that a test can break and mend: a script in place of the interpreter. */
function pythonScript({ onTestFinished }: TestContext): {
  readonly path: string;
  readonly folder: string;
  write(body: string): void;
} {
  const { path: folder, remove } = makeFolder();
  onTestFinished(remove);
  const path = join(folder, 'python');
  return { path, folder, write: (body) => writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 }) };
}

describe(`a Python that does not start${NO_PYTHON}`, { concurrent: true, skip: NO_PYTHON !== '' }, () => {
  it(
    'is a problem with Retry-After and the remedy, and degrades the health, until it appears',
    { timeout: 40_000 },
    async (context) => {
      const python = pythonScript(context);
      const service = await setup(context, { PAWL_PYTHON: python.path, PAWL_ALLOW_UNSANDBOXED: '0' });
      const why = `Can't use \`${python.path}\` as Python: there is no such program. Install Python 3.8 or later, or name one.`;

      // In one line.
      expect(service.stderr().split('\n')).toEqual([expect.stringContaining(why), '']);
      expect(service.stderr()).toContain('PAWL_ALLOW_UNSANDBOXED=1');

      const health = await fetch(`${service.url}/health`);
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({
        status: 'degraded',
        problems: [expect.stringContaining(why)],
      });
      const notReady = await problemIn(await fetch(`${service.url}/health/ready`), 503);
      expect(notReady).toMatchObject({ code: 'NOT_READY', detail: expect.stringContaining(why) });
      expect(await (await fetch(`${service.url}/system/sandbox`)).json()).toMatchObject({
        available: false,
        rejected: expect.arrayContaining([{ kind: 'bubblewrap', reason: expect.any(String) }]),
        remedy: expect.stringContaining('apt-get install bubblewrap python3'),
      });

      const refused = await service.post({ code: 'print(1)' });
      expect(refused.headers.get('retry-after')).toBe('10');
      expect(await problemIn(refused, 503)).toMatchObject({
        code: 'SANDBOX_UNAVAILABLE',
        detail: expect.stringContaining('PAWL_ALLOW_UNSANDBOXED=1'),
      });
      expect(await problemIn(await service.post({ cod: 1 }), 400)).toMatchObject({ code: 'BODY_INVALID' });

      python.write('exec python3 "$@"');
      const unsandboxed = await setup(context, { PAWL_PYTHON: python.path });
      expect(await unsandboxed.run('print("at last")')).toMatchObject({ output: 'at last' });
      expect((await fetch(`${unsandboxed.url}/health/ready`)).status).toBe(200);
    },
  );
});
