import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { createDeferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { fastify } from 'fastify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEventStreams, type EventStreamsOptions, type StreamEvent } from './event-stream.ts';
import { handleError } from './http-errors.ts';

type Source = (signal: AbortSignal) => AsyncIterable<StreamEvent>;

async function setup(
  source: Source,
  options: Partial<EventStreamsOptions> & { readonly isEndless?: boolean } = {},
) {
  const clock = createManualClock();
  const closing = new AbortController();
  const { isEndless = true, ...others } = options;
  const streams = createEventStreams({ clock, closing: closing.signal, ...others });
  const app = fastify({ forceCloseConnections: true });
  app.setErrorHandler(handleError);
  app.get('/', (_request, reply) => streams.send(reply, source, { isEndless }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const read = async () => {
    const left = new AbortController();
    onTestFinished(() => left.abort());
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: left.signal });
    const reader = response.body?.getReader();
    const chunk = async (): Promise<string | undefined> => {
      const { value } = (await reader?.read()) ?? {};
      return value === undefined ? undefined : new TextDecoder().decode(value);
    };
    return { status: response.status, headers: response.headers, leave: () => left.abort(), chunk };
  };
  return { clock, closing, streams, port, read };
}

/** Waits for the signal, and then ends. */
async function* silence(signal: AbortSignal): AsyncGenerator<StreamEvent> {
  await once(signal, 'abort');
  yield* [];
}

describe('createEventStreams', () => {
  it('sends events as they come, those that come together at once, and ends with them', async () => {
    const gate = createDeferred();
    const { read } = await setup(async function* () {
      yield { id: 1, event: 'a', data: '{"n":1}' };
      yield { id: 2, event: 'b', data: '{"n":2}' };
      await gate.promise;
      yield { id: 'last', event: 'c', data: '{}' };
    });
    const { headers, chunk } = await read();
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
    });
    let text = '';
    while (!text.includes('{"n":2}')) text += await chunk();
    expect(text).toBe('retry: 1000\n\nid: 1\nevent: a\ndata: {"n":1}\n\nid: 2\nevent: b\ndata: {"n":2}\n\n');
    gate.resolve();
    expect(await chunk()).toBe('id: last\nevent: c\ndata: {}\n\n');
    expect(await chunk()).toBeUndefined();
  });

  it('sends a comment into a silence of 15 s', async () => {
    const { read, clock } = await setup(silence);
    const { chunk } = await read();
    expect(await chunk()).toBe('retry: 1000\n\n');
    await clock.advance(14_999);
    await clock.advance(1);
    expect(await chunk()).toBe(': alive\n\n');
    await clock.advance(15_000);
    expect(await chunk()).toBe(': alive\n\n');
  });

  it('asks for no more than its reader takes', async () => {
    let asked = 0;
    const data = JSON.stringify('x'.repeat(10_000));
    const { port, streams } = await setup(async function* (signal) {
      for (; !signal.aborted; asked += 1) yield { id: asked, event: 'a', data };
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    socket.pause();
    // It comes to rest when the buffers of the system are full.
    let before = -1;
    for (let still = 0; still < 20;) {
      await new Promise((resolve) => void setTimeout(resolve, 5));
      still = asked > 0 && asked === before ? still + 1 : 0;
      before = asked;
    }
    expect(asked * 10_000).toBeLessThan(20 * 1024 * 1024);
    socket.destroy();
    while (streams.size > 0) await new Promise((resolve) => void setImmediate(resolve));
  });

  it('tells its source that the client has left', async () => {
    const left = createDeferred();
    const { read, streams } = await setup(async function* (signal) {
      yield* silence(signal);
      left.resolve();
    });
    const { chunk, leave } = await read();
    await chunk();
    expect(streams.size).toBe(1);
    leave();
    await left.promise;
    expect(streams.size).toBe(0);
  });

  it('refuses more than it may have', async () => {
    const { read } = await setup(silence, { max: 1 });
    const { chunk } = await read();
    await chunk();
    const refused = await read();
    expect(refused.status).toBe(503);
    expect(await refused.chunk()).toContain('"code":"TOO_MANY_STREAMS"');
  });

  it('ends an endless stream with the service', async () => {
    const { read, closing } = await setup(silence);
    const { chunk } = await read();
    await chunk();
    closing.abort();
    expect(await chunk()).toBeUndefined();
  });

  it('lets one that ends by itself have its last word', async () => {
    const gate = createDeferred();
    const { read, closing } = await setup(
      async function* () {
        await gate.promise;
        yield { id: 1, event: 'complete', data: '{}' };
      },
      { isEndless: false },
    );
    const { chunk } = await read();
    await chunk();
    closing.abort();
    gate.resolve();
    expect(await chunk()).toBe('id: 1\nevent: complete\ndata: {}\n\n');
    expect(await chunk()).toBeUndefined();
  });
});
