import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { exitCodes } from '../src/cli/exit-codes.ts';
import { SETTINGS } from '../src/settings.ts';
import { NO_PROC, NO_PYTHON, processesWith, until } from './processes.ts';
import { problemIn, type Service, setup, startService } from './start-service.ts';

const NO_JSON = 'The body is not valid JSON, or has a key such as `__proto__`.';

/** Sends bytes as they are and reads until the connection is closed. */
async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (data: string) => (text += data));
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

describe('the HTTP service', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(() => service.dispose());

  describe('POST /execute refuses', () => {
    it.each([
      ['no code', {}, 'code', 'Expected `code` to be a string, got `undefined`.'],
      ['an empty code', { code: '' }, 'code', 'Expected `code` to be a non-empty string, got `""` (string).'],
      ['a code that is a number', { code: 5 }, 'code', 'Expected `code` to be a string, got `5` (number).'],
      ['a code that is null', { code: null }, 'code', 'Expected `code` to be a string, got `null`.'],
      ['a list', { code: ['x'] }, 'code', 'Expected `code` to be a string, got `["x"]` (array).'],
      ['an unknown field', { code: '1', cod: 1 }, 'cod', '`cod` is not a field of this request.'],
      [
        'a name that objects inherit',
        { code: '1', toString: 1 },
        'toString',
        '`toString` is not a field of this request.',
      ],
      [
        'tests that there are none of',
        { code: '1', runTests: true },
        'runTests',
        'Expected `testCode` or `exerciseId` where `runTests` is true, got neither.',
      ],
      [
        'a limit above what a request may ask for',
        { code: '1', limits: { wallMs: 10_001 } },
        'limits',
        'Expected `limits.wallMs` (10001) to be at most `maxLimits.wallMs` (10000).',
      ],
      [
        'a limit that is none',
        { code: '1', limits: { wall: 1 } },
        'limits.wall',
        '`limits.wall` is not a field of this request.',
      ],
      [
        'a file without content',
        { code: '1', files: [{ path: 'a' }] },
        'files[0].content',
        'Expected `files[0].content` to be a string, got `undefined`.',
      ],
      [
        'a file that leaves its folder',
        { code: '1', files: [{ path: '../a', content: '' }] },
        'files[0].path',
        'Expected `files[0].path` to be a relative path of plain names, such as `data/names.csv`, got `"../a"` (string).',
      ],
      [
        'a cache mode that there is not',
        { code: '1', cache: true },
        'cache',
        'Expected `cache` to be one of `off`, `use`, `refresh`, got `true` (boolean).',
      ],
      ['a body that is a list', [1], 'body', 'Expected `body` to be a JSON object, got `[1]` (array).'],
      ['a body that is a string', '"x"', 'body', 'Expected `body` to be a JSON object, got `"x"` (string).'],
      ['bad JSON', '{"code": ', 'body', NO_JSON],
      ['an empty body', '', 'body', 'The body is empty.'],
      ['bytes that are no JSON', Uint8Array.of(0xff, 0xfe), 'body', NO_JSON],
      ['a key that reaches a prototype', '{"__proto__":{"code":"1"}}', 'body', NO_JSON],
      ['another one', '{"constructor":{"prototype":{"code":"1"}}}', 'body', NO_JSON],
    ])('%s with 400, naming the field', async (_what, body, field, message) => {
      const problem = await problemIn(await service.post(body), 400);
      expect(problem.code).toBe('BODY_INVALID');
      expect(problem.errors).toEqual([{ field, message }]);
      expect(problem.detail).toBe(problem.errors?.[0]?.message);
    });

    it('several faults at once, naming each', async () => {
      const problem = await problemIn(await service.post({ code: 1, a: 1, b: 2 }), 400);
      expect(problem.errors?.map(({ field }) => field)).toEqual(['code', 'a', 'b']);
    });

    it.each([
      ['ASCII', 'x'],
      ['two bytes each', 'é'],
      ['two UTF-16 units each', '😀'],
    ])('more than 50,000 characters with 413, counted as characters (%s)', async (_what, character) => {
      const problem = await problemIn(await service.post({ code: character.repeat(50_001) }), 413);
      expect(problem.code).toBe('CODE_TOO_LARGE');
      expect(problem.errors).toEqual([
        { field: 'code', message: 'Expected `code` to be at most 50000 characters, got 50001.' },
      ]);
    });

    it.skipIf(NO_PYTHON)(`and takes exactly 50,000${NO_PYTHON}`, async () => {
      const answer = await service.run(`#${'😀'.repeat(49_990)}\nprint(1)`);
      expect(answer).toMatchObject({ success: true, output: '1' });
    });

    it('a body over 1 MiB with 413, without reading it', async ({ onTestFinished }) => {
      const sent = request({
        port: service.port,
        host: '127.0.0.1',
        path: '/execute',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': 1_048_577 },
      });
      onTestFinished(() => void sent.destroy());
      sent.on('error', () => undefined);
      sent.flushHeaders();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      expect(response.statusCode).toBe(413);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += String(part);
      expect(JSON.parse(text)).toMatchObject({ code: 'BODY_TOO_LARGE', errors: [{ field: 'body' }] });
    });

    it('a body over 1 MiB that comes in chunks', async () => {
      const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`;
      const head = 'POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
      const text = await sendRaw(
        service.port,
        `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(33)}0\r\n\r\n`,
      );
      expect(text).toMatch(/^HTTP\/1.1 413 /);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', 'text/json'])(
      'content of type %s with 415',
      async (type) => {
        const problem = await problemIn(await service.post({ code: '1' }, { 'content-type': type }), 415);
        expect(problem).toMatchObject({
          code: 'MEDIA_TYPE_UNSUPPORTED',
          errors: [{ field: 'content-type' }],
        });
      },
    );
  });

  it.each([
    ['GET', '/nothing'],
    ['GET', '/execute'],
    ['POST', '/health'],
    ['DELETE', '/execute'],
    ['GET', '/health/../nothing?code=1'],
  ])('answers %s %s with 404', async (method, path) => {
    const problem = await problemIn(await fetch(service.url + path, { method }), 404);
    expect(problem).toMatchObject({
      code: 'NOT_FOUND',
      detail: expect.stringMatching(`^There is no ${method} /`),
    });
    expect(problem.detail).not.toContain('?');
  });

  it('answers an address that can not be decoded with a problem', async () => {
    const text = await sendRaw(
      service.port,
      'GET /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expect(text).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*"field":"url"/);
  });

  it.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    [
      'a header over 16 KiB',
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
    ],
    [
      'two lengths',
      'POST /execute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
    ],
  ])('answers %s with a problem and closes the connection', async (_what, bytes, status) => {
    const text = await sendRaw(service.port, bytes);
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(`HTTP/1.1 ${status} `);
    expect(head).toMatch(/^content-type: application\/problem\+json/m);
    expect(JSON.parse(body)).toMatchObject({ status, title: expect.any(String) });
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
  });

  it('says what nobody should guess or keep', async () => {
    const { headers } = await fetch(`${service.url}/health`);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('access-control-allow-origin')).toBe(null);
  });

  describe('lets only this machine in', () => {
    /** `fetch` does not let a Host be set. */
    const ask = (headers: string): Promise<string> =>
      sendRaw(service.port, `GET /health HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`);

    it.each([
      'evil.example',
      'evil.example:3001',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '127.0.0.1@evil.example',
      '192.168.0.1',
      '0.0.0.0',
      '',
    ])('refuses the host "%s"', async (host) => {
      const text = await ask(`Host: ${host}\r\n`);
      expect(text).toMatch(/^HTTP\/1.1 403 [^]*application\/problem\+json[^]*"HOST_REFUSED"/);
    });

    it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:3001', '[::1]:3001'])(
      'takes the host %s',
      async (host) => {
        expect(await ask(`Host: ${host}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
      },
    );

    it.each(['https://evil.example', 'http://127.0.0.1.evil.example', 'null', 'file://'])(
      'refuses the origin %s',
      async (origin) => {
        const problem = await problemIn(await service.post({ code: '1' }, { origin }), 403);
        expect(problem).toMatchObject({ code: 'ORIGIN_REFUSED', errors: [{ field: 'origin' }] });
      },
    );

    it('listens on loopback alone', () => {
      expect(service.url).toBe(`http://127.0.0.1:${service.port}`);
    });
  });

  it.skipIf(NO_PYTHON)(`GET /health answers its five fields${NO_PYTHON}`, async () => {
    const response = await fetch(`${service.url}/health`);
    expect(response.status).toBe(200);
    const health = (await response.json()) as { readonly timestamp: string; readonly uptimeSeconds: number };
    expect(health).toEqual({
      status: 'healthy',
      service: 'pawl',
      version: manifest.version,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      uptimeSeconds: expect.any(Number),
    });
    expect(Math.abs(Date.now() - Date.parse(health.timestamp))).toBeLessThan(60_000);
    expect(health.uptimeSeconds).toSatisfy(Number.isInteger);
  });

  it.skipIf(NO_PYTHON || NO_PROC)(
    `ends the program of a client that leaves, and logs no error${NO_PYTHON || NO_PROC}`,
    async () => {
      const left = new AbortController();
      const mark = `sleep ${600 + Math.random()}`;
      const code = `import subprocess\nsubprocess.Popen("${mark}".split())\nwhile True: pass`;
      const answer = service.post({ code }, {}, left.signal).catch((error: unknown) => error);
      await until('the program runs', () => processesWith(mark).length > 0);
      const leftAt = performance.now();
      left.abort();
      await answer;
      await until('the program is gone', () => processesWith(mark).length === 0);
      // Well before its own three seconds.
      expect(performance.now() - leftAt).toBeLessThan(2_000);
      expect(service.stderr()).toBe('');
    },
  );
});

