import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, fieldsOfProblem } from './client.ts';
import { isAlive, NO_PROC, NO_PYTHON, until } from './processes.ts';
import { type Service, startService } from './start-service.ts';

interface Worker {
  readonly id: string;
  readonly kind: string;
  readonly pid: number;
  readonly runId: string | null;
  readonly rssBytes: number;
  readonly processes: number;
  readonly state: string;
}

let service: Service;
let client: Client;
beforeAll(async () => {
  service = await startService({ PAWL_MAX_CONCURRENT_RUNS: '3' });
  client = createClient(service);
});
afterAll(() => service.dispose());

const workers = async (): Promise<readonly Worker[]> =>
  (await client.get<{ workers: readonly Worker[] }>('/v1/workers')).body.workers;

describe.skipIf(NO_PYTHON)(`pools and workers over HTTP${NO_PYTHON}`, () => {
  it('shows the pool, and scales it', async () => {
    await service.run('print(1)');
    const { body } = await client.get<{ pools: readonly object[] }>('/v1/pools');
    expect(body.pools).toMatchObject([{ name: 'python', busy: 0, waiting: 0, crashes: 0, max: 3 }]);
    const scaled = await client.post('/v1/pools/python/scale', { size: 1 });
    expect(scaled).toMatchObject({ status: 200, body: { workers: 1, min: 1, max: 1 } });
    expect((await client.post('/v1/pools/python/scale', { size: 3 })).body).toMatchObject({
      workers: 3,
      min: 3,
    });
    expect(
      fieldsOfProblem(await client.post('/v1/pools/python/scale', { size: 101 }), [400, 'BODY_INVALID']),
    ).toEqual(['size']);
    fieldsOfProblem(await client.post('/v1/pools/ruby/scale', { size: 1 }), [404, 'POOL_NOT_FOUND']);
  });

  it('replaces workers, and loses no run', async () => {
    const before = (await workers()).filter(({ kind }) => kind === 'pool').map(({ id }) => id);
    const programs = Array.from({ length: 6 }, () => service.run('import time\ntime.sleep(0.05)\nprint(1)'));
    const [first = ''] = before;
    expect((await client.post(`/v1/workers/${first}/recycle`)).status).toBe(202);
    const { body } = await client.post<{ recycled: number }>('/v1/pools/python/recycle');
    expect(body.recycled).toBeGreaterThanOrEqual(1);
    for (const { output } of await Promise.all(programs)) expect(output).toBe('1');
    await until('all workers are others', async () => {
      const now = (await workers()).filter(({ kind }) => kind === 'pool');
      return now.length === 3 && now.every(({ id, state }) => !before.includes(id) && state === 'ready');
    });
    fieldsOfProblem(await client.post('/v1/workers/python.worker-999/recycle'), [404, 'WORKER_NOT_FOUND']);
  });

  it('takes one worker out of service, after its program', async () => {
    await client.post('/v1/pools/python/scale', { size: 1 });
    const running = service.run('import time\ntime.sleep(1)\nprint("whole")');
    const busy = await until('a worker is busy', async () =>
      (await workers()).find(({ kind, state }) => kind === 'pool' && state === 'busy'),
    );
    const drained = await client.post(`/v1/workers/${busy.id}/drain`);
    expect([drained.status, drained.body]).toEqual([202, { runId: busy.runId }]);
    expect((await client.post(`/v1/workers/${busy.id}/drain`)).status).toBe(202);
    expect((await workers()).find(({ id }) => id === busy.id)).toMatchObject({
      state: 'draining',
      pid: busy.pid,
    });
    // The least number is 1, so that another does this meanwhile.
    expect((await service.run('print("meanwhile")')).output).toBe('meanwhile');
    expect((await workers()).find(({ id }) => id === busy.id)?.runId).toBe(busy.runId);
    expect((await running).output).toBe('whole');
    await until('it is gone', async () => !(await workers()).some(({ id }) => id === busy.id));
    expect(isAlive(busy.pid)).toBe(false);
    const gone = await client.post(`/v1/workers/${busy.id}/drain`);
    fieldsOfProblem(gone, [404, 'WORKER_NOT_FOUND']);
    expect(gone.body['detail']).toBe(`There is no worker \`${busy.id}\`; it may have ended.`);
    // Nothing asks for another now.
    await client.post('/v1/pools/python/scale', { size: 0 });
    await until('none is left', async () => !(await workers()).some(({ kind }) => kind === 'pool'));
    await service.run('print(1)');
    const [idle] = (await workers()).filter(({ kind }) => kind === 'pool');
    expect((await client.post(`/v1/workers/${idle?.id}/drain`)).body).toEqual({ runId: null });
    await until('none is left', async () => !(await workers()).some(({ kind }) => kind === 'pool'));
    await client.post('/v1/pools/python/scale', { size: 3 });
  });
});

