import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, fieldsOfProblem } from './client.ts';
import { NO_PYTHON } from './processes.ts';
import { type Service, startService } from './start-service.ts';

const MODULES = fileURLToPath(new URL('../../../examples/modules', import.meta.url));

interface RunBody {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly input: { readonly parameters: Readonly<Record<string, unknown>> };
}

describe('modules over HTTP', () => {
  let service: Service;
  let client: Client;
  beforeAll(async () => {
    service = await startService({ PAWL_MODULES: MODULES });
    client = createClient(service);
  });
  afterAll(() => service.dispose());

  /** Runs a module to its end. */
  async function run(
    id: string,
    body: object,
  ): Promise<{ readonly run: RunBody; readonly lines: readonly string[] }> {
    const { status, headers, body: submitted } = await client.post<RunBody>(`/v1/modules/${id}/runs`, body);
    expect(status, JSON.stringify(submitted)).toBe(202);
    expect(headers.get('location')).toBe(`/v1/runs/${submitted.id}`);
    const { body: ended } = await client.get<RunBody>(`/v1/runs/${submitted.id}/wait`);
    const { body: log } = await client.get<{ entries: readonly { text: string }[] }>(
      `/v1/runs/${submitted.id}/logs`,
    );
    return { run: ended, lines: log.entries.map(({ text }) => text) };
  }

  it('lists them with their parameters', async () => {
    const { body } = await client.get<{ modules: readonly Record<string, unknown>[] }>('/v1/modules');
    expect(body).toMatchObject({ nextCursor: null, faults: [] });
    expect(body.modules.map(({ id, name }) => [id, name])).toEqual([
      ['countdown', 'Countdown'],
      ['greeting', 'Greeting'],
      ['report', 'Monthly report'],
    ]);
    const { body: greeting } = await client.get('/v1/modules/greeting');
    expect(greeting).toEqual(body.modules[1]);
    fieldsOfProblem(await client.get('/v1/modules/nothing'), [404, 'MODULE_NOT_FOUND']);
  });

  it.skipIf(NO_PYTHON)(`runs one with defaults, and counts it${NO_PYTHON}`, async () => {
    const { run: ended, lines } = await run('greeting', { parameters: { name: 'Ada', title: 'is hidden' } });
    expect(ended).toMatchObject({ state: 'succeeded', task: 'module:greeting', title: 'Greeting' });
    expect(ended.input.parameters).toEqual({ name: 'Ada', times: 1, style: 'plain' });
    expect(lines).toEqual(['Hello Ada']);
    const { body } = await client.get('/v1/modules/greeting');
    expect(body).toMatchObject({ runs: 1, successRate: 1, lastRun: { id: ended.id, state: 'succeeded' } });
  });

  it('names every parameter that is wrong, and runs nothing', async () => {
    const parameters = { times: 0, style: 'shouted', farewell: 'yes', colour: 'red' };
    const answer = await client.post('/v1/modules/greeting/runs', { parameters });
    expect(fieldsOfProblem(answer, [422, 'MODULE_PARAMETERS_INVALID'])).toEqual(
      ['colour', 'name', 'times', 'style', 'farewell'].map((name) => `parameters.${name}`),
    );
    const direct = await client.post('/v1/runs', { module: { id: 'greeting', parameters } });
    expect(direct.body).toEqual(answer.body);
    fieldsOfProblem(await client.post('/v1/runs', { module: { id: 'nothing' } }), [404, 'MODULE_NOT_FOUND']);
  });

  it('starts from what was saved, and never saves a password', async () => {
    expect((await client.get('/v1/modules/report/config')).body).toEqual({ parameters: {}, updatedAt: null });
    const parameters = { month: '2026-02', publish: true, 'api-token': 'abcd1234' };
    fieldsOfProblem(await client.put('/v1/modules/report/config', { parameters }), [
      422,
      'MODULE_PARAMETERS_INVALID',
    ]);
    const { run: first, lines } = await run('report', { parameters, saveConfig: true });
    expect(lines[1]).toBe('Published with a token of 8 characters');
    expect((await client.get('/v1/modules/report/config')).body).toMatchObject({
      parameters: { month: '2026-02', publish: true },
    });
    const again = await run('report', { parameters: { month: '2026-03', 'api-token': 'abcd12345' } });
    expect(again.lines).toEqual(['Report of 2026-03', 'Published with a token of 9 characters']);
    expect((await client.delete('/v1/modules/report/config')).status).toBe(204);
    expect((await client.get('/v1/modules/report/config')).body).toEqual({ parameters: {}, updatedAt: null });

    const retried = await client.post<RunBody>(`/v1/runs/${first.id}/retry`, {});
    await client.get(`/v1/runs/${retried.body.id}/wait`);
    const log = await client.get<{ entries: readonly { text: string }[] }>(
      `/v1/runs/${retried.body.id}/logs`,
    );
    expect(log.body.entries.map(({ text }) => text)).toEqual(lines);
  });

  it('leaves no password in clear anywhere in its data', async () => {
    const password = 'correct-horse-battery';
    await run('report', {
      parameters: { month: '2026-02', publish: true, 'api-token': password },
      saveConfig: true,
    });
    const run_ = {
      module: { id: 'report', parameters: { month: '2026-02', publish: true, 'api-token': password } },
    };
    const { status } = await client.post('/v1/schedules', { id: 'secret', cron: '0 0 1 1 *', run: run_ });
    expect(status).toBe(201);
    expect(JSON.stringify((await client.get('/v1/schedules/secret')).body)).not.toContain(password);
    const files = readdirSync(service.dataDir, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(readFileSync(join(file.parentPath, file.name)).includes(password), file.name).toBe(false);
    }
    // What the answer shows can be sent back: the password stays.
    const { body } = await client.get<{ schedule: object }>('/v1/schedules/secret');
    expect((await client.put('/v1/schedules/secret', body.schedule)).status).toBe(200);
    const { body: started } = await client.post<{ runId: string }>('/v1/schedules/secret/run');
    const { body: ended } = await client.get<RunBody>(`/v1/runs/${started.runId}/wait`);
    expect(ended.state).toBe('succeeded');
  });
});
