import { getEventListeners } from 'node:events';
import { createDeferred } from '@pawl/core';
import { describe, expect, it } from 'vitest';
import { contextWithin, scopeOf } from './call-context.ts';
import { CancelScope } from './cancel-scope.ts';
import { compose } from './policy.ts';
import { retry } from './retry/retry.ts';
import { timeout } from './timeout.ts';

describe('a cancel scope', () => {
  it("is aborted with the caller's own reason, all the way in, and stays so", () => {
    const controller = new AbortController();
    const outer = new CancelScope(controller.signal);
    const inner = new CancelScope(outer);
    const reasons: unknown[] = [];
    inner.listen((reason) => reasons.push(reason));
    controller.abort('enough');
    inner.abort('later');
    expect([outer.aborted, inner.aborted, inner.reason, reasons]).toEqual([true, true, 'enough', ['enough']]);
  });

  it('aborts what lies within and nothing around it', () => {
    const outer = new CancelScope(undefined);
    const [one, other] = [new CancelScope(outer), new CancelScope(outer)];
    const innermost = new CancelScope(one);
    one.abort('limit');
    expect([outer.aborted, other.aborted, one.aborted, innermost.reason]).toEqual([
      false,
      false,
      true,
      'limit',
    ]);
  });

  it("has the caller's own signal, or one made of it that aborts with it", () => {
    const controller = new AbortController();
    const outer = new CancelScope(controller.signal);
    expect(outer.signal).toBe(controller.signal);
    const inner = new CancelScope(outer);
    const { signal } = inner;
    expect(inner.signal).toBe(signal);
    expect(signal.aborted).toBe(false);
    controller.abort(0);
    expect([signal.aborted, signal.reason, new CancelScope(inner).signal.reason]).toEqual([true, 0, 0]);
  });

  it('tells a listener that comes late at once, and one that left nothing', () => {
    const scope = new CancelScope(undefined);
    const told: string[] = [];
    const leaving = (): void => void told.push('leaving');
    scope.listen(leaving);
    scope.listen(() => told.push('staying'));
    scope.unlisten(leaving);
    scope.unlisten(leaving);
    scope.abort(undefined);
    scope.listen((reason) => told.push(`late: ${String(reason)}`));
    expect(told).toEqual(['staying', 'late: undefined']);
  });

  it("keeps one listener on the caller's signal while somebody listens, and none afterwards", () => {
    const { signal } = new AbortController();
    const count = (): number => getEventListeners(signal, 'abort').length;
    const outer = new CancelScope(signal);
    const inner = new CancelScope(outer);
    expect(count()).toBe(0);
    const listeners = Array.from({ length: 20 }, () => (): void => undefined);
    for (const listener of listeners) inner.listen(listener);
    outer.listen(() => undefined);
    expect(inner.signal.aborted).toBe(false);
    expect(count()).toBe(1);
    for (const listener of listeners) inner.unlisten(listener);
    outer[Symbol.dispose]();
    inner[Symbol.dispose]();
    expect(count()).toBe(0);
  });

  it("leaves the caller's signal alone when its signal is asked for after its end", () => {
    const controller = new AbortController();
    const scope = new CancelScope(new CancelScope(controller.signal));
    scope[Symbol.dispose]();
    const late = scope.signal;
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort('enough');
    expect([late.aborted, scope.aborted]).toEqual([false, true]);
  });

  describe('guards work', () => {
    it('that ends as it would have, and leaves no listener', async () => {
      const { signal } = new AbortController();
      const scope = new CancelScope(signal);
      const failure = new Error('no');
      expect(await scope.guard(Promise.resolve(1))).toBe(1);
      await expect(scope.guard(Promise.reject(failure))).rejects.toBe(failure);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    it('that is left to itself when the scope is aborted first, also when it fails later', async () => {
      const scope = new CancelScope();
      const abandoned: string[] = [];
      const late = createDeferred();
      const guarded = scope.guard(late.promise, () => abandoned.push('left'));
      scope.abort('enough');
      await expect(guarded).rejects.toBe('enough');
      late.reject(new Error('nobody hears of this'));
      await expect(scope.guard(new Promise(() => undefined))).rejects.toBe('enough');
      expect(abandoned).toEqual(['left']);
    });
  });

  it('ends the calls of every policy it is handed to, which hand on what lies within it', async () => {
    const scope = new CancelScope();
    const seen: (CancelScope | undefined)[] = [];
    const policy = compose(retry(), timeout(60_000));
    const call = policy.execute((context) => {
      seen.push(scopeOf(context));
      return new Promise(() => undefined);
    }, contextWithin(scope));
    await Promise.resolve();
    scope.abort('enough');
    await expect(call).rejects.toBe('enough');
    expect(seen.map((each) => each?.reason)).toEqual(['enough']);
    // Of a context that another made there is its signal to go by.
    const { signal } = new AbortController();
    expect(scopeOf({ signal, attempt: 1 })?.signal).toBe(signal);
  });
});
