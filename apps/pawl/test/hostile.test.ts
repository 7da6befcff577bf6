import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './processes.ts';
import { follow, runToEnd, shell, submit, untilPrints } from './run-client.ts';
import { problemIn, type ProblemBody, type Service, startService } from './start-service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.dispose());

const json = { 'content-type': 'application/json' };
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}): Promise<Response> =>
  fetch(service.url + path, { method: 'POST', body, headers: { ...json, ...headers } });

/** Sends bytes as they are, and reads all that comes until the connection ends. */
async function raw(...pieces: readonly string[]): Promise<string> {
  const socket = connect(service.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return answer;
}

describe('a body', { concurrent: true }, () => {
  it.each([
    ['no JSON', '{"command":'],
    ['a text', '"command"'],
    ['a number', '7'],
    ['null', 'null'],
    ['nothing', ''],
    ['deep nesting', '['.repeat(100_000)],
    ['a prototype', '{"__proto__":{"isAdmin":true},"command":{"file":"true"}}'],
    ['a prototype inside', '{"command":{"file":"true","env":{"__proto__":{"X":"1"}}}}'],
    ['a constructor', '{"command":{"file":"true"},"constructor":{"prototype":{"isAdmin":true}}}'],
    ['a key twice with another type', '{"command":{"file":"true"},"command":5}'],
    ['a number that is too large', '{"command":{"file":"true"},"priority":1e999}'],
  ])('of %s is refused', async (_what, body) => {
    const problem = await problemIn(await post('/v1/runs', body), 400);
    expect(problem.code).toBe('BODY_INVALID');
  });

  it('of another kind is refused', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ]) {
      expect((await post('/v1/runs', '{}', { 'content-type': type })).status).toBe(415);
    }
  });

  it('that is too large is refused before it is read, for each route at its limit', async () => {
    const declare = (path: string, bytes: number): Promise<string> =>
      raw(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n` +
          `content-length: ${bytes}\r\n\r\n{`,
      );
    for (const [path, limit] of [
      ['/v1/runs', 1_048_576],
      ['/v1/runs/batch', 8_388_608],
      ['/execute', 1_048_576],
    ] as const) {
      const answer = await declare(path, limit + 1);
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain(`"message":"Expected \`body\` to be at most ${limit} bytes."`);
    }
  });

  it('whose length is not its own ends the connection', async () => {
    const both = await raw(
      'POST /v1/runs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/settings HTTP/1.1\r\n\r\n',
    );
    expect(both).toMatch(/^HTTP\/1\.1 400 /);
    expect(both.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('a name', { concurrent: true }, () => {
  const NAMES = [
    '..%2f..%2f..%2fetc%2fpasswd',
    '..%5c..%5cwindows',
    '%2e%2e',
    'run_x%00.log',
    '%F0%9F%98%80',
    'a'.repeat(200),
    '__proto__',
    'constructor',
    '%20',
  ];

  it.each(NAMES)('%s is no run, nor anything else', async (name) => {
    for (const path of [
      `/v1/runs/${name}`,
      `/v1/runs/${name}/logs`,
      `/v1/runs/${name}/logs/download`,
      `/v1/runs/${name}/logs/stream`,
      `/v1/modules/${name}`,
      `/v1/modules/${name}/config`,
      `/v1/schedules/${name}`,
    ]) {
      const response = await fetch(service.url + path);
      expect([400, 404], path).toContain(response.status);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it('reaches no file outside of the page', async () => {
    const answers = await Promise.all(
      [
        '/ui/../../../../etc/passwd',
        '/ui/%2e%2e/%2e%2e/package.json',
        '/ui/..%2f..%2fpackage.json',
        '//etc/passwd',
        '/ui//etc/passwd',
      ].map((path) => raw(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)),
    );
    for (const answer of answers) expect(answer).not.toMatch(/root:|"dependencies"/);
  });

  it('that is too long is refused', async () => {
    expect((await fetch(`${service.url}/v1/runs/${'a'.repeat(201)}`)).status).toBe(400);
    expect((await fetch(`${service.url}/v1/runs/${'a'.repeat(501)}`)).status).toBe(414);
    expect((await fetch(`${service.url}/v1/runs?key=${'k'.repeat(17_000)}`)).status).toBe(431);
  });

  it('of a key is only ever a key', async () => {
    const name = `x-${randomUUID()}`;
    const key = `../../${name}`;
    const run = await runToEnd(service, shell('true', { key, idempotencyKey: '__proto__' }));
    expect(run).toMatchObject({ state: 'succeeded', key, idempotencyKey: '__proto__' });
    expect(readdirSync(service.dataDir).every((each) => !each.startsWith('x'))).toBe(true);
    expect(existsSync(join(service.dataDir, '..', name))).toBe(false);
  });
});

describe('a request', { concurrent: true }, () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a header without end', `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['an address that is none', 'GET /%ff%zz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 400],
    ['a foreign host', 'GET /health HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n', 403],
    ['no host', 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
    ['an unknown method', 'BREW /v1/runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 400],
  ])('of %s is refused', async (_what, text, status) => {
    expect(await raw(text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('of a foreign page is refused, to every route', async () => {
    for (const path of ['/v1/runs', '/v1/events', '/execute', '/ui/']) {
      const response = await fetch(service.url + path, { headers: { origin: 'https://evil.example' } });
      expect((await problemIn(response, 403)).code).toBe('ORIGIN_REFUSED');
    }
  });

  it('with fields that nobody knows is refused', async () => {
    const { id } = await runToEnd(service, shell('true'));
    const answers = await Promise.all([
      service.request<ProblemBody>('GET', `/v1/runs/${id}?full=1`),
      service.request<ProblemBody>('GET', '/v1/runs/counts?x'),
      service.request<ProblemBody>('POST', `/v1/runs/${id}/retry`, { body: { force: true } }),
      service.request<ProblemBody>('GET', '/v1/events?types=run,secrets'),
    ]);
    expect(answers.map(({ status, body }) => [status, body.errors?.[0]?.field])).toEqual([
      [400, 'full'],
      [400, 'x'],
      [400, 'force'],
      [400, 'types[1]'],
    ]);
  });

  it('of curl is served as any other', ({ skip }) => {
    const curl = (...args: readonly string[]) =>
      spawnSync('curl', ['-sS', '--max-time', '10', ...args], { encoding: 'utf8' });
    if (curl('--version').status !== 0) skip('there is no curl here');
    const submitted = curl(
      `${service.url}/v1/runs`,
      '--json',
      '{"command":{"file":"echo","args":["from curl"]}}',
      '-H',
      'prefer: wait=10',
    );
    const { id, state } = JSON.parse(submitted.stdout) as { readonly id: string; readonly state: string };
    expect(state).toBe('succeeded');
    expect(curl('-N', `${service.url}/v1/runs/${id}/logs/stream`).stdout).toMatch(
      /^retry: 1000\n\nid: \d+\nevent: entry\ndata: \{.*"text":"from curl".*\}\n\nid: \d+\nevent: complete\ndata: \{"state":"succeeded"\}\n\n$/,
    );
  });
});

describe('a client that leaves', () => {
  it('leaves nothing behind: no wait, no stream, no listener', async () => {
    const { id } = await submit(service, shell('echo up; sleep 600'));
    await untilPrints(service, id, 'up');
    const baseline = await streamsOf(service);
    const sockets: Socket[] = [];
    for (let n = 0; n < 20; n += 1) {
      for (const path of [`/v1/runs/${id}/wait`, `/v1/runs/${id}/logs/stream`, '/v1/events']) {
        const socket = connect(service.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
        sockets.push(socket);
      }
    }
    const events = await follow(service, '/v1/events');
    await until('all are served', async () => (await streamsOf(service)) >= baseline + 41);
    for (const socket of sockets) socket.destroy();
    events.close();
    await until('all are gone', async () => (await streamsOf(service)) === baseline);
    await service.request('POST', `/v1/runs/${id}/cancel`);
  });
});

it('goes on after all of it, and has no error of its own to tell of', async () => {
  expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
  expect(service.stderr()).toBe('');
});

/** How many streams of events the service says are open. */
async function streamsOf({ url }: Service): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^pawl_event_streams(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1]);
}
