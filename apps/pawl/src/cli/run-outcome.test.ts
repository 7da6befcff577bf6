import { expect, it } from 'vitest';
import { exitCodeOfRun, hasEnded } from './run-outcome.ts';

it.each([
  ['succeeded', 0, null, 0],
  ['failed', 7, null, 7],
  ['failed', null, 'SIGSEGV', 139],
  ['failed', null, 'SIGNONSENSE', 1],
  ['failed', null, null, 1],
  // Its tests failed, though it ended well.
  ['failed', 0, null, 1],
  ['timed-out', null, 'SIGKILL', 124],
  ['cancelled', null, 'SIGTERM', 130],
  ['lost', null, null, 75],
] as const)('mirrors %s with exit code %s and signal %s as %i', (state, exitCode, signal, expected) => {
  expect(exitCodeOfRun({ state, exitCode, signal })).toBe(expected);
  expect(hasEnded(state)).toBe(true);
});

it.each(['queued', 'running'] as const)('takes %s for no end', (state) => {
  expect(hasEnded(state)).toBe(false);
});
