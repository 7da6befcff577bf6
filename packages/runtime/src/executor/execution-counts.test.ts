import { expect, it } from 'vitest';
import { createExecutionCounts } from './execution-counts.ts';
import type { Outcome } from './outcome.ts';

it('leaves runs from the cache out of the average, which is about work', () => {
  const counts = createExecutionCounts();
  const facts = { runId: 'r', task: 't', attempts: 1 };
  const outcomes: readonly Outcome[] = [
    { ...facts, status: 'succeeded', value: 1, cached: false, durationMs: 10 },
    { ...facts, status: 'succeeded', value: 1, cached: true, durationMs: 2 },
    { ...facts, status: 'lost', error: 1, cached: false, durationMs: 30 },
  ];
  for (const outcome of outcomes) counts.add(outcome);
  expect(counts.stats(2)).toEqual({
    running: 2,
    total: 5,
    byStatus: { succeeded: 2, failed: 0, 'timed-out': 0, cancelled: 0, lost: 1 },
    successRate: 2 / 3,
    averageDurationMs: 20,
    cached: 1,
  });
});
