import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createDeferred } from '@pawl/core';
import { createManualClock, type ManualClock } from '@pawl/core/testing';
import {
  bulkhead,
  circuitBreaker,
  compose,
  fallback,
  hedge,
  type Policy,
  rateLimiter,
  retry,
  standardPolicy,
  timeout,
} from '../src/index.ts';
import { watch } from './settle.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const policies: readonly (readonly [name: string, make: (clock: ManualClock) => Policy<unknown>])[] = [
  ['retry', (clock) => retry({ clock, attemptTimeoutMs: 1_000, totalTimeoutMs: 5_000 })],
  ['circuitBreaker', (clock) => circuitBreaker({ clock })],
  ['timeout', (clock) => timeout(1_000, { clock })],
  ['bulkhead', (clock) => bulkhead({ clock })],
  ['rateLimiter', (clock) => rateLimiter({ clock, tokens: 1_000_000 })],
  ['hedge', (clock) => hedge({ clock })],
  ['fallback', () => fallback(() => 'instead')],
  ['standardPolicy', (clock) => standardPolicy({ clock, bulkhead: {}, rateLimiter: { tokens: 1_000_000 } })],
  [
    'compose',
    (clock) => compose(timeout(1_000, { clock }), hedge({ clock }), retry({ clock }), timeout(10, { clock })),
  ],
];

describe.each(policies)('%s', (_name, make) => {
  it('leaves no listener on a signal and no timer after 10,000 calls', async () => {
    const clock = createManualClock();
    const policy = make(clock);
    const { signal } = new AbortController();
    for (let call = 0; call < 10_000; call += 1) {
      await policy.execute((context) => (call % 100 === 0 ? context.signal.aborted : call), { signal });
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([['a string'], [undefined], [0], [Object.freeze({ why: 'enough' })]])(
    "rejects within a tick with the caller's own reason: %j",
    async (reason) => {
      const controller = new AbortController();
      const outcome = watch(
        make(createManualClock()).execute(() => new Promise(() => undefined), { signal: controller.signal }),
      );
      await createManualClock().settle();
      controller.abort(reason);
      await createManualClock().settle();
      expect(outcome.now.status).toBe('rejected');
      // Aborting with undefined gives the DOM's own AbortError.
      expect(outcome.now.error).toBe(controller.signal.reason);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    },
  );

  it('disposes of a result that comes after the abort', async () => {
    const controller = new AbortController();
    const work = createDeferred<AsyncDisposable>();
    watch(make(createManualClock()).execute(() => work.promise, { signal: controller.signal }));
    await createManualClock().settle();
    controller.abort('enough');
    let disposed = 0;
    work.resolve({ [Symbol.asyncDispose]: async () => void (disposed += 1) });
    await createManualClock().settle();
    expect(disposed).toBe(1);
  });

  it('takes anything with a `then` for a promise, also one that misbehaves', async () => {
    const { signal } = new AbortController();
    // oxlint-disable-next-line unicorn/no-thenable -- The subject of the test.
    const thenable = { then: (resolve: (value: string) => void) => resolve('adopted') };
    expect(await make(createManualClock()).execute(() => thenable as PromiseLike<string>, { signal })).toBe(
      'adopted',
    );
    const throwing = {
      // oxlint-disable-next-line unicorn/no-thenable -- The subject of the test.
      then: () => {
        throw Object.assign(new Error('a bug'), { retryable: false });
      },
    };
    await make(createManualClock())
      .execute(() => throwing as never, { signal })
      .catch(() => undefined);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('never throws synchronously', async () => {
    const bug = new Error('a bug');
    const result = watch(
      make(createManualClock()).execute(
        () => {
          throw Object.assign(bug, { retryable: false });
        },
        { attempt: 1 },
      ),
    );
    await createManualClock().settle();
    expect(result.now.error ?? result.now.value).toBe(_name === 'fallback' ? 'instead' : bug);
    await expect(make(createManualClock()).execute(() => 1, { signal: {} as AbortSignal })).rejects.toThrow(
      '`signal`',
    );
  });
});

describe('one attempt', () => {
  it('makes one signal at most, and none when nobody asks', async () => {
    let made = 0;
    const RealController = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends RealController {
        constructor() {
          super();
          made += 1;
        }
      },
    );
    const clock = createManualClock();
    const policy = compose(
      timeout(60_000, { clock }),
      retry({ clock, totalTimeoutMs: 50_000, attemptTimeoutMs: 20_000 }),
      circuitBreaker({ clock }),
      bulkhead({ clock }),
      timeout(10_000, { clock }),
    );
    await policy.execute(() => 1);
    expect(made).toBe(0);
    await policy.execute(({ signal }) => [signal.aborted, signal.aborted]);
    expect(made).toBe(1);
  });
});

describe('timeouts of one policy', () => {
  it('abort the call whose time is over and no other', async () => {
    const clock = createManualClock();
    const policy = timeout(100, { clock });
    const signals: AbortSignal[] = [];
    const begin = () =>
      watch(
        policy.execute(({ signal }) => {
          signals.push(signal);
          return new Promise(() => undefined);
        }),
      );
    begin();
    await clock.advance(50);
    const later = begin();
    await clock.advance(50);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(later.now.status).toBe('pending');
  });
});
