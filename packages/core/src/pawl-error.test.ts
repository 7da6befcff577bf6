import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hasCode, PawlError } from './pawl-error.ts';

class RunTimeoutError extends PawlError {
  override readonly code = 'RUN_TIMEOUT';
  readonly timeoutMs: number;

  constructor(timeoutMs: number, cause?: unknown) {
    super(`Run timed out after ${timeoutMs} ms.`, { code: 'RUN_TIMEOUT', cause });
    this.timeoutMs = timeoutMs;
  }
}

describe('PawlError', () => {
  it('carries a code, a cause, and the name of its class', () => {
    const cause = new Error('deeper');
    const error = new RunTimeoutError(500, cause);
    expect(error).toBeInstanceOf(PawlError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'RunTimeoutError',
      code: 'RUN_TIMEOUT',
      message: 'Run timed out after 500 ms.',
      timeoutMs: 500,
      cause,
    });
    expect(String(error)).toBe('RunTimeoutError: Run timed out after 500 ms.');
  });

  it('has no cause when none is given', () => {
    expect('cause' in new PawlError('Failed.', { code: 'FAILED' })).toBe(false);
  });

  it('serialises its fields, not its name', () => {
    expect(JSON.parse(JSON.stringify(new RunTimeoutError(500)))).toEqual({
      code: 'RUN_TIMEOUT',
      timeoutMs: 500,
    });
  });

  it('prints its stack with the name of its class once', () => {
    const printed = inspect(new RunTimeoutError(500));
    expect(printed.match(/RunTimeoutError: Run timed out/g)).toHaveLength(1);
    expect(printed).not.toContain('name:');
  });
});

describe('hasCode', () => {
  it('knows an error by its code, whatever its class', () => {
    const system = Object.assign(new Error('gone'), { code: 'ENOENT' });
    expect(hasCode(new RunTimeoutError(1), 'RUN_TIMEOUT')).toBe(true);
    expect(hasCode(system, 'EACCES', 'ENOENT')).toBe(true);
    expect(hasCode({ code: 'ENOENT' }, 'ENOENT')).toBe(true);
    expect(hasCode(system, 'EACCES')).toBe(false);
    expect(hasCode(system)).toBe(false);
  });

  it.each([undefined, null, 'ENOENT', 7, new Error('no code'), {}])('is false for %s', (value) => {
    expect(hasCode(value, 'ENOENT')).toBe(false);
  });
});