it.skipIf(NO_PROC)(`shows what the processes of runs use${NO_PROC}`, async () => {
  const script = 'sleep 60 & x=$(head -c 30000000 /dev/zero | tr "\\0" x); echo filled; wait';
  const { body: run } = await client.post<{ id: string }>('/v1/runs', {
    command: { file: 'sh', args: ['-c', script] },
  });
  const worker = await until('it has filled its memory', async () => {
    const found = (await workers()).find(({ runId }) => runId === run.id);
    return found !== undefined && found.rssBytes > 30_000_000 && found;
  });
  expect(worker).toMatchObject({ kind: 'run', id: run.id, state: 'busy', pid: expect.any(Number) });
  expect(worker.processes).toBeGreaterThanOrEqual(2);
  for (const what of ['recycle', 'drain']) {
    fieldsOfProblem(await client.post(`/v1/workers/${run.id}/${what}`), [409, 'WORKER_NOT_POOLED']);
  }
  await client.post(`/v1/runs/${run.id}/cancel`, {});
  await until('its process is gone', async () => !(await workers()).some(({ runId }) => runId === run.id));
});

describe('maintenance over HTTP', () => {
  it('lists the jobs, and runs one when asked', async () => {
    const { body } = await client.get<{
      jobs: readonly { job: string; everyMs: number; successes: number }[];
    }>('/v1/maintenance');
    expect(body.jobs.map(({ job, everyMs }) => [job, everyMs])).toEqual([
      ['old-runs', 3_600_000],
      ['output-logs', 3_600_000],
      ['statistics', 900_000],
      ['store-check', 86_400_000],
      ['system-health', 300_000],
      ['temp-files', 21_600_000],
    ]);
    const checked = await client.post('/v1/maintenance/store-check');
    expect(checked).toMatchObject({
      status: 200,
      body: {
        job: 'store-check',
        successes: 1,
        errors: 0,
        lastError: null,
        lastResult: { ok: true, problems: [] },
      },
    });
    expect((await client.post('/v1/maintenance/old-runs')).body).toMatchObject({
      lastResult: { removed: 0 },
    });
    expect((await client.post('/v1/maintenance/system-health')).body).toMatchObject({
      lastResult: { memoryPercent: expect.any(Number), status: expect.any(String) },
    });
    fieldsOfProblem(await client.post('/v1/maintenance/nothing'), [404, 'JOB_NOT_FOUND']);
  });

  it('has the jobs run by themselves later on', async () => {
    const { body } = await client.get<{ jobs: readonly { nextRunAt: string; everyMs: number }[] }>(
      '/v1/maintenance',
    );
    for (const { nextRunAt, everyMs } of body.jobs) {
      expect(Date.parse(nextRunAt) % everyMs).toBe(0);
      expect(Date.parse(nextRunAt)).toBeGreaterThan(Date.now() - 60_000);
    }
  });
});

describe('the advisor over HTTP', () => {
  it('recommends, compares and explains', async () => {
    const { body: advice } = await client.post('/v1/advisor/recommend', {
      traits: { expectedDurationMs: 90_000, runsPerMinute: 20 },
    });
    expect(advice).toMatchObject({
      pattern: 'long-running',
      runnersUp: [{ pattern: 'pooled' }, { pattern: 'simple' }],
    });
    expect((await client.post('/v1/advisor/recommend', { traits: {} })).body).toMatchObject({
      pattern: 'simple',
    });
    const { body } = await client.get<{ patterns: readonly { name: string }[] }>('/v1/advisor/patterns');
    expect(body.patterns).toHaveLength(6);
    expect((await client.get('/v1/advisor/patterns/periodic')).body).toMatchObject({
      name: 'periodic',
      useWhen: expect.any(String),
    });
    const wrong = await client.post('/v1/advisor/recommend', {
      traits: { concurrentRuns: 0, colour: 'red' },
    });
    expect(fieldsOfProblem(wrong, [400, 'BODY_INVALID'])).toEqual(['traits.concurrentRuns', 'traits.colour']);
  });
});

