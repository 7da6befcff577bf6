import type { ExecutionRequest } from '@pawl/python';
import { z } from 'zod';
import { CACHE_MODES, type CacheMode } from '../python/executions.ts';

/** In characters, not bytes. */
const MAX_CODE_CHARACTERS = 50_000;

/** A text of code. One that is too long is answered with 413. */
const code = z
  .string()
  .superRefine((text, context) => {
    // Characters beyond the basic plane count once; only code that may be too long needs counting.
    const characters = text.length > MAX_CODE_CHARACTERS ? Array.from(text).length : text.length;
    if (characters <= MAX_CODE_CHARACTERS) return;
    const message = `at most ${MAX_CODE_CHARACTERS} characters, got ${characters}`;
    context.addIssue({ code: 'custom', message, params: { status: 413 } });
  })
  .meta({ maxLength: MAX_CODE_CHARACTERS });

const limit = z.number().exactOptional();

export interface ExecuteBody extends ExecutionRequest {
  readonly cache: CacheMode;
}

/** A program, as `/execute` and tracked runs take it. Limits and the paths of files are checked by the runner. */
export const programFields = {
  code: code.min(1, 'a non-empty string').describe('The program.'),
  testCode: code.optional().describe('A test script, which imports the program as `starter`.'),
  exerciseId: z
    .string()
    .optional()
    .describe('Names an exercise, whose tests are run in place of `testCode`.'),
  runTests: z.boolean().optional().describe('Whether to run tests; by default whether there are any.'),
  stdin: z.string().optional().describe('What `input()` reads.'),
  files: z
    .array(
      z.strictObject({
        path: z.string(),
        content: z.string(),
        encoding: z.enum(['utf8', 'base64']).exactOptional(),
      }),
    )
    .max(50)
    .optional()
    .describe('Files in the working folder of the program.'),
  limits: z
    .strictObject({
      wallMs: limit,
      cpuMs: limit,
      memoryBytes: limit,
      processes: limit,
      openFiles: limit,
      fileBytes: limit,
      outputBytes: limit,
    })
    .optional()
    .describe('What the program may use, up to what the service allows.'),
};

export const executeBody: z.ZodType<ExecuteBody> = z.strictObject({
  ...programFields,
  cache: z.enum(CACHE_MODES).default('off').describe('What an earlier result may do for this request.'),
});

const text = z.string();
const testCase = z.object({
  name: text,
  passed: z.boolean(),
  expected: text.optional(),
  actual: text.optional(),
  error: text.optional(),
});

/** For the description of the service; `ExecutionResult` of `@pawl/python` is what is sent. */
export const executeAnswer: z.ZodType = z.object({
  success: z
    .boolean()
    .describe('It ended by itself with exit code 0, and passed its tests if there were any.'),
  output: text.describe('What it printed on stdout.'),
  errors: text.nullable().describe('What it printed on stderr, and why it was ended.'),
  executionTime: z.int().describe('Milliseconds from the request to the result.'),
  testResult: z
    .object({ passed: z.boolean(), testCases: z.array(testCase), output: text, errors: text.nullable() })
    .nullable()
    .describe('null when no tests were run.'),
  status: z.enum([
    'ok',
    'failed',
    'timeout',
    'cpu-limit',
    'memory-limit',
    'process-limit',
    'open-file-limit',
    'file-size-limit',
    'output-limit',
    'killed',
  ]),
  exitCode: z.int().nullable(),
  signal: z.int().nullable(),
  error: z
    .object({ kind: text, type: text, message: text, line: z.int().nullable(), hint: text.nullable() })
    .nullable()
    .describe('The exception that ended it.'),
  truncated: z.object({ stdout: z.boolean(), stderr: z.boolean() }),
  usage: z.object({ wallMs: z.number(), cpuMs: z.number().nullable(), maxRssBytes: z.number().nullable() }),
  sandbox: z.enum(['bubblewrap', 'landlock', 'none']),
  cached: z.boolean().optional().describe('Only with `cache`: whether it is a stored result.'),
});
