import { expect, it, type TestContext } from 'vitest';
import { type Client, createClient, fieldsOfProblem } from './client.ts';
import { makeFolder, until } from './processes.ts';
import { type Service, setup } from './start-service.ts';

interface Counts {
  readonly queued: number;
  readonly running: number;
  readonly submitted: number;
}

/** A run that waits for an hour. */
const LATER = { command: { file: 'true' }, delayMs: 3_600_000 };

function full(context: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Service> {
  return setup(context, { PAWL_MAX_QUEUED_RUNS: '20', ...env });
}

const countsOf = async (client: Client): Promise<Counts> =>
  (await client.get<Counts>('/v1/runs/counts')).body;

it('takes as many runs as may be queued, whoever submits at once, and no more after a restart', async (context) => {
  const data = makeFolder();
  context.onTestFinished(() => data.remove());
  const env = { PAWL_DATA_DIR: data.path };
  const service = await full(context, env);
  const client = createClient(service);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => client.post('/v1/runs', { ...LATER, idempotencyKey: `n${n}` })),
  );
  const accepted = answers.filter(({ status }) => status === 202);
  const refused = answers.filter(({ status }) => status !== 202);
  expect([accepted.length, refused.length]).toEqual([20, 80]);
  for (const each of refused) {
    expect(fieldsOfProblem(each, [503, 'RUN_QUEUE_FULL'])).toEqual([]);
    expect(each.headers.get('retry-after')).toBe('1');
    expect(each.body['detail']).toBe('The run was refused: 20 runs are queued already, which is the most.');
  }
  expect(await countsOf(client)).toMatchObject({ queued: 20, submitted: 20 });
  // One that is known is answered all the same.
  const again = await client.post('/v1/runs', {
    ...LATER,
    idempotencyKey: accepted[0]?.body['idempotencyKey'],
  });
  expect([again.status, again.body['id']]).toEqual([200, accepted[0]?.body['id']]);
  // Thousands of refusals would fill the log.
  expect(service.stderr()).toBe('');

  service.kill('SIGKILL');
  await service.exited;
  const second = createClient(await full(context, env));
  fieldsOfProblem(await second.post('/v1/runs', LATER), [503, 'RUN_QUEUE_FULL']);
  await second.post(`/v1/runs/${String(accepted[0]?.body['id'])}/cancel`, {});
  expect((await second.post('/v1/runs', LATER)).status).toBe(202);
  fieldsOfProblem(await second.post(`/v1/runs/${String(accepted[0]?.body['id'])}/retry`), [
    503,
    'RUN_QUEUE_FULL',
  ]);
});

it('takes of a batch what there is room for, and says of each other why not', async (context) => {
  const client = createClient(await full(context));
  const { status, body } = await client.post<{ results: readonly { run?: object; error?: object }[] }>(
    '/v1/runs/batch',
    { runs: Array.from({ length: 30 }, () => LATER) },
  );
  expect([status, body.results.length]).toEqual([200, 30]);
  expect(body.results.map(({ run }) => run !== undefined)).toEqual(body.results.map((_, n) => n < 20));
  expect(body.results[29]?.error).toMatchObject({ status: 503, code: 'RUN_QUEUE_FULL' });
});

it('lets the slots of schedules wait until there is room, and loses none', async (context) => {
  const data = makeFolder();
  context.onTestFinished(() => data.remove());
  const env = { PAWL_DATA_DIR: data.path };
  const service = await full(context, env);
  let client = createClient(service);
  const filler = await client.post<{ id: string }>('/v1/runs', LATER);
  await client.post('/v1/runs/batch', { runs: Array.from({ length: 19 }, () => LATER) });
  await client.post('/v1/schedules', {
    id: 'tick',
    everyMs: 1_000,
    misfire: 'all',
    overlap: 'queue-all',
    run: { command: { file: 'true' } },
  });
  const problemOf = async (): Promise<unknown> => (await client.get('/v1/schedules/tick')).body['problem'];
  await until('it says that it waits', async () => (await problemOf()) !== null);
  expect(await problemOf()).toMatchObject({
    message: 'Its slot waits until fewer runs are queued: 20 is the most.',
  });
  expect((await client.get('/v1/runs?schedule=tick')).body['runs']).toEqual([]);
  fieldsOfProblem(await client.post('/v1/schedules/tick/run'), [503, 'RUN_QUEUE_FULL']);
  expect(service.stderr().match(/is held/g)).toHaveLength(1);

  // Nothing was claimed: also a crash loses none of them.
  const { body: before } = await client.get<{ schedule: { startAt: string | null } }>('/v1/schedules/tick');
  expect(before).toMatchObject({ runs: 0, lastSlotAt: null });
  service.kill('SIGKILL');
  await service.exited;
  client = createClient(await full(context, env));
  await until('it waits again', async () => (await problemOf()) !== null);
  await client.post(`/v1/runs/${filler.body.id}/cancel`, {});
  const slots = await until('five slots have run', async () => {
    const { body } = await client.get<{ runs: readonly { idempotencyKey: string; state: string }[] }>(
      '/v1/runs?schedule=tick&limit=1000',
    );
    return body.runs.length >= 5 && body.runs.every(({ state }) => state === 'succeeded') && body.runs;
  });
  expect((await countsOf(client)).queued).toBeLessThanOrEqual(20);
  // One a second from the first on, none twice and none left out.
  const times = slots
    .map(({ idempotencyKey }) => Date.parse(idempotencyKey.replace('tick@', '')))
    .toReversed();
  expect(times).toEqual(times.map((_, n) => (times[0] ?? 0) + n * 1_000));
  expect(await problemOf()).toBe(null);
});
