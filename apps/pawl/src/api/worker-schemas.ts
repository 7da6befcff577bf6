import { z } from 'zod';
import { nextCursorAnswer, timeAnswer } from './conventions.ts';

// Requests

export const poolParams = z.strictObject({ name: z.string().min(1).max(64) });
export const workerParams = z.strictObject({ id: z.string().min(1).max(200) });
export const scaleRequest = z.strictObject({
  size: z.int().min(0).max(100).describe('Workers from now on.'),
});

// Answers

export const poolView = z.object({
  name: z.string(),
  workers: z.int(),
  busy: z.int(),
  idle: z.int(),
  starting: z.int(),
  waiting: z.int().describe('Programs that no worker runs yet.'),
  min: z.int(),
  max: z.int(),
  runs: z.int().describe('Programs that have ended.'),
  crashes: z.int().describe('Workers that ended without being asked to.'),
});
export type PoolView = z.infer<typeof poolView>;
export const poolList = z.object({ pools: z.array(poolView), nextCursor: nextCursorAnswer });

export const workerView = z.object({
  id: z.string(),
  kind: z.enum(['pool', 'run']).describe('A worker of a pool, or the process of a run.'),
  pool: z.string().nullable(),
  pid: z.int().nullable(),
  state: z.string(),
  runId: z.string().nullable(),
  startedAt: timeAnswer.nullable(),
  runs: z.int().describe('Those it is done with.'),
  processes: z.int().nullable().describe('It, and all that it started.'),
  rssBytes: z.int().nullable().describe('What they have in memory.'),
  cpuMs: z.int().nullable().describe('CPU time they have used.'),
  heartbeatAt: timeAnswer.nullable(),
  health: z.string().nullable().describe('How fit for work it was at the last heartbeat.'),
  findings: z.array(z.string()).describe('What was wrong then.'),
});
export type WorkerView = z.infer<typeof workerView>;
export const workerList = z.object({ workers: z.array(workerView), nextCursor: nextCursorAnswer });

export const drainAnswer = z.object({
  runId: z.string().nullable().describe('What it finishes before it ends.'),
});
export type DrainView = z.infer<typeof drainAnswer>;

export const recycleAnswer = z.object({ recycled: z.int().describe('Workers that will be replaced.') });
