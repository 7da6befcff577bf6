import { expect, it } from 'vitest';
import { createExecutionCounts } from './execution-counts.ts';
import type { Outcome } from './outcome.ts';

it('leaves runs from the cache out of the average, which is about work', () => {
  const counts = createExecutionCounts();
  const facts = { runId: 'r', task: 't', attempts: 1, trace: undefined };
  const value = { status: 'succeeded', value: 1, shared: false } as const;
  const outcomes: readonly Outcome[] = [
    { ...facts, ...value, cached: false, durationMs: 10 },
    { ...facts, ...value, cached: true, attempts: 0, durationMs: 2 },
    {
      ...facts,
      status: 'lost',
      cause: 'crashed',
      stage: 'worker',
      error: 1,
      lastError: undefined,
      cached: false,
      shared: false,
      durationMs: 30,
    },
  ];
  for (const outcome of outcomes) counts.add(outcome);
  expect(counts.stats([{ stage: 'queue' }, { stage: 'worker' }])).toMatchObject({
    running: 2,
    total: 5,
    byStatus: { succeeded: 2, failed: 0, 'timed-out': 0, cancelled: 0, lost: 1 },
    byStage: { queue: { running: 1, ended: 0 }, worker: { running: 1, ended: 1 } },
    successRate: 2 / 3,
    averageDurationMs: 20,
    cached: 1,
    shared: 0,
    attempts: 2,
  });
});
