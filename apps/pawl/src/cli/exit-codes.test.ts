import { describe, expect, it } from 'vitest';
import { mirrorExit } from './exit-codes.ts';

describe('mirrorExit', () => {
  it.each([0, 1, 7, 255])('is the exit code %i itself', (code) => {
    expect(mirrorExit(code, null)).toBe(code);
  });

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGKILL', 137],
    ['SIGUSR1', 138],
    ['SIGSEGV', 139],
    ['SIGTERM', 143],
    ['SIGXCPU', 152],
  ] as const)('is 128 and the number of %s', (signal, code) => {
    expect(mirrorExit(null, signal)).toBe(code);
  });

  it('is a failure when nothing is known', () => {
    expect(mirrorExit(null, null)).toBe(70);
  });
});
