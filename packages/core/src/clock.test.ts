import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Clock, sleep, systemClock } from './clock.ts';
import { createManualClock } from './testing/manual-clock.ts';

const DAY_MS = 86_400_000;

/** What any clock must do with a timer; `pass` lets that much time go by. */
function timerRules(setup: () => { clock: Clock; pass: (ms: number) => Promise<void> }): void {
  it('fires once, when the delay is over and not before', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    clock.setTimer(100, fn);
    await pass(99);
    expect(fn).not.toHaveBeenCalled();
    await pass(1);
    expect(fn).toHaveBeenCalledOnce();
    await pass(1_000);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('never fires in the tick that set it, however short the delay', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    clock.setTimer(0, fn);
    clock.setTimer(-50, fn);
    expect(fn).not.toHaveBeenCalled();
    await pass(1);
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it('forgets a timer that was cancelled; cancelling again, or after the fire, is harmless', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    const cancelled = clock.setTimer(10, fn);
    cancelled.cancel();
    cancelled.cancel();
    const fired = clock.setTimer(10, fn);
    await pass(10);
    fired.cancel();
    expect(fn).toHaveBeenCalledOnce();
  });

  it.each([2 ** 31 - 1, 2 ** 31, 100 * DAY_MS])('honours %d ms', async (delayMs) => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    clock.setTimer(delayMs, fn);
    await pass(delayMs - 1);
    expect(fn).not.toHaveBeenCalled();
    await pass(1);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('can still cancel a long timer after its first 24.8 days', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    const timer = clock.setTimer(60 * DAY_MS, fn);
    await pass(30 * DAY_MS);
    timer.cancel();
    await pass(60 * DAY_MS);
    expect(fn).not.toHaveBeenCalled();
  });

  it('does not fire early for a fraction of a millisecond', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    clock.setTimer(10.5, fn);
    await pass(10);
    expect(fn).not.toHaveBeenCalled();
    await pass(1);
    expect(fn).toHaveBeenCalledOnce();
  });

  it('never fires after Infinity', async () => {
    const { clock, pass } = setup();
    const fn = vi.fn<() => void>();
    clock.setTimer(Infinity, fn).cancel();
    clock.setTimer(Infinity, fn);
    await pass(400 * DAY_MS);
    expect(fn).not.toHaveBeenCalled();
  });

  it('refuses a delay that is no number', () => {
    const { clock } = setup();
    expect(() => clock.setTimer(Number.NaN, () => undefined)).toThrow(
      'Expected `delayMs` to be a number, or Infinity, got `NaN` (number).',
    );
  });
}

describe('systemClock under fake timers', () => {
  afterEach(() => void vi.useRealTimers());

  timerRules(() => {
    vi.useFakeTimers();
    return {
      clock: systemClock,
      pass: async (ms) => {
        await vi.advanceTimersByTimeAsync(ms);
      },
    };
  });

  it('holds nothing for Infinity', () => {
    vi.useFakeTimers();
    systemClock.setTimer(Infinity, () => undefined);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('systemClock', () => {
  const timeouts = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

  it('keeps the process alive for a pending timer, unless told not to', () => {
    const before = timeouts();
    const kept = systemClock.setTimer(60_000, () => undefined);
    expect(timeouts()).toBe(before + 1);
    kept.cancel();
    expect(timeouts()).toBe(before);
    const loose = systemClock.setTimer(60_000, () => undefined, { keepAlive: false });
    expect(timeouts()).toBe(before);
    loose.cancel();
  });

  it('counts monotonic milliseconds and tells the wall time', async () => {
    const [now, wall] = [systemClock.now(), systemClock.wallTime()];
    await sleep(systemClock, 20);
    expect(systemClock.now() - now).toBeGreaterThanOrEqual(19);
    expect(Math.abs(wall - Date.now())).toBeLessThan(10_000);
  });
});

describe('createManualClock', () => {
  timerRules(() => {
    const clock = createManualClock();
    return { clock, pass: (ms) => clock.advance(ms) };
  });
});

describe('sleep', () => {
  const aborts = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  it('resolves when the time has passed, and takes its listener along', async () => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    const woke = vi.fn<() => void>();
    const sleeping = sleep(clock, 500, { signal }).then(woke);
    expect(aborts(signal)).toBe(1);
    await clock.advance(499);
    expect(woke).not.toHaveBeenCalled();
    await clock.advance(1);
    await sleeping;
    expect(woke).toHaveBeenCalledOnce();
    expect(aborts(signal)).toBe(0);
  });

  it('rejects with the reason of the abort, and leaves neither timer nor listener', async () => {
    const clock = createManualClock();
    const controller = new AbortController();
    const reason = new Error('stop');
    const sleeping = sleep(clock, 500, { signal: controller.signal });
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect(clock.pendingTimers).toBe(0);
    expect(aborts(controller.signal)).toBe(0);
  });

  it('sets no timer for a signal that has aborted', async () => {
    const clock = createManualClock();
    await expect(sleep(clock, 500, { signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect(clock.pendingTimers).toBe(0);
  });

  it('passes keepAlive on to the clock', () => {
    const setTimer = vi.fn<Clock['setTimer']>(() => ({ cancel: () => undefined }));
    void sleep({ ...createManualClock(), setTimer }, 500, { keepAlive: false });
    expect(setTimer.mock.calls[0]?.[2]?.keepAlive).toBe(false);
  });

  it('leaves nothing on a long-lived signal after 1,000 sleeps', async () => {
    const clock = createManualClock();
    const { signal } = new AbortController();
    for (let use = 0; use < 1_000; use += 1) {
      const sleeping = sleep(clock, 1, { signal });
      await clock.advance(1);
      await sleeping;
    }
    expect(aborts(signal)).toBe(0);
  });
});
