import { describe, expect, it } from 'vitest';
import { fallback } from './fallback.ts';

const down = new Error('down');
const failing = (): Promise<never> => Promise.reject(down);

describe('fallback', () => {
  it('leaves a success alone', async () => {
    expect(await fallback(() => 'instead').execute(() => 1)).toBe(1);
  });

  it('answers with what it makes of the error', async () => {
    const policy = fallback((error, { attempt }) => ({ error, attempt }));
    expect(await policy.execute(failing)).toEqual({ error: down, attempt: 1 });
    expect(await fallback(async () => undefined).execute(failing)).toBeUndefined();
  });

  it('throws on what it is not to handle, and what it throws itself', async () => {
    await expect(fallback(() => 1, { shouldHandle: () => false }).execute(failing)).rejects.toBe(down);
    const own = new Error('own');
    const throwing = fallback(() => {
      throw own;
    });
    await expect(throwing.execute(failing)).rejects.toBe(own);
  });

  it('does not cover for a caller who cancelled', async () => {
    const controller = new AbortController();
    const result = fallback(() => 1).execute(() => new Promise(() => undefined), {
      signal: controller.signal,
    });
    controller.abort('enough');
    await expect(result).rejects.toBe('enough');
  });

  it('refuses wrong arguments', () => {
    expect(() => fallback('value' as never)).toThrow('`fn`');
    expect(() => fallback(() => 1, { handle: 1 } as object)).toThrow('Unknown option `handle`');
  });
});
