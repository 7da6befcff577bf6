import { describe, expect, it } from 'vitest';
import { held, never, setup, setupByHand } from '../test/connection-setup.ts';
import { errorCodes } from './message.ts';

describe('a request of the far side', () => {
  it.each(['nope', '__proto__', 'constructor', 'toString', ''])(
    'is refused when there is no method %j',
    async (method) => {
      const { host } = setup({ run: never, ping: never });
      await expect(host.request(method)).rejects.toMatchObject({
        rpcCode: errorCodes.methodNotFound,
        message: `There is no method ${JSON.stringify(method)} here. There are: run, ping.`,
      });
    },
  );

  it('is answered also by a handler whose thenable is broken', async () => {
    const { host } = setup({
      getter: () => ({
        // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
        get then(): never {
          throw new Error('no then');
        },
      }),
      throws: () => ({
        // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
        then() {
          throw new Error('bad then');
        },
      }),
      twice: () => ({
        // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
        then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
          resolve(1);
          reject(new Error('again'));
        },
      }),
    });
    await expect(host.request('getter')).rejects.toThrow('no then');
    await expect(host.request('throws')).rejects.toThrow('bad then');
    expect(await host.request('twice')).toBe(1);
  });

  it('with a second request of an open id get an error of their own', async () => {
    const { calls, handler } = held();
    const { say, got, clock } = setupByHand({ methods: { run: handler } });
    say({ id: 5, method: 'run' });
    say({ id: 5, method: 'run' });
    await clock.settle();
    expect(calls).toHaveLength(1);
    expect(got).toMatchObject([{ id: 5, error: { code: errorCodes.invalidRequest } }]);
    calls[0]?.answer('done');
    await clock.settle();
    expect(got).toMatchObject([{}, { id: 5, result: 'done' }]);
    say({ id: 5, method: 'run' });
    await clock.settle();
    expect(calls).toHaveLength(2);
  });
});

describe('cancel', () => {
  it('aborts the signal of the method with the reason and the grace', async () => {
    const { calls, handler } = held();
    const { host, clock } = setup({ run: handler });
    const call = host.call('run');
    await clock.settle();
    call.cancel('enough', 500);
    await clock.settle();
    expect(calls[0]?.signal.reason).toMatchObject({ code: 'CANCELLED', message: 'enough', graceMs: 500 });
    calls[0]?.answer('late but whole');
    expect(await call.response).toBe('late but whole');
  });

  it('gives -32001 for what a cancelled method throws, and -32000 without a cancel', async () => {
    const { host, clock } = setup({
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    const call = host.call('run');
    await clock.settle();
    call.cancel('enough');
    await expect(call.response).rejects.toMatchObject({
      rpcCode: errorCodes.cancelled,
      message: 'enough',
      code: 'CANCELLED',
    });
  });

  it('reaches a method that looks at its signal only later', async () => {
    let look: (() => AbortSignal) | undefined;
    const { host, clock } = setup({
      run: (_, context) => {
        look = () => context.signal;
        return never();
      },
    });
    const call = host.call('run');
    await clock.settle();
    call.cancel('early');
    call.cancel('twice');
    await clock.settle();
    expect(look?.().reason).toMatchObject({ message: 'early' });
    call.response.catch(() => undefined);
  });

  it('is not sent for a request that was answered, and ignored for one that is not open', async () => {
    const { host, got, say, clock } = setupByHand();
    const call = host.call('run');
    say({ id: 1, result: 1 });
    await call.response;
    call.cancel('late');
    for (const params of [{ id: 1 }, { id: 'x' }, {}, null, [1]]) say({ method: 'cancel', params });
    say({ method: 'cancel' });
    await clock.settle();
    expect(got).toHaveLength(1);
  });

  it('gets through with a reason cut to 1000 characters', async () => {
    const { host, got, clock } = setupByHand({ maxMessageBytes: 200 });
    const call = host.call('run');
    call.cancel('x'.repeat(5_000));
    await clock.settle();
    expect(got).toHaveLength(2);
    call.response.catch(() => undefined);
  });
});
