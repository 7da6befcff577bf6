import { z } from 'zod';
import { EVENT_TYPES } from '../events/event-hub.ts';
import { runCounts } from './run-schemas.ts';
import { timeAnswer } from './conventions.ts';

export const eventsQuery = z.strictObject({
  types: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(EVENT_TYPES)))
    .optional()
    .describe(`One or more of ${EVENT_TYPES.join(', ')}, separated by commas. Default: all.`),
});
export type EventsQuery = z.infer<typeof eventsQuery>;

/** What the event `stats` has. */
export const statsEvent = z.object({
  at: timeAnswer,
  counts: runCounts,
  running: z.int(),
  waiting: z.int(),
  cpuPercent: z.number().nullable().describe('Of the whole machine, 0 to 100.'),
  memoryPercent: z.number().nullable().describe('Of the whole machine, 0 to 100.'),
  rssBytes: z.int().describe('Memory of the service itself.'),
});
export type StatsEvent = z.infer<typeof statsEvent>;
