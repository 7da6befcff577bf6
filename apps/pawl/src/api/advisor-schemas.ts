import { comparePatterns } from '@pawl/tasks';
import { z } from 'zod';
import { nextCursorAnswer } from './conventions.ts';

const names = comparePatterns().map(({ name }) => name);
const patternName = z.enum(names as [(typeof names)[number], ...(typeof names)[number][]]);

// Requests

export const recommendRequest = z.strictObject({
  traits: z
    .strictObject({
      expectedDurationMs: z
        .number()
        .min(0)
        .max(31_536_000_000)
        .optional()
        .describe('How long one run takes.'),
      needsLiveOutput: z.boolean().optional().describe('Whether output is wanted while it runs.'),
      concurrentRuns: z.int().min(1).max(1_000_000).optional().describe('Runs that are wanted together.'),
      needsResult: z.boolean().optional().describe('Whether the caller waits for the result.'),
      recurring: z.boolean().optional().describe('Whether it happens again and again by itself.'),
      runsPerMinute: z.number().min(0).max(1_000_000).optional().describe('How often it is called.'),
    })
    .describe('What is known of the work; leave out what is not.'),
});
export const patternParams = z.strictObject({ name: z.string().min(1).max(64) });

// Answers

export const adviceAnswer = z.object({
  pattern: patternName,
  reasons: z.array(z.string()),
  runnersUp: z
    .array(z.object({ pattern: patternName, reason: z.string() }))
    .describe('What would fit too, best first.'),
});
export const patternList = z.object({
  patterns: z.array(
    z.object({
      name: patternName,
      entry: z.string().describe('The function it begins with.'),
      answers: z.string(),
      output: z.string(),
      atOnce: z.string(),
      keptAfterRestart: z.string(),
      cancel: z.string(),
    }),
  ),
  nextCursor: nextCursorAnswer,
});
export const patternView = z.object({
  name: patternName,
  entry: z.string(),
  useWhen: z.string(),
  benefits: z.array(z.string()),
  limitations: z.array(z.string()),
  example: z.string(),
});
