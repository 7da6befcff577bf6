import { type Logger, silentLogger } from '@pawl/core';
import { describe, expect, it, vi } from 'vitest';
import { held, never, setup, setupByHand } from '../test/connection-setup.ts';
import { RpcError } from './ipc-errors.ts';
import { errorCodes } from './message.ts';

describe('a request', () => {
  it('resolves with the result, whether the method returns it or promises it', async () => {
    const { host } = setup({
      echo: (params) => params,
      later: (params) => Promise.resolve(params),
      none: () => undefined,
      nothing: () => null,
    });
    expect(await host.request('echo', { a: [1, null] })).toEqual({ a: [1, null] });
    expect(await host.request('later', 'x')).toBe('x');
    expect(await host.request('none')).toBeUndefined();
    expect(await host.request('nothing')).toBeNull();
    expect(host.openRequests).toBe(0);
  });

  it('is answered whatever the order of the answers', async () => {
    const { calls, handler } = held();
    const { host, clock } = setup({ run: handler });
    const all = Promise.all([host.request('run'), host.request('run'), host.request('run')]);
    await clock.settle();
    expect(host.openRequests).toBe(3);
    for (const at of [2, 0, 1]) calls[at]?.answer(at);
    expect(await all).toEqual([0, 1, 2]);
  });

  it('works in both directions with the same ids', async () => {
    const { host, worker } = setup({ run: () => 'worker' }, { methods: { run: () => 'host' } });
    expect(await Promise.all([host.request('run'), worker.request('run')])).toEqual(['worker', 'host']);
  });

  it('rejects with the far error, its code and its stack', async () => {
    const error = Object.assign(new RangeError('too far'), { code: 'E_FAR', limit: 3 });
    const { host } = setup({
      run: () => {
        throw error;
      },
    });
    const rejection = await host.request('run').catch((reason: unknown) => reason);
    expect(rejection).toMatchObject({
      name: 'RangeError',
      message: 'too far',
      code: 'E_FAR',
      rpcCode: errorCodes.taskFailed,
      fields: { limit: 3 },
    });
    expect(((rejection as Error).cause as Error).stack).toBe(error.stack);
  });

  it('rejects with the code and data of an RpcError', async () => {
    const { host } = setup({
      run: () => Promise.reject(new RpcError(errorCodes.noSuchTask, 'No task "x".', { name: 'NoSuchTask' })),
      odd: () => Promise.reject(new RpcError(7, 'odd', { big: 1n })),
    });
    await expect(host.request('run')).rejects.toMatchObject({
      rpcCode: -32_003,
      message: 'No task "x".',
      name: 'NoSuchTask',
    });
    await expect(host.request('odd')).rejects.toMatchObject({ rpcCode: 7, message: 'odd' });
  });
});

describe('an asked listener', () => {
  it('is told the result, and which request it answers', async () => {
    const { host, clock } = setup({ echo: (params) => params });
    const listener = { onResult: vi.fn(), onFailure: vi.fn() };
    const first = host.ask('echo', { a: 1 }, listener);
    const second = host.ask('echo', [2], listener);
    expect(listener.onResult).not.toHaveBeenCalled();
    await clock.settle();
    expect(listener.onResult.mock.calls).toEqual([
      [{ a: 1 }, first],
      [[2], second],
    ]);
    expect(listener.onFailure).not.toHaveBeenCalled();
    expect(host.openRequests).toBe(0);
  });

  it('is told of a failure once, also of one that comes before the request is sent, but never at once', async () => {
    const { host, worker, clock } = setup({
      fail: () => Promise.reject(new RangeError('no')),
      never,
    });
    const listener = { onResult: vi.fn(), onFailure: vi.fn() };
    const unsent = host.ask('fail', { big: 1n }, listener);
    expect(listener.onFailure).not.toHaveBeenCalled();
    const failed = host.ask('fail', undefined, listener);
    const lost = host.ask('never', undefined, listener);
    await clock.settle();
    await worker.close();
    await clock.settle();
    const late = host.ask('fail', undefined, listener);
    expect(listener.onFailure).toHaveBeenCalledTimes(3);
    await clock.settle();
    expect(listener.onFailure.mock.calls.map(([error, call]) => [(error as Error).name, call])).toEqual([
      ['NotSerializableError', unsent],
      ['RangeError', failed],
      ['ConnectionClosedError', lost],
      ['ConnectionClosedError', late],
    ]);
    expect(listener.onResult).not.toHaveBeenCalled();
  });

  it('may cancel, and hears what is said of its request', async () => {
    const { host, got, say, clock } = setupByHand();
    const listener = { onResult: vi.fn(), onFailure: vi.fn(), onNotification: vi.fn() };
    const call = host.ask('run', 1, listener);
    say({ method: 'progress', params: { id: call.id, value: 0.5 } });
    await clock.settle();
    expect(listener.onNotification).toHaveBeenCalledExactlyOnceWith('progress', { id: call.id, value: 0.5 });
    call.cancel('enough', 100);
    await clock.settle();
    expect(got.at(-1)).toMatchObject({
      method: 'cancel',
      params: { id: call.id, reason: 'enough', graceMs: 100 },
    });
    say({ id: call.id, result: 'late' });
    await clock.settle();
    expect(listener.onResult).toHaveBeenCalledExactlyOnceWith('late', call);
  });

  it('that throws is logged, and costs the others nothing', async () => {
    const logged: unknown[] = [];
    const logger: Logger = { ...silentLogger, error: (fields: unknown) => logged.push(fields) };
    const { host, clock } = setup(
      { echo: (params) => params, fail: () => Promise.reject(new Error('no')) },
      { logger },
    );
    const broken = (): never => {
      throw new Error('broken');
    };
    host.ask('echo', 1, { onResult: broken, onFailure: broken });
    host.ask('fail', 1, { onResult: broken, onFailure: broken });
    expect(await host.request('echo', 2)).toBe(2);
    await clock.settle();
    expect(logged).toMatchObject([{ method: 'echo' }, { method: 'fail' }]);
  });
});

