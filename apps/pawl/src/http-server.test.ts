import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpServer, type HttpServerOptions } from './http-server.ts';

async function setup(options: Partial<HttpServerOptions> = {}) {
  const app = await createHttpServer({
    logger: pino({ level: 'silent' }),
    isPublic: false,
    corsOrigins: [],
    ...options,
  });
  app.all('/', () => ({}));
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  return { app, port: (app.server.address() as AddressInfo).port };
}

describe('createHttpServer', () => {
  it.each([
    ['a header', 'GET / HTTP/1.1\r\nhost: localhost\r\nx-slow:'],
    [
      'a body',
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    ],
  ])('does not wait for ever for the rest of %s', async (_what, start) => {
    const { port } = await setup({ requestTimeoutMs: 200 });
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    socket.write(start);
    // Byte by byte, so that the connection is never idle.
    const drip = setInterval(() => socket.write('x'), 20);
    onTestFinished(() => clearInterval(drip));
    socket.on('error', () => undefined);
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
  });

  it('lets the page of a public service talk to it by its own name, and no other', async () => {
    const { app } = await setup({ isPublic: true });
    const ask = async (origin: string): Promise<number> =>
      (await app.inject({ url: '/', headers: { host: 'pawl.example', origin } })).statusCode;
    expect(await ask('https://pawl.example')).toBe(200);
    expect(await ask('https://pawl.example:444')).toBe(403);
    expect(await ask('https://evil.example')).toBe(403);
    expect(await ask('null')).toBe(403);
  });

  it('does not do so on this machine, where a page may have rebound its own name', async () => {
    const { app } = await setup();
    const headers = { host: 'evil.example', origin: 'https://evil.example' };
    expect((await app.inject({ url: '/', headers })).statusCode).toBe(403);
  });
});
