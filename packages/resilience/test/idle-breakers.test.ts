import { describe, expect, it } from 'vitest';
import { createLeakCheck } from '@pawl/core/testing';
import { circuitBreaker } from '../src/index.ts';

describe('ten thousand breakers', () => {
  it('hold no timer and no handle', async () => {
    const leaks = createLeakCheck();
    const breakers = Array.from({ length: 10_000 }, () => circuitBreaker());
    for (const [index, breaker] of breakers.entries()) {
      if (index % 3 === 1) breaker.trip();
      if (index % 3 === 2)
        await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
    }
    await leaks.assertNoLeak();
    expect(breakers[1]?.state).toBe('open');
  });
});
