import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, NO_PROC, NO_PYTHON, PAWL, processesWith, until } from './processes.ts';
import { problemIn, type Service, setup } from './start-service.ts';

/** Sends a program and waits until it runs. */
async function startProgram(
  service: Service,
  code: string,
): Promise<{ readonly answer: Promise<Response | Error> }> {
  const file = join(service.folder, 'started');
  const answer = service
    .post({ code: `import os, subprocess, time\nopen("${file}", "w").close()\n${code}` })
    .catch((error: unknown) => error as Error);
  await until('the program runs', () => existsSync(file));
  return { answer };
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
      expect(readdirSync(service.folder)).toEqual(['started']);
      expect(service.stderr()).toBe('');
    },
  );

  it('waits for what waits for its turn', { timeout: 30_000 }, async (context) => {
    const service = await setup(context, { PAWL_MAX_CONCURRENT_RUNS: '1' });
    const { answer } = await startProgram(service, 'time.sleep(2)');
    const waiting = [1, 2].map((n) => service.run(`import time\ntime.sleep(2)\nprint(${n})`));
    // They are there when the health, asked after them, is answered.
    await fetch(`${service.url}/health`);
    service.kill('SIGTERM');
    expect(await Promise.all(waiting)).toMatchObject([{ output: '1' }, { output: '2' }]);
    expect(await answer).toMatchObject({ status: 200 });
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('refuses new requests meanwhile', async (context) => {
    const service = await setup(context);
    const { answer } = await startProgram(service, 'time.sleep(1)');
    service.kill('SIGTERM');
    await until('nobody is let in', () =>
      fetch(`${service.url}/health`).then(
        () => false,
        () => true,
      ),
    );
    expect(await answer).toMatchObject({ status: 200 });
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('is forced by a second signal, and leaves no process and no folder then either', async (context) => {
    const service = await setup(context);
    const { answer } = await startProgram(service, 'subprocess.Popen(["sleep", "600"])\ntime.sleep(600)');
    service.kill('SIGINT');
    // The same signal counts again after 100 ms: earlier it would be an echo of npm.
    await wait(300);
    const secondAt = performance.now();
    service.kill('SIGINT');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    expect(performance.now() - secondAt).toBeLessThan(2_000);
    expect(await answer).toBeInstanceOf(Error);
    await until('nobody is left', () => processesWith(service.folder).length === 0, 2_000);
    expect(readdirSync(service.folder)).toEqual(['started']);
  });

  it('by SIGKILL ends its Python workers within 2 s, idle and stubborn ones', async (context) => {
    const service = await setup(context);
    const stubborn = 'while True:\n  try:\n    while True: pass\n  except BaseException: pass';
    const { answer } = await startProgram(service, stubborn);
    expect(processesWith(service.folder).length).toBeGreaterThan(1);
    service.kill('SIGKILL');
    await service.exited;
    await until('the workers are gone', () => processesWith(service.folder).length === 0, 2_000);
    expect(await answer).toBeInstanceOf(Error);
  });
});

describe('the service does not start', () => {
  const serve = (env: Readonly<Record<string, string>>): { status: number | null; stderr: string } => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [PAWL, 'serve'], {
      env: { ...process.env, PAWL_PORT: '0', ...env },
      encoding: 'utf8',
      timeout: 20_000,
    });
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
    expect(serve({ PAWL_PORT: '80a', PAWL_HOST: '0.0.0.0' })).toEqual({
      status: 78,
      stderr:
        "pawl: The configuration can't be used:\n" +
        '  Expected `PAWL_PORT` to be an integer from 0 to 65535, got `80a`.\n' +
        '  Expected `PAWL_HOST` to be one of 127.0.0.1, localhost, ::1, got `0.0.0.0`.\n',
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
    'is a problem with Retry-After and degrades the health, until it appears',
    { timeout: 40_000 },
    async (context) => {
      const python = pythonScript(context);
      const service = await setup(context, { PAWL_PYTHON: python.path });
      const why = `Can't use \`${python.path}\` as Python: there is no such program. Install Python 3.8 or later, or name one.`;

      const health = await fetch(`${service.url}/health`);
      expect(health.status).toBe(200);
      expect(await health.json()).toMatchObject({ status: 'degraded', problems: [why] });

      const refused = await service.post({ code: 'print(1)' });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(await problemIn(refused, 503)).toMatchObject({
        code: 'WORKER_START_FAILED',
        detail: expect.stringContaining(why),
      });

      python.write('exec python3 "$@"');
      const answer = await until(
        'a program runs',
        async () => {
          const response = await service.post({ code: 'print("at last")' });
          return response.status === 200 && response.json();
        },
        20_000,
      );
      expect(answer).toMatchObject({ success: true, output: 'at last' });
      await until(
        'the health is good again',
        async () => {
          const { status } = (await (await fetch(`${service.url}/health`)).json()) as {
            readonly status: string;
          };
          return status === 'healthy';
        },
        20_000,
      );
    },
  );

  it('at first is tried again, and the request succeeds', async (context) => {
    const python = pythonScript(context);
    const calls = join(python.folder, 'calls');
    const awaited = join(python.folder, 'awaited');
    const mended = join(python.folder, 'mended');
    // Fails until a request is awaited, and the first time then.
    python.write(
      `echo call >> ${calls}\n[ -e ${mended} ] && exec python3 "$@"\n[ -e ${awaited} ] && touch ${mended}\nexit 1`,
    );
    const service = await setup(context, { PAWL_PYTHON: python.path });
    const count = (): number => readFileSync(calls, 'utf8').split('\n').length - 1;
    // By then the pool's own tries are far apart.
    await until('some starts have failed', () => existsSync(calls) && count() >= 3);
    const before = count();
    writeFileSync(awaited, '');
    expect(await service.run('print("worked")')).toMatchObject({ success: true, output: 'worked' });
    expect(count()).toBeGreaterThanOrEqual(before + 2);
  });

  it(
    'trips the breaker, which refuses at once and says when to come back',
    { timeout: 30_000 },
    async (context) => {
      const python = pythonScript(context);
      python.write('exit 1');
      const service = await setup(context, { PAWL_PYTHON: python.path, PAWL_LOG_LEVEL: 'silent' });
      const problem = await until('the breaker is open', async () => {
        const response = await service.post({ code: 'print(1)' });
        const retryAfter = Number(response.headers.get('retry-after'));
        const body = await problemIn(response, 503);
        return body.code === 'CIRCUIT_OPEN' && { ...body, retryAfter };
      });
      expect(problem.retryAfter).toBeGreaterThan(1);
      expect(problem.retryAfter).toBeLessThanOrEqual(10);
      const health = (await (await fetch(`${service.url}/health`)).json()) as {
        readonly problems: readonly string[];
      };
      expect(health.problems).toContain('Starting Python failed too often: the breaker is open.');
      expect(service.stderr()).toBe('');
    },
  );
});
