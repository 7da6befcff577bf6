import { describe, expect, it } from 'vitest';
import { type Client, createClient, fieldsOfProblem } from './client.ts';
import { makeFolder, until } from './processes.ts';
import { type Service, setup, startService } from './start-service.ts';

interface ScheduleBody {
  readonly id: string;
  readonly runs: number;
  readonly running: number;
  readonly nextAt: string | null;
  readonly skipsAt: string | null;
  readonly lastRuns: readonly { readonly runId: string; readonly state: string }[];
  readonly [field: string]: unknown;
}

const HELLO = { command: { file: 'echo', args: ['hello'] } };
const yearly = { id: 'yearly', cron: '30 2 1 1 *', timeZone: 'Europe/Berlin', run: HELLO };

describe('schedules over HTTP', () => {
  it('are created, shown, changed, listed and removed', async (context) => {
    const client = createClient(await setup(context));
    const created = await client.post<ScheduleBody>('/v1/schedules', yearly);
    expect([created.status, created.headers.get('location')]).toEqual([201, '/v1/schedules/yearly']);
    expect(created.body).toMatchObject({
      inWords: 'at 02:30 on day 1 in January (Europe/Berlin)',
      running: 0,
      pause: null,
    });
    expect((await client.get('/v1/schedules/yearly')).body).toEqual(created.body);
    fieldsOfProblem(await client.post('/v1/schedules', yearly), [409, 'SCHEDULE_EXISTS']);

    const changed = await client.put('/v1/schedules/yearly', {
      ...(created.body['schedule'] as object),
      cron: '0 3 1 1 *',
    });
    expect(changed.body['inWords']).toBe('at 03:00 on day 1 in January (Europe/Berlin)');
    expect((await client.put('/v1/schedules/other', { ...yearly, id: undefined })).status).toBe(201);
    expect(fieldsOfProblem(await client.put('/v1/schedules/other', yearly), [400, 'BODY_INVALID'])).toEqual([
      'id',
    ]);
    const page = await client.get<{ schedules: readonly ScheduleBody[]; nextCursor: string }>(
      '/v1/schedules?limit=1',
    );
    expect([page.body.schedules.map(({ id }) => id), page.body.nextCursor]).toEqual([['other'], 'other']);
    expect((await client.delete('/v1/schedules/other')).status).toBe(204);
    fieldsOfProblem(await client.delete('/v1/schedules/other'), [404, 'SCHEDULE_NOT_FOUND']);
  });

  it('are refused with the field, and a hint', async (context) => {
    const client = createClient(await setup(context));
    const wrongZone = await client.post('/v1/schedules', { ...yearly, timeZone: 'Europe/Berlim' });
    expect(fieldsOfProblem(wrongZone, [422, 'SCHEDULE_INVALID'])).toEqual(['timeZone']);
    expect(wrongZone.body['detail']).toContain('Did you mean `Europe/Berlin`?');
    const wrongCron = await client.post('/v1/schedules', { ...yearly, cron: '0 25 * * *' });
    expect(wrongCron.body['detail']).toContain('valid hour (0 to 23) in place of `25` at character 3');
    const both = await client.post('/v1/schedules', { ...yearly, id: '../x', colour: 'red', everyMs: 1 });
    expect(fieldsOfProblem(both, [400, 'BODY_INVALID'])).toEqual(['id', 'everyMs', 'colour']);
    const twoKinds = { ...yearly, run: { ...HELLO, script: { path: 'a.py' } } };
    expect(fieldsOfProblem(await client.post('/v1/schedules', twoKinds), [400, 'BODY_INVALID'])).toEqual([
      'run',
    ]);
    const ownKey = { ...yearly, run: { ...HELLO, idempotencyKey: 'k' } };
    expect(fieldsOfProblem(await client.post('/v1/schedules', ownKey), [400, 'BODY_INVALID'])).toEqual([
      'run.idempotencyKey',
    ]);
    expect((await client.get('/v1/schedules')).body['schedules']).toEqual([]);
  });

  it('are previewed with the changes of the clocks', async (context) => {
    const client = createClient(await setup(context));
    const body = {
      schedule: { cron: '30 2 * * *', timeZone: 'America/New_York' },
      from: '2026-03-07T12:00:00Z',
      count: 2,
    };
    const { body: answer } = await client.post<{ slots: readonly object[] }>('/v1/schedules/preview', body);
    expect(answer).toEqual({
      inWords: 'at 02:30 (America/New_York)',
      slots: [
        {
          nominalAt: '2026-03-08T07:00:00.000Z',
          dueAt: '2026-03-08T07:00:00.000Z',
          local: '2026-03-08T03:00:00-04:00',
          notes: [expect.stringContaining('02:30 does not exist')],
          skipped: false,
        },
        expect.objectContaining({ nominalAt: '2026-03-09T06:30:00.000Z', notes: [] }),
      ],
    });
    await client.post('/v1/schedules', yearly);
    const next = await client.get<{ slots: readonly object[] }>('/v1/schedules/yearly/preview?count=3');
    expect(next.body.slots).toHaveLength(3);
    fieldsOfProblem(await client.get('/v1/schedules/yearly/preview?count=101'), [400, 'QUERY_INVALID']);
  });

  it('are paused with a reason, resumed, run now, skipped and unskipped', async (context) => {
    const client = createClient(await setup(context));
    await client.post('/v1/schedules', yearly);
    expect(
      fieldsOfProblem(await client.post('/v1/schedules/yearly/pause', {}), [400, 'BODY_INVALID']),
    ).toEqual(['reason']);
    const paused = await client.post('/v1/schedules/yearly/pause', { reason: 'holidays' });
    expect(paused.body).toMatchObject({ pause: { reason: 'holidays', cause: 'asked' }, nextAt: null });
    const { status, body: started } = await client.post<{ result: string; runId: string }>(
      '/v1/schedules/yearly/run',
    );
    expect([status, started.result]).toEqual([202, 'started']);
    const { body: run } = await client.get(`/v1/runs/${started.runId}/wait`);
    expect(run).toMatchObject({ state: 'succeeded', key: 'schedule:yearly' });
    const resumed = await client.post<ScheduleBody>('/v1/schedules/yearly/resume');
    expect(resumed.body).toMatchObject({
      pause: null,
      runs: 0,
      lastRuns: [{ runId: started.runId, state: 'succeeded' }],
    });
    const skipped = await client.post<ScheduleBody>('/v1/schedules/yearly/skip-next');
    expect(skipped.body.skipsAt).toBe(resumed.body.nextAt);
    const unskipped = await client.delete('/v1/schedules/yearly/skip-next');
    expect(unskipped.body).toMatchObject({ skipsAt: null, nextAt: resumed.body.nextAt });
  });

  it('are given the past, once', async (context) => {
    const client = createClient(await setup(context));
    await client.post('/v1/schedules', { id: 'daily', cron: '0 0 * * *', run: HELLO });
    const span = { from: '2026-01-01T00:00:00Z', to: '2026-01-06T00:00:00Z' };
    const path = '/v1/schedules/daily/backfill';
    expect((await client.post(path, { ...span, dryRun: true })).body).toEqual({ dryRun: true, slots: 5 });
    expect(await client.post(path, span)).toMatchObject({ status: 202, body: { dryRun: false, slots: 5 } });
    const runs = await until('five runs have ended', async () => {
      const { body } = await client.get<ScheduleBody>('/v1/schedules/daily');
      return body.lastRuns.length === 5 && body.lastRuns.every(({ state }) => state === 'succeeded') && body;
    });
    expect(runs.runs).toBe(0);
    const future = await client.post(path, { ...span, to: '2126-01-01T00:00:00Z' });
    expect(fieldsOfProblem(future, [422, 'BACKFILL_INVALID'])).toEqual(['to']);
  });
});

