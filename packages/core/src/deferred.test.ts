import { describe, expect, it } from 'vitest';
import { createDeferred } from './deferred.ts';

describe('createDeferred', () => {
  it('resolves from outside, also with a promise', async () => {
    const plain = createDeferred<number>();
    plain.resolve(1);
    await expect(plain.promise).resolves.toBe(1);
    const nested = createDeferred<number>();
    nested.resolve(Promise.resolve(2));
    await expect(nested.promise).resolves.toBe(2);
  });

  it('rejects from outside', async () => {
    const deferred = createDeferred();
    deferred.reject('because');
    await expect(deferred.promise).rejects.toBe('because');
  });

  it('keeps the first settlement', async () => {
    const deferred = createDeferred<string>();
    deferred.resolve('first');
    deferred.resolve('second');
    deferred.reject(new Error('third'));
    await expect(deferred.promise).resolves.toBe('first');
  });

  it('needs no value when it carries none', async () => {
    const deferred = createDeferred();
    deferred.resolve();
    await expect(deferred.promise).resolves.toBeUndefined();
  });
});
