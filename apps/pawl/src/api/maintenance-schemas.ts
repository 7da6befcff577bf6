import { z } from 'zod';
import { nextCursorAnswer, timeAnswer } from './conventions.ts';

export const maintenanceParams = z.strictObject({ job: z.string().min(1).max(64) });

export const maintenanceJob = z.object({
  job: z.string(),
  description: z.string(),
  everyMs: z.int(),
  running: z.boolean(),
  successes: z.int(),
  errors: z.int(),
  lastRunAt: timeAnswer.nullable(),
  lastDurationMs: z.number().nullable(),
  lastResult: z.unknown().describe('What it found, or removed; null before the first run.'),
  lastError: z.string().nullable().describe('null when the last run succeeded.'),
  nextRunAt: timeAnswer.nullable(),
});
export type MaintenanceJobView = z.infer<typeof maintenanceJob>;

export const maintenanceList = z.object({ jobs: z.array(maintenanceJob), nextCursor: nextCursorAnswer });