it('have runs that are found by them, a retry and a restart included', async (context) => {
  const data = makeFolder();
  context.onTestFinished(() => data.remove());
  const env = { PAWL_DATA_DIR: data.path };
  const service = await setup(context, env);
  let client = createClient(service);
  const found = async (query: string) => {
    const { body } = await client.get<{ runs: readonly { id: string; schedule: string | null }[] }>(
      `/v1/runs?schedule=${query}`,
    );
    return body.runs;
  };
  const failing = { command: { file: 'sh', args: ['-c', 'exit 1'] } };
  for (const id of ['yearly', 'yearly-2'])
    await client.post('/v1/schedules', { ...yearly, id, run: failing });
  const { body: other } = await client.post<{ runId: string }>('/v1/schedules/yearly-2/run');
  const { body: first } = await client.post<{ runId: string }>('/v1/schedules/yearly/run');
  expect((await client.get(`/v1/runs/${first.runId}/wait`)).body).toMatchObject({
    state: 'failed',
    schedule: 'yearly',
  });
  expect((await client.post('/v1/runs', HELLO)).body).toMatchObject({ schedule: null });
  const { body: again } = await client.post<{ id: string }>(`/v1/runs/${first.runId}/retry`);
  await client.get(`/v1/runs/${again.id}/wait`);
  const ids = [again.id, first.runId];
  expect((await found('yearly')).map(({ id }) => id)).toEqual(ids);
  expect((await found('yearly&limit=1')).map(({ id }) => id)).toEqual([again.id]);
  expect(await found('yearly&state=succeeded')).toEqual([]);
  expect((await found('yearly-2')).map(({ id, schedule }) => [id, schedule])).toEqual([
    [other.runId, 'yearly-2'],
  ]);
  expect(await found('nobody')).toEqual([]);
  fieldsOfProblem(await client.get('/v1/runs?schedule='), [400, 'QUERY_INVALID']);
  service.kill('SIGKILL');
  await service.exited;
  client = createClient(await setup(context, env));
  expect((await found('yearly')).map(({ id }) => id)).toEqual(ids);
  const { body } = await client.get<ScheduleBody>('/v1/schedules/yearly');
  expect(body.lastRuns.map(({ runId }) => runId)).toEqual(ids);
  // What is removed is not shown any more.
  await client.delete(`/v1/runs/${again.id}`);
  expect((await client.get<ScheduleBody>('/v1/schedules/yearly')).body.lastRuns).toMatchObject([
    { runId: first.runId, state: 'failed' },
  ]);
});

