import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Client, createClient, route } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A real server that answers each request with the next handler, and the last one from then on. */
async function serve(
  ...handlers: readonly Handler[]
): Promise<{ readonly url: string; readonly seen: readonly IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    handlers[Math.min(seen.length, handlers.length) - 1]?.(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** An address where nobody listens any more. */
async function nobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.close();
  await once(server, 'close');
  return url;
}

const json =
  (status: number, body: unknown): Handler =>
  (_request, response) => {
    const type = status < 400 ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
  };
const text: Handler = (_request, response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
const broken: Handler = ({ socket }) => socket.destroy();
const silent: Handler = () => undefined;

async function failureOf(
  call: Promise<unknown>,
): Promise<{ readonly message: string; readonly exitCode: number }> {
  const error: unknown = await call.then(
    () => expect.unreachable(),
    (failure: unknown) => failure,
  );
  return error as { readonly message: string; readonly exitCode: number };
}

describe('a request', () => {
  it('carries the token, the query without what is absent, and a body only where there is one', async () => {
    const { url, seen } = await serve(json(200, { ok: true }));
    const client = createClient({ url: `${url}/`, token: ' secret\n' });
    await client.get('/v1/runs', { query: { state: 'queued,running', key: undefined, limit: 5 } });
    await client.send('POST', '/v1/runs', { a: 1 });
    await client.send('POST', '/v1/schedules/x/resume');
    expect(seen.map(({ method, url: path, headers }) => [method, path, headers['content-type']])).toEqual([
      ['GET', '/v1/runs?state=queued%2Crunning&limit=5', undefined],
      ['POST', '/v1/runs', 'application/json'],
      ['POST', '/v1/schedules/x/resume', undefined],
    ]);
    expect(seen[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('encodes what is put into its path, and refuses what would lead elsewhere', () => {
    expect(route`/v1/runs/${'a/b?c'}/cancel`).toBe('/v1/runs/a%2Fb%3Fc/cancel');
    for (const part of ['', '.', '..']) expect(() => route`/v1/runs/${part}`).toThrow(/is not a name/);
  });

  it('answers undefined where there is no body', async () => {
    const { url } = await serve((_request, response) => response.writeHead(204).end());
    expect(await createClient({ url }).send('DELETE', '/v1/runs/x')).toBeUndefined();
  });

  it.each(['localhost:3001', 'ftp://x', 'nonsense', ''])('is not made to %j', (url) => {
    expect(() => createClient({ url })).toThrow(
      expect.objectContaining({ exitCode: 64, message: expect.stringContaining(`got \`${url}\``) }),
    );
  });
});

describe('a connection', () => {
  it('that nobody takes says how to start a service: 69', async () => {
    const url = await nobody();
    const failure = await failureOf(createClient({ url }).get('/health'));
    expect(failure.exitCode).toBe(69);
    expect(failure.message).toBe(
      `no service at ${url}: start one with \`pawl serve\`, or name another with --url or PAWL_URL`,
    );
  });

  it('that breaks is tried once more to read, and never to change something', async () => {
    const read = await serve(broken, json(200, { id: 'a' }));
    expect(await createClient({ url: read.url }).get('/v1/runs/a')).toEqual({ id: 'a' });
    const twice = await serve(broken);
    const failure = await failureOf(createClient({ url: twice.url }).get('/v1/runs/a'));
    expect([failure.exitCode, twice.seen.length]).toEqual([69, 2]);
    expect(failure.message).toMatch(/^the connection to http:\S+ broke \(/);
    const change = await serve(broken);
    await failureOf(createClient({ url: change.url }).send('POST', '/v1/runs', {}));
    expect(change.seen).toHaveLength(1);
  });

  it('that is silent ends with its time: 69', async () => {
    const { url, seen } = await serve(silent);
    const failure = await failureOf(createClient({ url }).get('/health', { timeoutMs: 50 }));
    expect([failure.exitCode, seen.length]).toEqual([69, 1]);
    expect(failure.message).toBe(`the service at ${url} did not answer within 0.05 s`);
  });

  it('that somebody else answers is not Pawl: 69', async () => {
    const { url } = await serve(text, (_request, response) => response.writeHead(404).end('no'));
    expect(await failureOf(createClient({ url }).get('/health'))).toMatchObject({
      exitCode: 69,
      message: `what answers at ${url} is not Pawl`,
    });
    expect((await failureOf(createClient({ url }).get('/health'))).message).toBe(
      `what answers at ${url} is not Pawl (status 404)`,
    );
  });

  it('ends with the signal of the caller, as its own reason', async () => {
    const { url } = await serve(silent);
    const reason = new Error('enough');
    const call = createClient({ url }).get('/health', { signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
  });
});

describe('a problem', () => {
  const problem = (status: number, detail: string, errors?: unknown): Handler =>
    json(status, { type: 'about:blank', title: 'x', status, code: 'X', detail, errors });

  it.each([
    [400, 64],
    [401, 77],
    [403, 77],
    [404, 66],
    [409, 1],
    [413, 64],
    [422, 64],
    [429, 75],
    [500, 70],
    [503, 75],
  ])('with status %i ends with %i', async (status, exitCode) => {
    const { url } = await serve(problem(status, 'No.'));
    expect(await failureOf(createClient({ url }).send('POST', '/v1/runs', {}))).toMatchObject({ exitCode });
  });

  it('is one line that names the fields', async () => {
    const { url } = await serve(
      problem(400, 'Expected `priority` to be a number.', [
        { field: 'priority', message: 'Expected `priority` to be a number.' },
        { field: 'run.key', message: 'Too\nlong.' },
      ]),
    );
    const { message } = await failureOf(createClient({ url }).send('POST', '/v1/runs', {}));
    expect(message).toBe('Expected `priority` to be a number. run.key: Too long.');
  });

  it('about a missing token says where it comes from', async () => {
    const { url } = await serve(problem(401, 'The service wants a token.'));
    expect((await failureOf(createClient({ url }).get('/v1/runs'))).message).toBe(
      'The service wants a token: set PAWL_TOKEN; `pawl token create` makes one',
    );
  });
});

describe('a stream of events', () => {
  const events =
    (body: string, isWhole = true): Handler =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`retry: 10\n\n${body}`, () => {
        if (isWhole) response.end();
        else response.socket?.destroy();
      });
    };
  const event = (id: number): string => `id: ${id}\nevent: entry\ndata: {"n":${id}}\n\n`;

  /** Reads until `count` events came. */
  async function read(
    client: Client,
    count: number,
    onBroken = (): void => undefined,
  ): Promise<readonly unknown[]> {
    const got: unknown[] = [];
    const stop = new AbortController();
    for await (const { data } of client.follow('/stream', {
      signal: stop.signal,
      onBroken,
      query: () => ({ from: 0 }),
    })) {
      got.push(data);
      if (got.length === count) break;
    }
    return got;
  }

  it('goes on where it was after a break, an end, a refusal and a silent hang-up', async () => {
    const { url, seen } = await serve(
      events(event(1) + event(2), false),
      broken,
      json(503, { detail: 'The service is stopping.' }),
      events(`: alive\n\n${event(3)}`),
      events(event(4)),
    );
    let breaks = 0;
    expect(await read(createClient({ url }), 4, () => (breaks += 1))).toEqual([
      { n: 1 },
      { n: 2 },
      { n: 3 },
      { n: 4 },
    ]);
    expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '2', '3']);
    expect(seen.every(({ url: path }) => path === '/stream?from=0')).toBe(true);
    expect(breaks).toBe(2);
  });

  it('fails at once where there never was one, or a problem that stays', async () => {
    expect(await failureOf(read(createClient({ url: await nobody() }), 1))).toMatchObject({ exitCode: 69 });
    const { url } = await serve(events(event(1)), json(404, { detail: 'There is no such run.' }));
    expect(await failureOf(read(createClient({ url }), 2))).toMatchObject({ exitCode: 66 });
  });

  it('gives up when the service stays away', async () => {
    const { url } = await serve(events(event(1)), broken);
    const { signal } = new AbortController();
    const reading = (async () => {
      for await (const each of createClient({ url }).follow('/stream', { signal, giveUpMs: 100 })) void each;
    })();
    expect(await failureOf(reading)).toMatchObject({ exitCode: 69 });
  });

  it('ends quietly with its signal, also between two connections', async () => {
    const { url } = await serve(events(event(1)), silent);
    const stop = new AbortController();
    const got: unknown[] = [];
    for await (const { data } of createClient({ url }).follow('/stream', {
      signal: stop.signal,
      onBroken: () => stop.abort(),
    })) {
      got.push(data);
    }
    expect(got).toEqual([{ n: 1 }]);
  });
});
