import { describe, expect, it } from 'vitest';
import { held, setup, setupByHand } from '../test/connection-setup.ts';
import { errorCodes } from './message.ts';

describe('what can not be sent', () => {
  it('rejects the one call, by path, and leaves the connection usable', async () => {
    const { host, events } = setup({ echo: (params) => params });
    await expect(host.request('echo', { items: [1n] })).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      path: 'params.items[0]',
    });
    await expect(host.notify('note', () => 1)).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' });
    expect(host.openRequests).toBe(0);
    expect(await host.request('echo', 1)).toBe(1);
    expect(events.events).toEqual([]);
  });

  it('is answered with -32005 when it is the result', async () => {
    const { host } = setup(
      { bad: () => ({ id: 1n }), big: () => 'x'.repeat(2_000), ok: () => 1 },
      { maxMessageBytes: 2_000 },
    );
    await expect(host.request('bad')).rejects.toMatchObject({
      rpcCode: errorCodes.resultNotSendable,
      code: 'NOT_SERIALIZABLE',
      fields: { path: 'result.id' },
    });
    await expect(host.request('big')).rejects.toMatchObject({
      rpcCode: errorCodes.resultNotSendable,
      code: 'MESSAGE_TOO_LARGE',
      fields: { sizeBytes: 2_036, maxMessageBytes: 2_000 },
    });
    expect(await host.request('ok')).toBe(1);
  });

  it('is refused before a byte is written when it is too large', async () => {
    const { host, got, clock } = setupByHand({ maxMessageBytes: 100 });
    const tooLarge = { code: 'MESSAGE_TOO_LARGE', maxMessageBytes: 100 };
    await expect(host.request('run', 'x'.repeat(100))).rejects.toMatchObject(tooLarge);
    await expect(host.notify('run', '漢'.repeat(30))).rejects.toMatchObject(tooLarge);
    await host.notify('run', 'x'.repeat(56));
    await clock.settle();
    expect(got).toHaveLength(1);
    expect(JSON.stringify(got[0])).toHaveLength(100);
  });

  it('keeps to a limit that was agreed on later, in both directions', async () => {
    const { host, worker } = setup({ echo: (params) => params });
    host.limitMessages(100);
    await expect(host.request('echo', 'x'.repeat(100))).rejects.toMatchObject({ maxMessageBytes: 100 });
    host.limitMessages(1_000);
    await expect(host.request('echo', 'x'.repeat(100))).resolves.toBe('x'.repeat(100));
    worker.limitMessages(100);
    const malformed: unknown[] = [];
    worker.on('protocol:malformed', (event) => malformed.push(event));
    await host.notify('note', 'x'.repeat(100));
    await expect.poll(() => malformed).toMatchObject([{ reason: 'longer than the limit of 100 bytes' }]);
    expect(() => host.limitMessages(2 ** 40)).toThrow(/maxMessageBytes/);
  });

  it('counts what it receives, whatever it is', async () => {
    const { host, far, clock } = setup({ ping: () => 'pong' });
    await host.request('ping');
    far.inject('no frame\n');
    await clock.settle();
    expect(host.framesReceived).toBe(2);
  });

  it('rejects what the far side gave back, and hears no more of it', async () => {
    const { host, worker, clock } = setup({ wait: () => new Promise(() => undefined), ping: () => 'pong' });
    const call = host.call('wait');
    const other = host.call('wait');
    host.withdrawn([call.id, 99]);
    await expect(call.response).rejects.toMatchObject({ code: 'WITHDRAWN', method: 'wait' });
    expect(host.openRequests).toBe(1);
    await expect(host.request('ping')).resolves.toBe('pong');
    await worker.close();
    await expect(other.response).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await clock.settle();
  });

  it('still gets an answer through when it is the error of a method', async () => {
    const { host } = setup(
      {
        run: () => {
          throw Object.assign(new Error('real reason'), { blob: 'x'.repeat(10_000), code: 'E' });
        },
      },
      { maxMessageBytes: 4_000 },
    );
    await expect(host.request('run')).rejects.toMatchObject({
      message: 'real reason',
      code: 'E',
      omitted: ['fields'],
    });
  });

  it('rejects the request whose answer comes over the limit all the same', async () => {
    const { host, say, events, clock } = setupByHand({ maxMessageBytes: 200 });
    const [first, second] = [host.request('run'), host.request('run')];
    say({ id: 1, result: 'x'.repeat(300) });
    await expect(first).rejects.toMatchObject({
      rpcCode: errorCodes.resultNotSendable,
      code: 'MESSAGE_TOO_LARGE',
      fields: { sizeBytes: 336, maxMessageBytes: 200 },
    });
    say({ id: 9, result: 'x'.repeat(300) });
    say({ id: 2, result: 1 });
    expect(await second).toBe(1);
    await clock.settle();
    expect(events.count('protocol:malformed')).toBe(2);
  });
});

