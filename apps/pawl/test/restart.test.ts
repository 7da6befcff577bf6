import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import { makeFolder, NO_PROC, PAWL, processesWith, until } from './processes.ts';
import { ended, follow, script, shell, show, submit, textsOf, untilPrints } from './run-client.ts';
import { type ProblemBody, type Service, setup } from './start-service.ts';

/** Starts services one after another on the same data, and removes it at the end. */
function onSameData({ onTestFinished }: TestContext): Readonly<Record<string, string>> {
  const { path, remove } = makeFolder();
  onTestFinished(remove);
  return { PAWL_DATA_DIR: path };
}

/** Runs for ever the first time, and ends the second time it is tried. */
function stubborn(service: Service, mark: string): string {
  return script(
    service,
    'twice.sh',
    `echo begun; [ -e "$0.begun" ] && exit 0; touch "$0.begun"; ${mark} & ${mark}`,
  );
}

describe(`a restart${NO_PROC}`, { concurrent: true, skip: NO_PROC !== '', timeout: 60_000 }, () => {
  it('lets what runs come to its end first, when the grace is long enough', async (context) => {
    const env = onSameData(context);
    const first = await setup(context, env);
    const gate = `${first.dataDir}/gate`;
    const { id } = await submit(first, shell(`mkfifo ${gate}; echo begun; read go < ${gate}; echo done`));
    await untilPrints(first, id, 'begun');
    const log = await follow(first, `/v1/runs/${id}/logs/stream`);
    const waiting = ended(first, id);
    first.kill('SIGTERM');
    await until('nothing new is taken', async () => {
      const { status, body } = await first.request<ProblemBody>('POST', '/v1/runs', { body: shell('true') });
      return status === 503 && body.code === 'STOPPING';
    });
    writeFileSync(gate, 'go\n');
    // Who follows or waits is served to the end.
    await log.ended;
    expect(textsOf(log)).toEqual(['begun', 'done']);
    expect(await waiting).toMatchObject({ state: 'succeeded' });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(first.stderr()).toBe('');
    const second = await setup(context, env);
    expect((await show(second, id)).body).toMatchObject({
      state: 'succeeded',
      attempts: [{ outcome: 'succeeded' }],
    });
  });

  it('cuts what takes longer, with all it started, and tries it again at no cost', async (context) => {
    const env = onSameData(context);
    const first = await setup(context, { ...env, PAWL_SHUTDOWN_GRACE_MS: '100' });
    const mark = `sleep ${600 + Math.random()}`;
    const { id } = await submit(first, { script: { path: stubborn(first, mark) } });
    await untilPrints(first, id, 'begun');
    const later = await submit(first, shell('echo later', { delayMs: 60_000 }));
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(processesWith(mark)).toEqual([]);
    const second = await setup(context, env);
    const run = await ended(second, id);
    expect(run).toMatchObject({ state: 'succeeded', attempt: 2 });
    expect(run.attempts.map(({ outcome, number }) => [number, outcome])).toEqual([
      [1, 'stopped'],
      [2, 'succeeded'],
    ]);
    // Each try has its own log.
    for (const attempt of [1, 2]) {
      const { body } = await second.request('GET', `/v1/runs/${id}/logs?attempt=${attempt}`);
      expect(body).toMatchObject({ entries: [{ text: 'begun' }], complete: true });
    }
    expect((await show(second, later.id)).body).toMatchObject({ state: 'queued', attempts: [] });
  });

  it('after kill -9 finds what ran and what waited, ends what is left of it, and tries it again', async (context) => {
    const env = onSameData(context);
    const first = await setup(context, { ...env, PAWL_MAX_CONCURRENT_RUNS: '1' });
    const mark = `sleep ${600 + Math.random()}`;
    const { id } = await submit(first, { script: { path: stubborn(first, mark) } });
    const waiting = await submit(first, shell('echo done', { idempotencyKey: 'once' }));
    await untilPrints(first, id, 'begun');
    await until('its children run', () => processesWith(mark).length >= 2);
    // What was answered is on the disk, however soon after.
    const last = await submit(first, shell('echo last'));
    first.kill('SIGKILL');
    await first.exited;

    const second = await setup(context, env);
    const run = await ended(second, id);
    expect(run).toMatchObject({
      state: 'succeeded',
      attempt: 2,
      attempts: [{ outcome: 'lost' }, { outcome: 'succeeded' }],
    });
    const receipt = run.attempts[0]?.receipt;
    expect(receipt).toMatchObject({ reason: 'host-died' });
    expect(receipt?.endedPids.length).toBeGreaterThanOrEqual(2);
    expect(processesWith(mark)).toEqual([]);
    expect(await ended(second, waiting.id)).toMatchObject({ state: 'succeeded', attempt: 1 });
    expect(await ended(second, last.id)).toMatchObject({ state: 'succeeded' });
    const again = await submit(second, shell('echo done', { idempotencyKey: 'once' }));
    expect(again.id).toBe(waiting.id);
    expect((await second.request('GET', '/v1/runs/counts')).body).toMatchObject({
      submitted: 3,
      succeeded: 3,
      running: 0,
      queued: 0,
    });
  });

  it('takes a second signal for leave to cut at once', async (context) => {
    const service = await setup(context);
    const mark = `sleep ${600 + Math.random()}`;
    const { id } = await submit(service, shell(`echo begun; ${mark}`));
    await untilPrints(service, id, 'begun');
    service.kill('SIGTERM');
    await until('it ends', async () => (await service.request('GET', '/health/ready')).status === 503);
    service.kill('SIGINT');
    expect(await service.exited).toEqual({ code: 1, signal: null });
    await until('nobody is left', () => processesWith(mark).length === 0);
  });
});

describe('the data', { concurrent: true, timeout: 60_000 }, () => {
  it('belongs to one service: a second one is refused, with the name of the first', async (context) => {
    const env = onSameData(context);
    const first = await setup(context, env);
    const second = spawn(process.execPath, [PAWL, 'serve'], {
      env: { ...process.env, ...env, PAWL_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      second[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
    }
    const [code] = (await once(second, 'close')) as [number];
    expect(code).toBe(69);
    expect(output.stdout).toBe('');
    expect(output.stderr).toMatch(
      new RegExp(
        `^pawl: The store ${first.dataDir}/pawl.db is in use by process ${first.pid} on \\S+ since \\S+\\.\\n$`,
      ),
    );
    expect((await first.request('GET', '/health/ready')).status).not.toBe(500);
  });

  it('is nobody else to read', async (context) => {
    const service = await setup(context, {
      PAWL_DATA_DIR: `${onSameData(context)['PAWL_DATA_DIR']}/new/one`,
    });
    expect(statSync(service.dataDir).mode & 0o777).toBe(0o700);
  });

  it('is gone with a service that keeps it in memory', async (context) => {
    const env = { ...onSameData(context), PAWL_STORE: 'memory' };
    const first = await setup(context, env);
    const { id } = await submit(first, shell('echo hello'));
    expect(await ended(first, id)).toMatchObject({ state: 'succeeded' });
    first.kill('SIGTERM');
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(readdirSync(first.folder)).toEqual([]);
    expect(readdirSync(first.dataDir)).toEqual([]);
    const second = await setup(context, env);
    expect((await show(second, id)).status).toBe(404);
  });
});
