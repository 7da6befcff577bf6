import { getEventListeners } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { linkAbort, onAbort, untilAborted } from './abort.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('onAbort', () => {
  it('calls with the reason when the signal aborts', () => {
    const controller = new AbortController();
    const fn = vi.fn<(reason: unknown) => void>();
    onAbort(controller.signal, fn);
    expect(fn).not.toHaveBeenCalled();
    controller.abort('enough');
    expect(fn.mock.calls).toEqual([['enough']]);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('calls at once when the signal has aborted already', () => {
    const fn = vi.fn<(reason: unknown) => void>();
    onAbort(AbortSignal.abort('before'), fn);
    expect(fn.mock.calls).toEqual([['before']]);
  });

  it('stays silent after it was taken away, and leaves no listener', () => {
    const controller = new AbortController();
    const fn = vi.fn<(reason: unknown) => void>();
    const stop = onAbort(controller.signal, fn);
    expect(listeners(controller.signal)).toBe(1);
    stop();
    stop();
    expect(listeners(controller.signal)).toBe(0);
    controller.abort();
    expect(fn).not.toHaveBeenCalled();
  });

  it('takes no signal for one that never aborts', () => {
    const fn = vi.fn<(reason: unknown) => void>();
    onAbort(undefined, fn)();
    expect(fn).not.toHaveBeenCalled();
  });
});

describe('linkAbort', () => {
  it('aborts with the reason of the first source that does', () => {
    const first = new AbortController();
    const second = new AbortController();
    using linked = linkAbort(first.signal, undefined, second.signal);
    second.abort('second');
    first.abort('first');
    expect(linked.signal.reason).toBe('second');
  });

  it('is aborted from the start when a source is', () => {
    using linked = linkAbort(new AbortController().signal, AbortSignal.abort('early'));
    expect(linked.signal.aborted).toBe(true);
    expect(linked.signal.reason).toBe('early');
  });

  it('aborts alone, leaving its sources as they are', () => {
    const source = new AbortController();
    using linked = linkAbort(source.signal);
    linked.abort('mine');
    expect(linked.signal.reason).toBe('mine');
    expect(source.signal.aborted).toBe(false);
  });

  it('leaves nothing on a long-lived source after 10,000 uses', () => {
    const source = new AbortController();
    for (let use = 0; use < 10_000; use += 1) linkAbort(source.signal)[Symbol.dispose]();
    expect(listeners(source.signal)).toBe(0);
  });

  it('no longer follows its sources once disposed', () => {
    const source = new AbortController();
    const linked = linkAbort(source.signal);
    linked[Symbol.dispose]();
    source.abort();
    expect(linked.signal.aborted).toBe(false);
  });
});

describe('untilAborted', () => {
  it('settles as the promise does, leaving no listener', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    expect(listeners(signal)).toBe(0);
  });

  it('rejects with the reason when the abort comes first, leaving no listener', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped');
    const waiting = untilAborted(new Promise(() => undefined), controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('rejects at once for a signal that has aborted', async () => {
    await expect(untilAborted(Promise.resolve(1), AbortSignal.abort('before'))).rejects.toBe('before');
  });

  it('swallows a rejection that comes after the abort', async () => {
    const unhandled = vi.fn<(reason: unknown) => void>();
    process.once('unhandledRejection', unhandled);
    try {
      const late = Promise.reject(new Error('late'));
      await expect(untilAborted(late, AbortSignal.abort('before'))).rejects.toBe('before');
      await new Promise((resolve) => void setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });

  it('only waits when there is no signal', async () => {
    await expect(untilAborted(Promise.resolve('done'), undefined)).resolves.toBe('done');
  });
});