describe('schedules of a service that is killed', () => {
  /** Every second, a line with the slot's number in a file: a slot that ran twice would be there twice. */
  const everySecond = (folder: string): object => ({
    id: 'tick',
    everyMs: 1_000,
    misfire: 'all',
    overlap: 'allow',
    run: { command: { file: 'true', cwd: folder } },
  });

  async function slotsOf(client: Client): Promise<readonly string[]> {
    const { body } = await client.get<{ runs: readonly { idempotencyKey: string }[] }>('/v1/runs?limit=1000');
    return body.runs.map(({ idempotencyKey }) => idempotencyKey);
  }

  it('go on after kill -9, and no slot has two runs', { timeout: 60_000 }, async ({ onTestFinished }) => {
    const data = makeFolder();
    onTestFinished(() => data.remove());
    const services: Service[] = [];
    onTestFinished(async () => {
      for (const service of services) await service.dispose();
    });
    const start = async (): Promise<Client> => {
      const service = await startService({ PAWL_DATA_DIR: data.path });
      services.push(service);
      return createClient(service);
    };
    let client = await start();
    expect((await client.post('/v1/schedules', everySecond(data.path))).status).toBe(201);
    for (let kills = 0; kills < 3; kills += 1) {
      const before = (await slotsOf(client)).length;
      const current = client;
      await until('two more slots have run', async () => (await slotsOf(current)).length >= before + 2);
      services.at(-1)?.kill('SIGKILL');
      await services.at(-1)?.exited;
      client = await start();
    }
    const last = client;
    await until('a slot has run since', async () => {
      const { body } = await last.get<ScheduleBody>('/v1/schedules/tick');
      return body.lastRuns[0]?.state === 'succeeded';
    });
    const slots = await slotsOf(client);
    expect(new Set(slots).size).toBe(slots.length);
    for (const slot of slots) expect(slot).toMatch(/^tick@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    const { body } = await client.get<ScheduleBody>('/v1/schedules/tick');
    expect(body.lastRuns.length).toBeGreaterThan(3);
  });
});

it('tells who listens what becomes of schedules', async (context) => {
  const service = await setup(context);
  const client = createClient(service);
  const left = new AbortController();
  context.onTestFinished(() => left.abort());
  const { body } = await fetch(`${service.url}/v1/events?types=schedule`, { signal: left.signal });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const read = (wanted: RegExp): Promise<true> =>
    until(`an event like ${wanted}`, async () => {
      if (wanted.test(text)) return true;
      text += (await reader?.read())?.value ?? '';
      return wanted.test(text);
    });
  await read(/^retry: 1000/);
  await client.post('/v1/schedules', yearly);
  await read(/event: schedule\ndata: \{"id":"yearly",.*"pause":null/);
  await client.post('/v1/schedules/yearly/pause', { reason: 'holidays' });
  await read(/event: schedule\ndata: \{"id":"yearly",.*"reason":"holidays"/);
  await client.delete('/v1/schedules/yearly');
  await read(/event: schedule\ndata: \{"id":"yearly","removed":true\}/);
});