describe('an abort', () => {
  it('rejects at once with the very reason, tells the far side, and leaves no listener', async () => {
    const { calls, handler } = held();
    const { host, clock, events } = setup({ run: handler });
    const controller = new AbortController();
    const counted = countListeners(controller.signal);
    const request = host.request('run', undefined, { signal: controller.signal });
    await clock.settle();
    const reason = { my: 'reason' };
    controller.abort(reason);
    await expect(request).rejects.toBe(reason);
    expect(counted()).toBe(0);
    await clock.settle();
    expect(calls[0]?.signal.reason).toMatchObject({ message: '{"my":"reason"}' });
    // The answer is owed all the same, and is nobody's event when it comes.
    expect(host.openRequests).toBe(1);
    calls[0]?.answer('late');
    await clock.settle();
    expect(host.openRequests).toBe(0);
    expect(events.events).toEqual([]);
  });

  it('keeps the request from being sent when it came first', async () => {
    const { host, got, clock } = setupByHand();
    await expect(host.request('run', 1, { signal: AbortSignal.abort('early') })).rejects.toBe('early');
    await clock.settle();
    expect(got).toEqual([]);
  });

  it('leaves no listener and no timer behind an answer', async () => {
    const { host, clock } = setup({ run: () => 1 });
    const { signal } = new AbortController();
    const counted = countListeners(signal);
    await host.request('run', undefined, { signal, timeoutMs: 1_000 });
    await expect(host.request('run', 1n, { signal, timeoutMs: 1_000 })).rejects.toThrow('a BigInt');
    expect([counted(), clock.pendingTimers]).toEqual([0, 0]);
  });

  it('silences the notifications of the request', async () => {
    const { host, say, clock } = setupByHand();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const request = host.request('run', undefined, {
      signal: controller.signal,
      onNotification: (method) => seen.push(method),
    });
    say({ method: 'first', params: { id: 1 } });
    await clock.settle();
    controller.abort();
    say({ method: 'second', params: { id: 1 } });
    await expect(request).rejects.toMatchObject({ name: 'AbortError' });
    await clock.settle();
    expect(seen).toEqual(['first']);
  });
});

describe('a timeout', () => {
  it('rejects on time and cancels on the far side', async () => {
    const { calls, handler } = held();
    const { host, clock, events } = setup({ run: handler });
    const outcome = Promise.allSettled([host.request('run', undefined, { timeoutMs: 500 })]);
    await clock.advance(499);
    expect(calls[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await outcome).toMatchObject([
      {
        reason: {
          code: 'REQUEST_TIMEOUT',
          method: 'run',
          timeoutMs: 500,
          message: 'No answer to "run" within 500 ms.',
        },
      },
    ]);
    await clock.settle();
    expect(calls[0]?.signal.aborted).toBe(true);
    calls[0]?.answer('late');
    await clock.settle();
    expect(events.events).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no timer behind a close', async () => {
    const { host, clock } = setup({ run: never });
    const request = host.request('run', 1, { timeoutMs: 1_000 });
    await host.close();
    await expect(request).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([-1, Number.NaN, '5'])('refuses the length %j', (timeoutMs) => {
    const { host } = setup();
    expect(() => host.request('run', 1, { timeoutMs: timeoutMs as number })).toThrow(/`timeoutMs`/);
  });
});

describe('hostile answers', () => {
  it('are events when nobody asked, or asked once', async () => {
    const { host, say, events, clock } = setupByHand();
    const request = host.request('run');
    say({ id: 7, result: 1 });
    say({ id: 1, result: 'first' });
    say({ id: 1, result: 'second' });
    say({ id: 1, error: { code: 1, message: 'third' } });
    say({ id: null, error: { code: errorCodes.parseError, message: 'what?' } });
    expect(await request).toBe('first');
    await clock.settle();
    expect(events.events.map(({ payload }) => payload)).toEqual([
      { id: 7 },
      { id: 1 },
      { id: 1 },
      { id: null },
    ]);
  });

  it('that are garbage reject the request without hurting the connection', async () => {
    const { host, say, far, events, clock } = setupByHand();
    const [first, second] = [host.request('run'), host.request('run')];
    far.inject('print without newline \u001B[2J\n{"jsonrpc":"2.0"}\n');
    say({ id: 1, error: { code: 1, message: 'bad', data: { cause: { cause: 7 }, errors: 'x', stack: {} } } });
    await expect(first).rejects.toMatchObject({ message: 'bad' });
    say({ id: 2, result: 2 });
    expect(await second).toBe(2);
    await clock.settle();
    expect(events.events.map(({ payload }) => payload)).toMatchObject([
      { reason: 'not JSON', preview: String.raw`print without newline \u001b[2J` },
      { reason: 'neither a method, a result nor an error' },
    ]);
  });
});

/** How many abort listeners are on the signal now. */
function countListeners(signal: AbortSignal): () => number {
  const add = vi.spyOn(signal, 'addEventListener');
  const remove = vi.spyOn(signal, 'removeEventListener');
  return () => add.mock.calls.length - remove.mock.calls.length;
}