describe('the exercises over HTTP', () => {
  it('are listed and shown, but for their tests', async () => {
    const { body } = await client.get<{ exercises: readonly { id: string }[] }>('/v1/exercises');
    expect(body.exercises.map(({ id }) => id)).toEqual(['greeting', 'shopping-cart', 'sum-of-evens']);
    const { body: shown } = await client.get('/v1/exercises/sum-of-evens');
    expect(shown).toEqual({
      id: 'sum-of-evens',
      title: expect.any(String),
      description: expect.any(String),
      starterCode: expect.stringContaining('def sum_of_evens'),
    });
    for (const id of ['nobody', '..', '%2e%2e%2fgreeting']) {
      expect((await client.get(`/v1/exercises/${id}`)).status).toBe(404);
    }
  });
});

describe('the system over HTTP', () => {
  it('says how the service and its machine are', async () => {
    const { body } = await client.get('/v1/system');
    expect(body).toMatchObject({
      version: expect.any(String),
      pid: service.pid,
      node: process.versions.node,
      store: { kind: 'sqlite', file: expect.stringContaining('pawl.db'), bytes: expect.any(Number) },
      runs: { submitted: expect.any(Number), queued: 0 },
      memory: { serviceBytes: expect.any(Number) },
      disk: { path: service.dataDir, usedPercent: expect.any(Number) },
      sandbox: { available: expect.any(Boolean) },
    });
  });

  it('says which settings are in force', async () => {
    const { body } = await client.get<{ settings: readonly { name: string; value: string | null }[] }>(
      '/v1/settings',
    );
    const values = Object.fromEntries(body.settings.map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({ PAWL_MAX_CONCURRENT_RUNS: '3', PAWL_PORT: '0', PAWL_MODULES: null });
  });
});

describe('metrics', () => {
  /** `name{labels}` and its value, of each line. */
  async function readMetrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${service.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const parts = /^([a-z\d_]+(?:\{(?:[a-zA-Z_]+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)$/.exec(line);
        expect(parts, line).not.toBe(null);
        return [parts?.[1] ?? '', Number(parts?.[2])];
      }),
    );
  }

  it('count runs, requests and workers', async () => {
    const before = await readMetrics();
    const { body: run } = await client.post<{ id: string }>('/v1/runs', { command: { file: 'true' } });
    await client.get(`/v1/runs/${run.id}/wait`);
    await fetch(`${service.url}/nothing/here`);
    const after = await readMetrics();
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
    expect(grown('pawl_runs_submitted_total{task="command"}')).toBe(1);
    expect(grown('pawl_runs_ended_total{task="command",state="succeeded"}')).toBe(1);
    expect(grown('pawl_attempts_ended_total{task="command",outcome="succeeded"}')).toBe(1);
    expect(grown('pawl_run_duration_seconds_count{task="command",state="succeeded"}')).toBe(1);
    expect(grown('pawl_run_wait_seconds_count{task="command"}')).toBe(1);
    expect(grown('pawl_runs{state="succeeded"}')).toBe(1);
    expect(
      grown('pawl_http_request_duration_seconds_count{method="POST",route="/v1/runs",status="202"}'),
    ).toBe(1);
    expect(grown('pawl_http_request_duration_seconds_count{method="GET",route="none",status="404"}')).toBe(1);
    expect(after.get('pawl_pool_workers{pool="python"}') ?? 0).toBeGreaterThanOrEqual(
      NO_PYTHON === '' ? 1 : 0,
    );
    expect(after.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  });
});

describe('the page of the description', () => {
  it('is there with all it needs, and asks nobody else', async () => {
    const response = await fetch(`${service.url}/docs/`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';",
    );
    const page = await response.text();
    expect(page).not.toMatch(/https?:\/\//);
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      expect((await fetch(new URL(file, response.url))).status, file).toBe(200);
    }
    const initializer = await (await fetch(`${service.url}/docs/static/swagger-initializer.js`)).text();
    expect(initializer).toContain('"validatorUrl":null');
  });
});
