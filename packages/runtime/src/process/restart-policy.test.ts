import { createManualClock } from '@pawl/core/testing';
import { describe, expect, it } from 'vitest';
import { createRestartPolicy } from './restart-policy.ts';

function setup(maxRestarts = 2) {
  const clock = createManualClock();
  const loops: number[] = [];
  const policy = createRestartPolicy({
    maxRestarts,
    withinMs: 10_000,
    clock,
    onCrashLoop: (_error, failures) => loops.push(failures),
  });
  return { clock, policy, loops };
}

const boom = new Error('boom');

describe('createRestartPolicy', () => {
  it('takes workers that fail together for one failure, and those one after another for many', () => {
    const { policy, loops } = setup();
    const born = policy.generation;
    for (let i = 0; i < 10; i += 1) policy.noteFailure('start', born, boom);
    expect(policy.isBlocked).toBe(false);
    policy.noteFailure('start', policy.generation, boom);
    policy.noteFailure('start', policy.generation, boom);
    expect(policy.isBlocked).toBe(true);
    expect(loops).toEqual([12]);
    expect(policy.crashLoop).toMatchObject({ code: 'CRASH_LOOP', retryAfterMs: 10_000, cause: boom });
  });

  it('forgets failed starts when one succeeds', () => {
    const { policy, loops } = setup();
    for (let i = 0; i < 6; i += 1) {
      policy.noteFailure('start', policy.generation, boom);
      policy.noteReady();
    }
    expect(loops).toEqual([]);
  });

  it('does not forget idle deaths because the next start succeeds', () => {
    const { policy } = setup();
    for (let i = 0; i < 3; i += 1) {
      expect(policy.isBlocked).toBe(false);
      policy.noteFailure('idle', policy.generation, boom);
      policy.noteReady();
    }
  });

  it('ends the probation when the probe is ready', async () => {
    const { clock, policy } = setup(0);
    policy.noteFailure('idle', policy.generation, boom);
    expect(policy.isBlocked).toBe(true);
    await clock.advance(4_000);
    expect(policy.crashLoop?.retryAfterMs).toBe(6_000);
    await clock.advance(6_000);
    expect(policy).toMatchObject({ isBlocked: false, onProbation: true, crashLoop: undefined });
    policy.noteReady();
    expect(policy.onProbation).toBe(false);
  });

  it('waits longer with each failure, and until the loop may be probed', async () => {
    const { clock, policy } = setup(4);
    const waits: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      policy.noteFailure('start', policy.generation, boom);
      const from = clock.now();
      policy.retryLater(() => waits.push(clock.now() - from));
      await clock.advanceToNext();
    }
    expect(waits).toEqual([100, 200, 400, 800, 10_000]);
  });

  it('keeps one retry at a time, and none when it is cancelled', async () => {
    const { clock, policy } = setup();
    policy.noteFailure('start', policy.generation, boom);
    const calls: string[] = [];
    policy.retryLater(() => calls.push('first'));
    policy.retryLater(() => calls.push('second'));
    await clock.advance(1_000);
    policy.retryLater(() => calls.push('third'));
    policy.cancelRetry();
    await clock.advance(60_000);
    expect(calls).toEqual(['second']);
  });
});