describe('notifications', () => {
  it('of a request reach its listener in order and before its answer', async () => {
    const { host } = setup({
      count: async (_, { notify }) => {
        for (let n = 0; n < 5; n += 1) void notify('progress', { n });
        await notify('log', { message: 'done', id: 99 });
        return 'answer';
      },
    });
    const log: unknown[] = [];
    const answer = host
      .request('count', undefined, { onNotification: (method, { n, id }) => log.push([method, n, id]) })
      .then((result) => log.push(result));
    await answer;
    expect(log).toEqual([...[0, 1, 2, 3, 4].map((n) => ['progress', n, 1]), ['log', undefined, 1], 'answer']);
  });

  it('are not sent behind the answer', async () => {
    let late: (() => Promise<void>) | undefined;
    const seen: unknown[] = [];
    const { host, clock } = setup(
      {
        run(_, context) {
          late = () => context.notify('progress', { value: 1 });
          return 1;
        },
      },
      { notifications: { progress: (params) => seen.push(params) } },
    );
    await host.request('run');
    await late?.();
    await clock.settle();
    expect(seen).toEqual([]);
  });

  it('reach the connection when they are about no open request, or one without a listener', async () => {
    const seen: unknown[] = [];
    const { host, say, clock } = setupByHand({ notifications: { note: (params) => seen.push(params) } });
    void host.request('run').catch(() => undefined);
    for (const params of [{ id: 1 }, { id: 2 }, { x: 1 }, [1], 'text', null]) say({ method: 'note', params });
    say({ method: 'note' });
    say({ method: 'unknown', params: { id: 1 } });
    await clock.settle();
    expect(seen).toEqual([{ id: 1 }, { id: 2 }, { x: 1 }, [1], 'text', null, undefined]);
  });

  it('go to the handler set last, until it is taken away', async () => {
    const seen: string[] = [];
    const { host, say, clock } = setupByHand();
    const stopFirst = host.onNotification('note', () => seen.push('first'));
    const stopSecond = host.onNotification('note', () => seen.push('second'));
    stopFirst();
    say({ method: 'note' });
    await clock.settle();
    stopSecond();
    say({ method: 'note' });
    await clock.settle();
    expect(seen).toEqual(['second']);
  });

  it('do not hurt the connection when their handler fails; the logger is told', async () => {
    const log: string[] = [];
    const write = (_fields: object | string, message?: string): void => void log.push(message ?? '');
    const logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
    const { host, say, clock } = setupByHand({
      logger,
      notifications: {
        throws: () => {
          throw new Error('boom');
        },
        rejects: () => Promise.reject(new Error('boom')),
      },
    });
    const answer = host.request('run', undefined, {
      onNotification: () => {
        throw new Error('boom');
      },
    });
    say({ method: 'throws' });
    say({ method: 'rejects' });
    say({ method: 'progress', params: { id: 1 } });
    say({ id: 1, result: 'fine' });
    expect(await answer).toBe('fine');
    await clock.settle();
    expect(log).toEqual([
      'The handler of notification "throws" failed.',
      'The handler of notification "progress" failed.',
      'The handler of notification "rejects" failed.',
    ]);
  });

  it('resolve when the channel took them', async () => {
    const { host, got } = setupByHand();
    await host.notify('note', { a: 1 });
    expect(got).toEqual([{ jsonrpc: '2.0', method: 'note', params: { a: 1 } }]);
  });
});

describe('the end', () => {
  it('by our close rejects what is open at once, and ignores what still arrives', async () => {
    const { host, say, far, events, clock } = setupByHand();
    const request = host.request('run');
    say({ id: 1, result: 'too late' });
    say({ method: 'note' });
    far.inject('garbage\n');
    const closing = host.close();
    await expect(request).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      reason: 'closed',
      message: 'No answer to "run": it was closed on this side.',
    });
    await closing;
    await host.close();
    await clock.settle();
    expect(await host.closed).toEqual({ reason: 'closed' });
    expect(events.events).toEqual([]);
  });

  it('by the far side delivers what it sent before', async () => {
    const { host, say, far } = setupByHand();
    const [first, second] = [host.request('run'), host.request('run')];
    say({ id: 1, result: 'whole' });
    far.break();
    expect(await first).toBe('whole');
    await expect(second).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', reason: 'ended', method: 'run' });
    expect(host.openRequests).toBe(0);
  });

  it('by a failure carries it as the cause', async () => {
    const { host, near } = setupByHand();
    const request = host.request('run');
    const error = new Error('EIO');
    near.break(error);
    await expect(request).rejects.toMatchObject({ reason: 'failed', cause: error });
    expect(await host.closed).toEqual({ reason: 'failed', error });
  });

  it('refuses all that comes behind it', async () => {
    const { host } = setup();
    await host.close();
    const closed = { code: 'CONNECTION_CLOSED', reason: 'closed' };
    await expect(host.request('run')).rejects.toMatchObject({ ...closed, method: 'run' });
    await expect(host.call('run').response).rejects.toMatchObject(closed);
    await expect(host.notify('note')).rejects.toMatchObject({ ...closed, method: undefined });
    host.call('run').response.catch(() => undefined);
  });

  it('aborts the methods that run, whose answers nobody gets', async () => {
    const { calls, handler } = held();
    const { host, worker, clock } = setup({ run: handler });
    const request = host.request('run');
    request.catch(() => undefined);
    await clock.settle();
    await host.close();
    await clock.settle();
    expect(calls[0]?.signal.reason).toMatchObject({ code: 'CONNECTION_CLOSED', reason: 'ended' });
    calls[0]?.answer(1);
    await clock.settle();
    expect(await worker.closed).toEqual({ reason: 'ended' });
  });
});
