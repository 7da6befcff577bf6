import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createDeferred, type Deferred } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { watch } from '../test/settle.ts';
import { bulkhead, type BulkheadOptions } from './bulkhead.ts';
import { compose } from './policy.ts';
import { timeout } from './timeout.ts';

function setup(options: BulkheadOptions = {}) {
  const clock = createManualClock();
  const policy = bulkhead({ clock, ...options });
  const begun: string[] = [];
  const begin = (
    name: string,
    signal?: AbortSignal,
  ): Deferred<string> & { readonly outcome: ReturnType<typeof watch> } => {
    const work = createDeferred<string>();
    const outcome = watch(
      policy.execute(
        () => {
          begun.push(name);
          return work.promise;
        },
        { signal },
      ),
    );
    return { ...work, outcome };
  };
  return { clock, policy, begun, begin };
}

describe('bulkhead', () => {
  it('runs as many as it may, and refuses the next', async () => {
    const { clock, policy, begun, begin } = setup({ maxConcurrent: 2 });
    const [first] = [begin('a'), begin('b')];
    const third = begin('c');
    await clock.settle();
    expect(third.outcome.now.error).toMatchObject({
      code: 'BULKHEAD_FULL',
      message: 'The bulkhead is full: 2 running, 0 waiting.',
    });
    expect([begun, policy.stats()]).toEqual([['a', 'b'], { running: 2, queued: 0, rejected: 1 }]);
    first?.resolve('done');
    await clock.settle();
    expect(first?.outcome.now.value).toBe('done');
    begin('d');
    expect(begun).toEqual(['a', 'b', 'd']);
  });

  it('lets callers wait in order, also behind failures', async () => {
    const { clock, begun, begin } = setup({ maxConcurrent: 1, maxQueue: Infinity });
    const calls = ['a', 'b', 'c'].map((name) => begin(name));
    for (const call of calls) {
      call.reject(new Error('down'));
      await clock.settle();
      expect(call.outcome.now.status).toBe('rejected');
    }
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('does not let a newcomer past those who wait', async () => {
    const { clock, begun, begin } = setup({ maxConcurrent: 1, maxQueue: 2 });
    const first = begin('a');
    begin('b');
    first.resolve('done');
    await Promise.resolve();
    begin('c');
    await clock.settle();
    expect(begun).toEqual(['a', 'b']);
  });

  it('frees the place of a caller who aborts while waiting, at once', async () => {
    const { clock, policy, begun, begin } = setup({ maxConcurrent: 1, maxQueue: 1 });
    const controller = new AbortController();
    const first = begin('a');
    const second = begin('b', controller.signal);
    controller.abort('enough');
    await clock.settle();
    expect(second.outcome.now.error).toBe('enough');
    expect(policy.stats().queued).toBe(0);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    begin('c');
    first.resolve('done');
    await clock.settle();
    expect(begun).toEqual(['a', 'c']);
  });

  it('holds the slot until the work ends, though its caller was answered', async () => {
    const { clock, policy, begin } = setup({ maxConcurrent: 1 });
    const controller = new AbortController();
    const first = begin('a', controller.signal);
    await clock.settle();
    controller.abort('enough');
    await clock.settle();
    expect(first.outcome.now.error).toBe('enough');
    expect(policy.stats().running).toBe(1);
    first.resolve('ended at last');
    await clock.settle();
    expect(policy.stats().running).toBe(0);
  });

  it('holds the slot of work that a timeout further in gave up', async () => {
    const { clock, policy } = setup({ maxConcurrent: 1 });
    const stack = compose(policy, timeout(100, { clock }));
    const work = createDeferred();
    const outcome = watch(stack.execute(() => work.promise));
    await clock.advance(100);
    expect(outcome.now.error).toMatchObject({ code: 'TIMEOUT' });
    await expect(stack.execute(() => 1)).rejects.toMatchObject({ code: 'BULKHEAD_FULL' });
    work.resolve();
    await clock.settle();
    expect(await stack.execute(() => 1)).toBe(1);
  });

  it('lets a caller wait no longer than it may', async () => {
    const { clock, policy, begin } = setup({ maxConcurrent: 1, maxQueue: 5, maxWaitMs: 200 });
    begin('a');
    const second = begin('b');
    await clock.advance(200);
    expect(second.outcome.now.error).toMatchObject({ code: 'BULKHEAD_WAIT_TIMEOUT', maxWaitMs: 200 });
    expect([policy.stats().queued, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('does not call the work when the signal has aborted already', async () => {
    const { policy } = setup();
    await expect(policy.execute(() => 1, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(policy.stats().running).toBe(0);
  });

  it('refuses wrong options', () => {
    expect(() => bulkhead({ maxConcurrent: 0 })).toThrow('`maxConcurrent`');
    expect(() => bulkhead({ maxQueue: -1 })).toThrow('`maxQueue`');
    expect(() => bulkhead({ maxqueue: 1 } as object)).toThrow('did you mean `maxQueue`?');
  });
});
