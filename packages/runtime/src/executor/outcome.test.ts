import { PawlError } from '@pawl/core';
import { decodeError, errorCodes } from '@pawl/ipc';
import { describe, expect, it } from 'vitest';
import { causeOf, isFinal, OUTCOME_CAUSES, statusOf } from './outcome.ts';

const coded = (code: string): PawlError => new PawlError('x', { code });

describe('the cause of a failure', () => {
  it.each([
    ['NO_SUCH_TASK', 'invalid', 'failed', true],
    ['MESSAGE_TOO_LARGE', 'invalid', 'failed', true],
    ['QUEUE_FULL', 'refused', 'failed', false],
    ['CRASH_LOOP', 'refused', 'failed', false],
    ['RATE_LIMITED', 'refused', 'failed', false],
    ['ADMISSION_REFUSED', 'not-admitted', 'failed', true],
    ['CIRCUIT_OPEN', 'breaker-open', 'failed', true],
    ['POISON_RUN', 'poison', 'failed', true],
    ['WORKER_CRASHED', 'crashed', 'lost', false],
    ['RUN_TIMEOUT', 'attempt-timeout', 'timed-out', false],
    ['CANCELLED', 'cancelled', 'cancelled', true],
    ['POOL_STOPPED', 'stopped', 'cancelled', true],
    ['EXECUTOR_STOPPED', 'stopped', 'cancelled', true],
    ['ANYTHING_ELSE', 'threw', 'failed', false],
  ] as const)('with the code %s is `%s`: %s, final: %s', (code, cause, status, final) => {
    expect([causeOf(coded(code)), statusOf(cause), isFinal(coded(code))]).toEqual([cause, status, final]);
  });

  it.each([undefined, null, 'text', 5, new Error('plain'), { code: 5 }])('is `threw` for %o', (error) => {
    expect(causeOf(error)).toBe('threw');
  });

  it('is none of our codes when a task threw it', () => {
    const remote = (rpcCode: number) => decodeError({ code: 'CANCELLED', message: 'x' }, { rpcCode });
    expect(causeOf(remote(errorCodes.taskFailed))).toBe('threw');
    expect(causeOf(remote(errorCodes.cancelled))).toBe('cancelled');
  });

  it('is what cut the run, whatever the error says', () => {
    const aborted = AbortSignal.abort(new Error('mine'));
    const stopped = AbortSignal.abort(coded('EXECUTOR_STOPPED'));
    expect(causeOf(coded('WORKER_CRASHED'), { signal: aborted, isOverdue: true })).toBe('cancelled');
    expect(causeOf(coded('WORKER_CRASHED'), { signal: stopped })).toBe('stopped');
    expect(causeOf(coded('WORKER_CRASHED'), { isOverdue: true })).toBe('deadline');
  });

  it('has a status each', () => {
    expect(OUTCOME_CAUSES.map((cause) => statusOf(cause))).not.toContain(undefined);
    expect(OUTCOME_CAUSES).toHaveLength(11);
  });
});
