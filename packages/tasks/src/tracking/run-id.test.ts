import { seededRandom } from '@pawl/core';
import { createManualClock } from '@pawl/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRunId } from './run-id.ts';

describe('createRunId', () => {
  it('holds the time in UTC, the task and eight hex digits', () => {
    const clock = createManualClock({ wallTime: Date.UTC(2026, 2, 8, 23, 5, 9, 999) });
    expect(createRunId('resize', { clock, random: () => 0x00_ab_cd_ef / 2 ** 32 })).toBe(
      'run_20260308_230509_resize_00abcdef',
    );
  });

  it('is a file name whatever the task is called', () => {
    const clock = createManualClock();
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary', maxLength: 300 }), fc.integer(), (task, seed) => {
        const id = createRunId(task, { clock, random: seededRandom(seed) });
        expect(id).toMatch(/^run_\d{8}_\d{6}_[\w.-]{1,64}_[0-9a-f]{8}$/);
      }),
    );
  });
});
