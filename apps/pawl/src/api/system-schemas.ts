import { z } from 'zod';
import { nextCursorAnswer, timeAnswer } from './conventions.ts';
import { runCounts } from './run-schemas.ts';

const percent = z.number().describe('From 0 to 100.');

export const systemView = z.object({
  version: z.string(),
  startedAt: timeAnswer,
  uptimeMs: z.int(),
  pid: z.int(),
  host: z.string(),
  node: z.string(),
  platform: z.string(),
  store: z.object({
    kind: z.enum(['sqlite', 'memory']),
    file: z.string().nullable(),
    bytes: z.int().nullable(),
    integrity: z
      .object({ ok: z.boolean(), problems: z.array(z.string()) })
      .nullable()
      .describe('Of the last check; null before the first. The maintenance job `store-check` makes one.'),
    checkedAt: timeAnswer.nullable(),
  }),
  runs: runCounts,
  memory: z.object({
    totalBytes: z.int(),
    freeBytes: z.int(),
    usedPercent: percent,
    serviceBytes: z.int().describe('Resident memory of the service itself.'),
    serviceHeapBytes: z.int(),
  }),
  cpu: z.object({
    cores: z.int(),
    usedPercent: percent.describe('Of all processors, since the report before.'),
    servicePercent: percent.describe('By the service itself.'),
    load: z.array(z.number()).describe('Over 1, 5 and 15 minutes.'),
  }),
  disk: z.object({
    path: z.string(),
    totalBytes: z.number().nullable(),
    freeBytes: z.number().nullable(),
    usedPercent: z.number().nullable(),
  }),
  eventLoop: z
    .object({ delayP50Ms: z.number(), delayP99Ms: z.number(), delayMaxMs: z.number() })
    .describe('How late the service came to its work in about the last minute.'),
  sandbox: z.unknown().describe('As /system/sandbox.'),
});
export type SystemView = z.infer<typeof systemView>;

export const settingsView = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      value: z.string().nullable().describe('As in force; null when it is not set.'),
      default: z.string(),
      description: z.string(),
    }),
  ),
  nextCursor: nextCursorAnswer,
});
export type SettingsView = z.infer<typeof settingsView>;
