import { createDeferred, silentLogger } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { createStoreCalls } from './store-calls.ts';
import { RunStoreError } from './store-errors.ts';

function setup() {
  const clock = createManualClock();
  const closing = new AbortController();
  const onFailure = vi.fn();
  const calls = createStoreCalls({ clock, logger: silentLogger, signal: closing.signal, onFailure });
  return { clock, closing, onFailure, calls };
}

const DISK_FULL = new Error('disk full');

describe('createStoreCalls', () => {
  it('asks again, after longer and longer, and tells of each failure', async () => {
    const { clock, calls, onFailure } = setup();
    const call = vi
      .fn()
      .mockRejectedValueOnce(DISK_FULL)
      .mockRejectedValueOnce(DISK_FULL)
      .mockResolvedValue(1);
    const answer = calls.untilDone('claim runs', call);
    await clock.advance(199);
    expect(call).toHaveBeenCalledTimes(1);
    await clock.advance(401);
    await expect(answer).resolves.toBe(1);
    expect(onFailure.mock.calls.flat()).toEqual([
      { operation: 'claim runs', error: DISK_FULL, retryInMs: 200 },
      { operation: 'claim runs', error: DISK_FULL, retryInMs: 400 },
    ]);
  });

  it('takes a refusal as the answer it is', async () => {
    const { calls, onFailure } = setup();
    const refusal = new RunStoreError('STORE_CLOSED', 'The store is closed.');
    const call = vi.fn().mockRejectedValue(refusal);
    await expect(calls.untilDone('claim runs', call)).rejects.toBe(refusal);
    expect(call).toHaveBeenCalledTimes(1);
    expect(onFailure).not.toHaveBeenCalled();
  });

  describe('when the store is about to be closed', () => {
    it.each([
      ['that works', () => Promise.resolve(1)],
      ['that fails', () => Promise.reject(DISK_FULL)],
    ])('waits no longer, for one last try %s', async (_title, last) => {
      const { clock, closing, calls } = setup();
      const call = vi.fn().mockRejectedValueOnce(DISK_FULL).mockImplementation(last);
      const answer = calls.untilDone('end an attempt', call).catch((error: unknown) => error);
      await clock.settle();
      closing.abort();
      expect(await answer).toEqual(await last().catch((error: unknown) => error));
      expect(call).toHaveBeenCalledTimes(2);
    });

    it('takes what a call under way comes to, and calls no second time', async () => {
      const { closing, calls } = setup();
      const { promise, resolve } = createDeferred<number>();
      const call = vi.fn(() => promise);
      const answer = calls.untilDone('claim runs', call);
      closing.abort();
      resolve(1);
      await expect(answer).resolves.toBe(1);
      expect(call).toHaveBeenCalledTimes(1);
    });

    it('still does what it is asked afterwards, once', async () => {
      const { closing, calls } = setup();
      closing.abort();
      await expect(calls.untilDone('end an attempt', () => Promise.resolve(1))).resolves.toBe(1);
      await expect(calls.untilDone('end an attempt', () => Promise.reject(DISK_FULL))).rejects.toBe(
        DISK_FULL,
      );
    });
  });
});