describe.skipIf(NO_PYTHON)(`the README${NO_PYTHON}`, () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const requests =
    /```sh\ncurl -s localhost:3001(?<path>\/\w+)(?: -H 'content-type: application\/json' -d '(?<body>[^']+)')?\n```\n\n```json\n(?<answer>(?:(?!```)[^])*)```/g;
  const examples = [...readme.matchAll(requests)].map(({ groups }) => groups ?? {});
  /** What is another each time. */
  const measured = {
    executionTime: expect.any(Number),
    timestamp: expect.any(String),
    uptimeSeconds: expect.any(Number),
    usage: expect.any(Object),
    sandbox: expect.any(String),
  };

  it('has answers of the service that are real', async (context) => {
    const service = await setup(context);
    expect(examples).toHaveLength(readme.split('```json\n').length - 1);
    for (const { path, body, answer = '' } of examples) {
      const response = await (body === undefined ? fetch(`${service.url}${path}`) : service.post(body));
      const shown = JSON.parse(answer) as Record<string, unknown>;
      const varying = Object.entries(measured).filter(([name]) => name in shown);
      const version = 'version' in shown ? { version: manifest.version } : {};
      expect(await response.json()).toEqual({ ...shown, ...version, ...Object.fromEntries(varying) });
    }
  });

  it('names every setting and no other', () => {
    const named = new Set(readme.match(/PAWL_[A-Z_]+/g));
    // One names the file of settings, two are for the command as a client.
    expect([...named].toSorted()).toEqual([...SETTINGS, 'PAWL_CONFIG', 'PAWL_TOKEN', 'PAWL_URL'].toSorted());
  });

  it('leads to the meaning of every exit code', () => {
    expect(readme).toContain('(../../docs/cli.md#exit-codes)');
    const manual = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
    for (const code of Object.values(exitCodes)) expect(manual).toMatch(new RegExp(`^\\| ${code} `, 'm'));
  });
});
