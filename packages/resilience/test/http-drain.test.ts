import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  connect as connectHttp2,
  createSecureServer as createSecureHttp2Server,
  createServer as createHttp2Server,
} from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { setTimeout as realSleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { drainHttpServer } from '../src/index.ts';
import { watch } from './settle.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function setup(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const server: Server = createServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  cleanups.push(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  const request = async (
    path = '/',
  ): Promise<{ status: number; connection: string | undefined; length: number }> => {
    const [response] = (await once(get({ port, host: '127.0.0.1', path, agent }), 'response')) as [
      IncomingMessage,
    ];
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    return { status: response.statusCode ?? 0, connection: response.headers.connection, length };
  };
  /** A bare connection. */
  const dial = async (
    text = '',
  ): Promise<{
    readonly socket: Socket;
    readonly received: () => string;
    readonly closed: Promise<void>;
  }> => {
    const socket = connect(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    const closed = once(socket, 'close').then(() => undefined);
    await once(socket, 'connect');
    if (text !== '') socket.write(text);
    return { socket, received: () => received, closed };
  };
  return { server, port, request, dial };
}

function tlsFiles(): { readonly key: Buffer; readonly cert: Buffer } {
  const read = (name: string): Buffer =>
    readFileSync(new URL(`fixtures/localhost-${name}.pem`, import.meta.url));
  return { key: read('key'), cert: read('cert') };
}

