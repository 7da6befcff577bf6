import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { NO_PYTHON } from './processes.ts';
import { problemIn, type Service, setup, startService } from './start-service.ts';

const SCHOOL = 'https://school.example';

describe('the service with web pages that may use it', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({ PAWL_CORS_ORIGINS: SCHOOL });
  });
  afterAll(() => service.dispose());

  it('lets the named origin read its answers, and no other', async () => {
    const allowed = await fetch(`${service.url}/health`, { headers: { origin: SCHOOL } });
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, SCHOOL]);
    const refused = await fetch(`${service.url}/health`, { headers: { origin: 'https://evil.example' } });
    expect(refused.headers.get('access-control-allow-origin')).toBe(null);
    expect((await problemIn(refused, 403)).code).toBe('ORIGIN_REFUSED');
  });

  it('answers what browsers ask before a request', async () => {
    const ask = (origin: string): Promise<Response> =>
      fetch(`${service.url}/execute`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const allowed = await ask(SCHOOL);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
    expect((await ask('https://evil.example')).status).toBe(403);
  });

  it('protects whoever opens an answer as a page, errors too', async () => {
    for (const path of ['/health', '/nothing']) {
      const { headers } = await fetch(service.url + path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'SAMEORIGIN',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
    }
  });

  it('names each request: as its client does, if the name is a plain one', async () => {
    const idOf = async (given: string): Promise<string | null> => {
      const response = await fetch(`${service.url}/health`, { headers: { 'x-request-id': given } });
      return response.headers.get('x-request-id');
    };
    expect(await idOf('lesson-7.a_B')).toBe('lesson-7.a_B');
    const uuid = /^[0-9a-f-]{36}$/;
    expect(await idOf('two words')).toMatch(uuid);
    expect(await idOf('x'.repeat(129))).toMatch(uuid);
    expect(await idOf('')).not.toBe(await idOf(''));
  });

  it('describes its routes', async () => {
    const response = await fetch(`${service.url}/openapi.json`);
    const description = (await response.json()) as {
      readonly openapi: string;
      readonly info: { readonly version: string };
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
    };
    expect(description.openapi).toBe('3.1.0');
    expect(description.info.version).toBe(manifest.version);
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining([
        '/execute',
        '/health',
        '/health/live',
        '/health/ready',
        '/openapi.json',
        '/system/sandbox',
        '/v1/events',
        '/v1/runs',
        '/v1/runs/batch',
        '/v1/runs/{id}/logs/stream',
      ]),
    );
    const execute = description.paths['/execute']?.['post'];
    expect(execute).toMatchObject({
      requestBody: {
        content: {
          'application/json': { schema: { required: ['code'], properties: { code: { maxLength: 50_000 } } } },
        },
      },
    });
    expect(Object.keys(execute?.responses ?? {})).toEqual(['200', '400', '404', '413', '415', '429', '503']);
  });
});

it.skipIf(NO_PYTHON)(`limits the programs of one client, and nothing else${NO_PYTHON}`, async (context) => {
  const service = await setup(context, { PAWL_RATE_LIMIT_PER_MINUTE: '2' });
  const statuses = [await service.post({ code: '1' }), await service.post({ code: '1' })].map(
    ({ status }) => status,
  );
  expect(statuses).toEqual([200, 200]);
  const refused = await service.post({ code: '1' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect((await problemIn(refused, 429)).code).toBe('RATE_LIMITED');
  expect((await fetch(`${service.url}/health`)).status).toBe(200);
});

it.skipIf(NO_PYTHON)(
  `sheds what it has no room for, with Retry-After${NO_PYTHON}`,
  { timeout: 60_000 },
  async (context) => {
    const service = await setup(context, { PAWL_MAX_CONCURRENT_RUNS: '1' });
    // One runs, two wait patiently, others for a second.
    const code = 'import time\ntime.sleep(0.05)';
    const answers = await Promise.all(Array.from({ length: 130 }, () => service.post({ code })));
    const shed = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(130 - shed.length);
    expect(shed.length).toBeGreaterThanOrEqual(1);
    for (const response of shed) {
      // From 1 to 30 s.
      expect(response.headers.get('retry-after')).toMatch(/^([1-9]|[12]\d|30)$/);
      expect((await problemIn(response, 503)).code).toBe('OVERLOADED');
    }
    expect(await service.run('print(1)')).toMatchObject({ output: '1' });
  },
);

it('takes any host where others may reach it, and no page that is not named', async (context) => {
  const service = await setup(context, {
    PAWL_HOST: '0.0.0.0',
    PAWL_ALLOW_UNSANDBOXED: '0',
    PAWL_PUBLIC: 'execute',
  });
  const url = `http://127.0.0.1:${service.port}/health`;
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { headers: { origin: `http://127.0.0.1:${service.port}` } })).status).toBe(200);
  const refused = await fetch(url, { headers: { origin: 'https://evil.example' } });
  expect((await problemIn(refused, 403)).code).toBe('ORIGIN_REFUSED');
});

it.skipIf(NO_PYTHON)(`GET /system/sandbox says what programs run in${NO_PYTHON}`, async (context) => {
  const service = await setup(context);
  const report = (await (await fetch(`${service.url}/system/sandbox`)).json()) as { readonly kind: string };
  expect(report).toMatchObject({
    available: true,
    kind: expect.stringMatching(/^(bubblewrap|landlock|none)$/),
    checks: expect.arrayContaining([
      { property: 'network', contained: expect.any(Boolean), detail: expect.any(String) },
    ]),
    rejected: expect.any(Array),
  });
  expect(await service.run('print(1)')).toMatchObject({ sandbox: report.kind });
});
