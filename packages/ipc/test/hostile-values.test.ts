import { describe, expect, it } from 'vitest';
import { RpcError } from '@pawl/ipc';
import { never, setup } from './connection-setup.ts';

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const unreadable = Object.defineProperty(new Error('x'), 'message', {
  get(): never {
    throw new Error('no message');
  },
});

/** What code may abort with, or throw, though it should not. */
const REASONS: readonly (readonly [what: string, make: () => unknown])[] = [
  ['null', () => null],
  ['a BigInt', () => 1n],
  ['a symbol', () => Symbol('why')],
  ['a function', () => setup],
  ['a cycle', () => cyclic],
  ['an object without a prototype', () => Object.create(null)],
  ['an error whose message is no text', () => Object.assign(new Error('x'), { message: 5 })],
  ['an error whose message throws when read', () => unreadable],
  ['a revoked proxy', () => revoked.proxy],
];

// What fails here hangs: a request that nothing settles.
describe('hostile values', { timeout: 2_000 }, () => {
  it.each(REASONS)(
    'do not keep an abort with %s from rejecting, and from reaching the far side',
    async (_, make) => {
      const reason = make();
      const signals: AbortSignal[] = [];
      const { host, clock } = setup({
        run: (__, { signal }) => {
          signals.push(signal);
          return never();
        },
      });
      const controller = new AbortController();
      const outcome = host
        .request('run', undefined, { signal: controller.signal })
        .catch((error: unknown) => ({ error }));
      await clock.settle();
      controller.abort(reason);
      const { error } = (await outcome) as { readonly error: unknown };
      expect(Object.is(error, reason)).toBe(true);
      await clock.settle();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    },
  );

  it.each(REASONS)('do not keep a method that throws %s from being answered', async (_, make) => {
    const { host } = setup({
      run: () => {
        throw make();
      },
    });
    await expect(host.request('run')).rejects.toMatchObject({ rpcCode: -32_000 });
  });

  it.each([
    ['no number for a code', () => new RpcError(Number.NaN, 'x')],
    ['a text for a code', () => new RpcError('7' as unknown as number, 'x')],
    ['an endless code', () => new RpcError(Infinity, 'x')],
    ['a BigInt for a code', () => new RpcError(7n as unknown as number, 'x')],
    ['no text for a message', () => Object.assign(new RpcError(7, 'x'), { message: undefined })],
    ['data that throws when read', () => new RpcError(7, 'x', revoked.proxy)],
  ])('do not keep a method that throws an RpcError with %s from being answered', async (_, make) => {
    const { host, events } = setup({
      run: () => {
        throw make();
      },
    });
    await expect(host.request('run')).rejects.toMatchObject({
      rpcCode: expect.any(Number),
    });
    expect(events.events).toEqual([]);
  });
});