/** An HTTP/2 stream whose answer has begun and ends when the test says so. */
async function beginStream() {
  const answer = createDeferred();
  const server = createHttp2Server((_request, response) => {
    response.write('begun ');
    void answer.promise.then(() => response.end('done'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => client.destroy());
  await once(client, 'connect');
  const stream = client.request({ ':path': '/' });
  let body = '';
  stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
  await once(stream, 'response');
  return { server, client, stream, answer, body: () => body };
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

describe('drainHttpServer', () => {
  it('ends a server that has no connection', async () => {
    const { server } = await setup((_request, response) => response.end());
    expect(await drainHttpServer(server)).toMatchObject({ cut: 0 });
    expect(server.listening).toBe(false);
    expect(server.listenerCount('request')).toBe(1);
  });

  it('serves requests during the settle time, closes each connection after its response, and refuses later ones', async () => {
    const { server, request } = await setup((_request, response) => response.end('ok'));
    await request();
    const clock = createManualClock();
    const outcome = watch(drainHttpServer(server, { settleMs: 300, clock }));
    const seen: Awaited<ReturnType<typeof request>>[] = [];
    for (let count = 0; count < 30; count += 1) {
      seen.push(await request());
      if (count < 29) await clock.advance(10);
    }
    expect(outcome.now.status).toBe('pending');
    expect(seen.every(({ status, connection }) => status === 200 && connection === 'close')).toBe(true);
    while (outcome.now.status === 'pending') await clock.advance(10);
    expect(outcome.now.value).toMatchObject({ cut: 0 });
    await expect(request()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets a running request end, and closes its connection within 200 ms', async () => {
    const running = createDeferred<ServerResponse>();
    const { server, dial } = await setup((_request, response) => running.resolve(response));
    const { received, closed } = await dial(REQUEST);
    const response = await running.promise;
    const drained = drainHttpServer(server);
    await realSleep(300);
    response.end('done');
    const endedAt = performance.now();
    await closed;
    expect(performance.now() - endedAt).toBeLessThan(200);
    expect(received()).toContain('Connection: close');
    expect(received()).toContain('done');
    expect(await drained).toMatchObject({ cut: 0 });
  });

  it('closes a keep-alive connection within 200 ms of a response that had begun before', async () => {
    const running = createDeferred<ServerResponse>();
    const { server, dial } = await setup((_request, response) => {
      response.write('begin');
      running.resolve(response);
    });
    const { received, closed } = await dial(REQUEST);
    const response = await running.promise;
    const drained = drainHttpServer(server);
    await realSleep(200);
    response.end('end');
    const endedAt = performance.now();
    await closed;
    expect(performance.now() - endedAt).toBeLessThan(200);
    expect(received()).toContain('keep-alive');
    expect(received()).toContain('end');
    expect(await drained).toMatchObject({ cut: 0 });
  });

  it('sends a long response to its end, to a reader that is slow', async () => {
    const size = 8_000_000;
    const { server, dial } = await setup((_request, response) => response.end(Buffer.alloc(size, 'x')));
    const { socket, closed } = await dial(REQUEST);
    let length = 0;
    socket.removeAllListeners('data');
    socket.pause();
    await realSleep(100);
    const drained = drainHttpServer(server);
    await realSleep(200);
    socket.on('data', (chunk: Buffer) => (length += chunk.length));
    socket.resume();
    await closed;
    expect(length).toBeGreaterThan(size);
    expect(await drained).toMatchObject({ cut: 0 });
  });

  it('serves a request that is on its way when it stops listening', async () => {
    const { server, dial } = await setup((_request, response) => response.end('made it'));
    const { socket, received, closed } = await dial();
    const drained = drainHttpServer(server);
    await realSleep(10);
    socket.write(REQUEST);
    await closed;
    expect(received()).toContain('made it');
    await drained;
  });

  it('ends idle connections and half-sent requests soon', async () => {
    const { server, dial } = await setup((_request, response) => response.end('ok'));
    const idle = await dial(REQUEST);
    const silent = await dial();
    const half = await dial('GET / HTTP/1.1\r\nHost:');
    await realSleep(50);
    const { durationMs, cut } = await drainHttpServer(server);
    await Promise.all([idle.closed, silent.closed, half.closed]);
    expect(durationMs).toBeLessThan(1_000);
    expect(cut).toBe(0);
  });

  it('ends an upgraded connection', async () => {
    const { server, dial } = await setup((_request, response) => response.end());
    server.on('upgrade', (_request, socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    );
    const upgraded = await dial('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await realSleep(50);
    expect(upgraded.received()).toContain('101');
    await drainHttpServer(server);
    await upgraded.closed;
  });

  it('cuts what is left when its time is over, or its signal aborts', async () => {
    const { server, dial } = await setup(() => undefined);
    const hanging = await dial(REQUEST);
    await realSleep(50);
    const report = await drainHttpServer(server, { timeoutMs: 200 });
    expect(report.cut).toBe(1);
    expect(report.durationMs).toBeGreaterThanOrEqual(199);
    await hanging.closed;

    const other = await setup(() => undefined);
    await other.dial(REQUEST);
    await realSleep(50);
    const controller = new AbortController();
    const drained = drainHttpServer(other.server, { settleMs: 60_000, signal: controller.signal });
    controller.abort();
    expect(await drained).toMatchObject({ cut: 1 });
  });

  it('does all of it over TLS too', async () => {
    const running = createDeferred<ServerResponse>();
    const server = createTlsServer(tlsFiles(), (request, response) => {
      if (request.url === '/slow') running.resolve(response);
      else response.end('ok');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const dialTls = async (
      path: string,
    ): Promise<{ readonly received: () => string; readonly closed: Promise<void> }> => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      cleanups.push(() => socket.destroy());
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      const closed = once(socket, 'close').then(() => undefined);
      await once(socket, 'secureConnect');
      socket.write(REQUEST.replace('/', path));
      return { received: () => received, closed };
    };
    const [idle, slow] = [await dialTls('/'), await dialTls('/slow')];
    const response = await running.promise;
    const drained = drainHttpServer(server);
    await idle.closed;
    await realSleep(100);
    response.end('took its time');
    await slow.closed;
    expect(slow.received()).toContain('took its time');
    expect(slow.received()).toContain('Connection: close');
    expect(await drained).toMatchObject({ cut: 0 });
  });

  it('ends HTTP/2 connections within its time, letting streams of the settle time end', async () => {
    const server = createHttp2Server(
      (_request, response) => void realSleep(150).then(() => response.end('h2')),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await once(client, 'connect');
    const drained = drainHttpServer(server, { settleMs: 100, timeoutMs: 2_000 });
    const stream = client.request({ ':path': '/' });
    let body = '';
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    await once(stream, 'end');
    expect(body).toBe('h2');
    const report = await drained;
    expect(report).toMatchObject({ cut: 0 });
    expect(report.durationMs).toBeLessThan(1_000);
  });

  it('ends an idle HTTP/2 connection made before', async () => {
    const { server, client, stream, answer } = await beginStream();
    answer.resolve();
    await once(stream, 'end');
    const closed = once(client, 'close');
    expect(await drainHttpServer(server, { timeoutMs: 5_000 })).toMatchObject({ cut: 0 });
    await closed;
  });

  it('ends an HTTP/2 connection made before after its running stream', async () => {
    const { server, client, answer, body } = await beginStream();
    const closed = once(client, 'close');
    const drained = drainHttpServer(server, { timeoutMs: 5_000 });
    await realSleep(100);
    expect(client.destroyed).toBe(false);
    answer.resolve();
    expect(await drained).toMatchObject({ cut: 0 });
    await closed;
    expect(body()).toBe('begun done');
  });

  it('ends an encrypted HTTP/2 connection made before within its time', async () => {
    const server = createSecureHttp2Server(tlsFiles(), (_request, response) => response.end('ok'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connectHttp2(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      rejectUnauthorized: false,
    });
    client.on('error', () => undefined);
    cleanups.push(() => client.destroy());
    await once(client, 'connect');
    await once(client.request({ ':path': '/' }).resume(), 'end');
    const closed = once(client, 'close');
    const { durationMs } = await drainHttpServer(server, { timeoutMs: 300 });
    await closed;
    expect(durationMs).toBeLessThan(1_000);
  });

  it('ends every kind of connection of one server within its time', async () => {
    const { server, dial } = await setup((request, response) => {
      if (request.url !== '/hangs') response.end('ok');
    });
    server.on('upgrade', (_request, socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      const chatter = setInterval(() => socket.write('still here\n'), 10);
      socket.on('close', () => clearInterval(chatter));
    });
    const connections = [
      await dial(REQUEST),
      await dial('GET / HTTP/1.1\r\nHost:'),
      await dial(REQUEST.replace('/', '/hangs')),
      await dial('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
    ];
    await realSleep(50);
    const report = await drainHttpServer(server, { timeoutMs: 300 });
    await Promise.all(connections.map(({ closed }) => closed));
    // The hanging request and the upgraded connection that never fell silent.
    expect(report.cut).toBe(2);
  });

  it('refuses wrong arguments', async () => {
    await expect(drainHttpServer({} as Server)).rejects.toThrow('`server`');
    await expect(drainHttpServer(createServer(), { settleMs: -1 })).rejects.toThrow('`settleMs`');
    await expect(drainHttpServer(createServer(), { settle: 1 } as object)).rejects.toThrow(
      'did you mean `settleMs`?',
    );
    expect(await drainHttpServer(createServer())).toMatchObject({ cut: 0 });
  });
});
