import { RUN_STATES } from '@pawl/tasks';
import { z } from 'zod';
import { nextCursorAnswer, timeAnswer } from './conventions.ts';

// Requests

const parameterName = z.string().max(200);
/** Which values a parameter may have is the module's own rule. */
const parameters = z
  .record(parameterName, z.unknown())
  .refine((given) => Object.keys(given).length <= 100, 'an object of at most 100 parameters');

export const moduleParams = z.strictObject({ id: z.string().min(1).max(64) });
export const moduleConfigRequest = z.strictObject({ parameters: parameters.describe('All but passwords.') });
export const moduleRunRequest = z.strictObject({
  parameters: parameters.default({}).describe('What is not given is as saved, or else the default.'),
  saveConfig: z
    .boolean()
    .default(false)
    .describe('Saves what is given, but for passwords, for the next run.'),
});

// Answers

const value = z.union([z.string(), z.number(), z.boolean()]);

const parameter = z.object({
  name: z.string(),
  label: z.string().nullable(),
  type: z.enum(['text', 'number', 'select', 'checkbox', 'password']),
  required: z.boolean(),
  default: value.nullable(),
  options: z.array(z.string()).nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  pattern: z.string().nullable().describe('The whole value matches it.'),
  message: z.string().nullable().describe('What to say when it does not.'),
  placeholder: z.string().nullable(),
  warning: z.string().nullable(),
  visibleWhen: z
    .object({ field: z.string(), equals: value })
    .nullable()
    .describe('Neither checked nor passed unless another parameter has this value.'),
});

export const moduleView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  script: z.string(),
  interpreter: z.string().nullable(),
  timeoutMs: z.number().nullable(),
  parameters: z.array(parameter),
  runs: z.int().describe('Those that were kept when the service started, and all since.'),
  successRate: z.number().nullable().describe('Of those that have ended, from 0 to 1.'),
  lastRun: z
    .object({
      id: z.string(),
      state: z.enum(RUN_STATES),
      createdAt: timeAnswer,
      durationMs: z.number().nullable(),
    })
    .nullable(),
});
export type ModuleView = z.infer<typeof moduleView>;

export const modulePage = z.object({
  modules: z.array(moduleView),
  nextCursor: nextCursorAnswer,
  faults: z
    .array(
      z.object({ file: z.string(), field: z.string(), value: z.string().nullable(), message: z.string() }),
    )
    .describe('Why definitions are left out.'),
});

export const moduleConfig = z.object({
  parameters: z.record(z.string(), value).describe('The defaults, and over them what was saved.'),
  updatedAt: timeAnswer.nullable().describe('null when nothing is saved.'),
});
