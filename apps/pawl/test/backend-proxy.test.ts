import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { NO_PYTHON, until } from './processes.ts';
import { setup } from './start-service.ts';

const BACKEND = fileURLToPath(new URL('../../../examples/backend-proxy/server.mjs', import.meta.url));
const GREETING = { exerciseId: 'greeting', code: 'print("Hello, World!")' };

interface Backend {
  execute(body: unknown): Promise<Response>;
  /** How its breaker to the executor stands. */
  executorState(): Promise<string>;
}

/** The example in a process of its own, which ends with the test. */
async function startBackend(
  { onTestFinished }: TestContext,
  env: Readonly<Record<string, string>>,
): Promise<Backend> {
  const child = spawn(process.execPath, [BACKEND], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const url = await until('the backend listens', () => /http:\S+/.exec(output)?.[0]);
  return {
    execute: async (body) =>
      fetch(`${url}/api/execute`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async executorState() {
      const response = await fetch(`${url}/health`);
      return ((await response.json()) as { readonly executor: string }).executor;
    },
  };
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe(`the backend proxy${NO_PYTHON}`, { skip: NO_PYTHON !== '' }, () => {
  it('looks up the tests of an exercise and gives the answer of the executor', async (context) => {
    const executor = await setup(context);
    const backend = await startBackend(context, { EXECUTOR_SERVICE_URL: executor.url });

    const passed = await backend.execute(GREETING);
    expect(passed.status).toBe(200);
    expect(await passed.json()).toMatchObject({ success: true, testResult: { passed: true } });
    const failed = await backend.execute({ ...GREETING, code: 'print("OK")' });
    expect(await failed.json()).toMatchObject({ success: false, testResult: { passed: false } });
    const alone = await backend.execute({ code: 'print(1)' });
    expect(await alone.json()).toMatchObject({ success: true, output: '1', testResult: null });
  });

  it('refuses what it can not forward, and passes on why the executor refused', async (context) => {
    const executor = await setup(context);
    const backend = await startBackend(context, { EXECUTOR_SERVICE_URL: executor.url });
    for (const [body, status, error] of [
      [{ ...GREETING, exerciseId: 'nope' }, 404, 'Exercise not found'],
      [{ ...GREETING, exerciseId: '../greeting' }, 404, 'Exercise not found'],
      [{ exerciseId: 'greeting' }, 400, '`code` is missing.'],
      [{ code: 'x'.repeat(50_001) }, 413, 'Expected `code` to be at most 50000 characters, got 50001.'],
    ] as const) {
      const response = await backend.execute(body);
      expect([response.status, await response.json()]).toEqual([status, { error }]);
    }
  });

  it(
    'answers 503 for an executor that is down, in time, and at once when the breaker is open',
    { timeout: 40_000 },
    async (context) => {
      const port = await freePort();
      const backend = await startBackend(context, { EXECUTOR_SERVICE_URL: `http://127.0.0.1:${port}` });
      const [first] = await Promise.all([backend.execute(GREETING), backend.execute(GREETING)]);
      expect(first.status).toBe(503);
      expect(await first.json()).toEqual({ error: 'Programs can not be run at the moment.' });
      expect(await backend.executorState()).toBe('open');

      const refused = await backend.execute(GREETING);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);

      await setup(context, { PAWL_PORT: String(port) });
      await until('it is served again', async () => (await backend.execute(GREETING)).status === 200, 20_000);
      expect(await backend.executorState()).not.toBe('open');
    },
  );

  it('repeats the call of a client while the executor restarts', { timeout: 40_000 }, async (context) => {
    const port = String(await freePort());
    const before = await setup(context, { PAWL_PORT: port });
    const backend = await startBackend(context, { EXECUTOR_SERVICE_URL: before.url });
    expect((await backend.execute(GREETING)).status).toBe(200);

    before.kill('SIGTERM');
    expect(await before.exited).toEqual({ code: 0, signal: null });
    const answer = backend.execute(GREETING);
    await setup(context, { PAWL_PORT: port });
    expect((await answer).status).toBe(200);
  });

  it('does not take an executor that is full for one that is down', { timeout: 40_000 }, async (context) => {
    const executor = await setup(context, { PAWL_MAX_CONCURRENT_RUNS: '1' });
    const backend = await startBackend(context, {
      EXECUTOR_SERVICE_URL: executor.url,
      EXECUTOR_TOTAL_TIMEOUT_MS: '3000',
    });
    // One runs, two wait for it, and one more is refused.
    const busy = [1, 2, 3, 4].map(async () => executor.post({ code: 'import time\ntime.sleep(2.9)' }));
    const first = await Promise.race(busy);
    expect(first.status).toBe(503);
    const answers = await Promise.all(Array.from({ length: 12 }, async () => backend.execute({ code: '1' })));
    for (const { status, headers } of answers) {
      expect([status, Number(headers.get('retry-after'))]).toEqual([503, expect.any(Number)]);
    }
    expect(await backend.executorState()).toBe('closed');
    await Promise.all(busy);
    expect((await backend.execute({ code: 'print(1)' })).status).toBe(200);
  });

  it('gives a slow executor up in time, and serves on', { timeout: 40_000 }, async (context) => {
    const executor = await setup(context);
    const backend = await startBackend(context, {
      EXECUTOR_SERVICE_URL: executor.url,
      EXECUTOR_TIMEOUT_MS: '300',
      EXECUTOR_TOTAL_TIMEOUT_MS: '1000',
    });
    const slow = await backend.execute({ code: 'import time\ntime.sleep(2)' });
    expect(slow.status).toBe(503);
    expect((await backend.execute({ code: 'print(1)' })).status).toBe(200);
  });
});
