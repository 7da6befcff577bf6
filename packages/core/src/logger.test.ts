import { describe, expect, it } from 'vitest';
import { silentLogger } from './logger.ts';

describe('silentLogger', () => {
  it('takes every call and has children that are as silent', () => {
    const child = silentLogger.child({ runId: '41f9' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      expect(silentLogger[level]('text')).toBeUndefined();
      expect(child[level]({ field: 1 }, 'text')).toBeUndefined();
    }
    expect(child).toBe(silentLogger);
  });
});
