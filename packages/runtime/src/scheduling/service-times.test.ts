import { describe, expect, it } from 'vitest';
import { createServiceTimes } from './service-times.ts';

describe('createServiceTimes', () => {
  it('knows nothing of a task that was never seen, and tells tasks apart', () => {
    const times = createServiceTimes();
    times.observe('a', 2);
    expect(times.expectedMs('a')).toBe(2);
    expect(times.expectedMs('b')).toBeNaN();
  });

  it('takes a batch of answers for what each of its runs took', () => {
    const times = createServiceTimes();
    // The first answer of a batch carries the time of all.
    for (let batch = 0; batch < 50; batch += 1) {
      times.observe('tiny', 0.32);
      for (let i = 0; i < 63; i += 1) times.observe('tiny', 0);
    }
    expect(times.expectedMs('tiny')).toBeGreaterThan(0.004);
    expect(times.expectedMs('tiny')).toBeLessThan(0.006);
  });

  it('believes a slow run of a task that is hardly known at once, and forgets it with those that follow', () => {
    const times = createServiceTimes();
    times.observe('task', 0.01);
    times.observe('task', 50);
    expect(times.expectedMs('task')).toBe(50);
    for (let i = 0; i < 1_000; i += 1) times.observe('task', 0.01);
    expect(times.expectedMs('task')).toBeLessThan(0.05);
  });

  it('believes slow runs of a task that was fast once they repeat', () => {
    const times = createServiceTimes();
    const fast = (runs: number): void => {
      for (let i = 0; i < runs; i += 1) times.observe('task', 0.005);
    };
    fast(1_000);
    times.observe('task', 50);
    expect(times.expectedMs('task')).toBeLessThan(0.02);
    fast(1_000);
    times.observe('task', 50);
    times.observe('task', 50);
    expect(times.expectedMs('task')).toBeLessThan(0.02);
    times.observe('task', 50);
    expect(times.expectedMs('task')).toBe(50);
  });

  it('says what is usual only after some runs that were alike', () => {
    const times = createServiceTimes();
    for (let i = 0; i < 4; i += 1) times.observe('task', 2);
    expect(times.usualMs('task')).toBeUndefined();
    times.observe('task', 2);
    expect(times.usualMs('task')).toBeCloseTo(2);
    times.observe('task', 500);
    expect(times.usualMs('task')).toBeUndefined();
  });

  it('remembers a bounded number of tasks', () => {
    const times = createServiceTimes();
    for (let i = 0; i < 1_001; i += 1) times.observe(`task ${i}`, 1);
    expect(times.expectedMs('task 0')).toBeNaN();
    expect(times.expectedMs('task 1000')).toBe(1);
  });
});
