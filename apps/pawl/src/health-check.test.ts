import { circuitBreaker } from '@pawl/resilience';
import { expect, it } from 'vitest';
import { createHealthCheck } from './health-check.ts';
import type { SandboxState } from './python/sandbox-state.ts';

const SANDBOXED: SandboxState = {
  available: true,
  kind: 'landlock',
  tier: 2,
  python: '/usr/bin/python3',
  checks: [],
  rejectedPythons: [],
  rejected: [{ kind: 'bubblewrap', reason: 'there is no bwrap.' }],
};
const MISSING: SandboxState = {
  available: false,
  rejected: [{ kind: 'bubblewrap', reason: 'there is no bwrap.' }],
  remedy: 'Install it.',
};
const OPEN = 'Starting Python failed too often: the breaker is open.';

function setup(state: SandboxState) {
  const breaker = circuitBreaker();
  return { breaker, check: createHealthCheck({ sandbox: async () => state, breaker }) };
}

it('finds no fault with a sandbox that works, whatever its tier', async () => {
  expect(await setup(SANDBOXED).check.problems()).toEqual([]);
});

it('says why there is no sandbox, and what would help', async () => {
  const problems = await setup(MISSING).check.problems();
  expect(problems).toEqual([
    expect.stringMatching(
      /^No sandbox works here[^]*bubblewrap: there is no bwrap[^]*PAWL_ALLOW_UNSANDBOXED=1/,
    ),
  ]);
});

it('tells of an open breaker at once, and of both', async () => {
  const { breaker, check } = setup(SANDBOXED);
  breaker.trip();
  expect(await check.problems()).toEqual([OPEN]);
  breaker.reset();
  expect(await check.problems()).toEqual([]);
  const second = setup(MISSING);
  second.breaker.trip();
  expect(await second.check.problems()).toEqual([expect.stringMatching(/^No sandbox/), OPEN]);
});
