import { RUN_STATES } from '@pawl/tasks';
import { z } from 'zod';
import { problem } from './problem-schema.ts';
import { programFields } from './execute-schemas.ts';
import {
  cursorRequest,
  durationRequest,
  nextCursorAnswer,
  pathRequest,
  plainText,
  queryInteger,
  timeAnswer,
  timeRequest,
} from './conventions.ts';

// Requests

const MAX_ARGUMENT_CHARACTERS = 32_768;
const MAX_NAME_CHARACTERS = 200;
const MAX_WAIT_MS = 60_000;

const args = z.array(plainText(MAX_ARGUMENT_CHARACTERS)).max(1_000).optional();
const cwd = pathRequest.optional().describe('Its working folder. Default: that of the service.');
const env = z
  .record(z.string().regex(/^[A-Za-z_]\w{0,99}$/), plainText(MAX_ARGUMENT_CHARACTERS))
  .optional()
  .describe('Added to a minimal environment. Kept with the run, so it is no place for secrets.');

export const scriptRequest = z
  .strictObject({
    path: pathRequest.describe('A .py, .js, .mjs, .cjs or .sh file, or any executable.'),
    args,
    cwd,
    env,
    interpreter: plainText(1_000)
      .min(1)
      .optional()
      .describe('The program that runs it. Default: by its extension, else by its first line.'),
  })
  .describe('Runs a script of this machine.');

export const commandRequest = z
  .strictObject({
    file: pathRequest.describe('A program: a name that is looked up in PATH, or a path.'),
    args,
    cwd,
    env,
  })
  .describe('Runs a program of this machine, without a shell.');

export const pythonRequest = z.strictObject(programFields).describe('Runs Python in the sandbox.');

const moduleRequest = z
  .strictObject({
    id: z.string().min(1).max(MAX_NAME_CHARACTERS).describe('The name of a module.'),
    parameters: z.record(z.string().max(MAX_NAME_CHARACTERS), z.unknown()).optional(),
  })
  .describe('Runs a module of the registry.');

export const KINDS = ['script', 'command', 'python', 'module'] as const;
/** What a run runs. */
export type Kind = (typeof KINDS)[number];

const runOptions = {
  priority: z
    .number()
    .min(-1_000_000)
    .max(1_000_000)
    .optional()
    .describe('Higher is sooner: low 1, normal 2, high 3, urgent 4. Default: 2.'),
  key: z
    .string()
    .min(1)
    .max(MAX_NAME_CHARACTERS)
    .optional()
    .describe('Runs that share a key run one after another.'),
  idempotencyKey: z
    .string()
    .min(1)
    .max(MAX_NAME_CHARACTERS)
    .optional()
    .describe('A second request with the same one is the same run.'),
  delayMs: durationRequest().optional().describe('Not started before so many milliseconds.'),
  deadlineMs: durationRequest(1)
    .optional()
    .describe('Timed out if it is not over by then, waiting included.'),
  timeoutMs: durationRequest(1).optional().describe('How long one attempt may take.'),
  maxAttempts: z.int().min(1).max(100).optional().describe('Attempts that may fail or time out. Default: 1.'),
};

/** A request for a run: what to run, in exactly one of four fields, and how. */
export const runRequest = z
  .strictObject({
    script: scriptRequest.optional(),
    command: commandRequest.optional(),
    python: pythonRequest.optional(),
    module: moduleRequest.optional(),
    ...runOptions,
  })
  .superRefine((request, context) => {
    if (KINDS.filter((kind) => request[kind] !== undefined).length === 1) return;
    context.addIssue({
      code: 'custom',
      message: 'with exactly one of `script`, `command`, `python` and `module`',
    });
  });
export type RunRequest = z.infer<typeof runRequest>;

/** Most runs in one request. */
const MAX_BATCH = 1_000;

/** Each is checked by itself, so that one that is wrong does not keep the others out. */
export const batchRequest = z.strictObject({
  runs: z
    .array(z.unknown().meta(z.toJSONSchema(runRequest, { io: 'input' })))
    .min(1)
    .max(MAX_BATCH),
});
export type BatchRequest = z.infer<typeof batchRequest>;

export const runParams = z.strictObject({ id: z.string().min(1).max(MAX_NAME_CHARACTERS) });

export const runListQuery = z.strictObject({
  state: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(RUN_STATES)))
    .optional()
    .describe(`One or more of ${RUN_STATES.join(', ')}, separated by commas.`),
  task: z
    .string()
    .min(1)
    .max(MAX_NAME_CHARACTERS)
    .optional()
    .describe('`script`, `command`, `python` or `module:<id>`.'),
  key: z.string().min(1).max(MAX_NAME_CHARACTERS).optional(),
  schedule: z.string().min(1).max(MAX_NAME_CHARACTERS).optional().describe('The id of a schedule: its runs.'),
  createdFrom: timeRequest.optional(),
  createdBefore: timeRequest.optional(),
  limit: queryInteger(1, 1_000).optional().describe('Default: 50.'),
  cursor: cursorRequest.optional(),
});
export type RunListQuery = z.infer<typeof runListQuery>;

export const waitQuery = z.strictObject({
  timeoutMs: queryInteger(0, MAX_WAIT_MS).optional().describe('Default: 30000.'),
});

export const cancelRequest = z.strictObject({ reason: z.string().min(1).max(1_000).optional() });

// Answers

const failure = z.object({
  name: z.string(),
  message: z.string(),
  code: z.string().nullable(),
  stack: z.string().nullable(),
  details: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('What else is known of it, by its code: the exit code of a script, its signal.'),
});

const receipt = z.object({
  reason: z.enum(['host-died', 'host-rebooted', 'silent']),
  host: z.string(),
  pid: z.int().nullable(),
  lastHeartbeatAt: timeAnswer,
  foundAt: timeAnswer,
  endedPids: z.array(z.int()),
});

const attempt = z.object({
  number: z.int().describe('From 1; lost and stopped ones count. For `attempt` in the addresses of logs.'),
  fence: z.int(),
  startedAt: timeAnswer,
  endedAt: timeAnswer.nullable(),
  outcome: z.enum(['succeeded', 'failed', 'timed-out', 'cancelled', 'lost', 'stopped']).nullable(),
  error: failure.nullable(),
  pid: z.int().nullable(),
  host: z.string(),
  receipt: receipt.nullable().describe('Of a lost attempt: what is known of its end.'),
  logId: z.string(),
});
export type AttemptView = z.infer<typeof attempt>;

const lastLine = z.object({
  at: timeAnswer,
  stream: z.enum(['stdout', 'stderr']),
  level: z.string(),
  text: z.string(),
});
export type LastLine = z.infer<typeof lastLine>;

const listedRun = z.object({
  id: z.string(),
  task: z.string().describe('`script`, `command`, `python` or `module:<id>`.'),
  title: z.string().describe('What people recognise: a script with its arguments, a first line.'),
  state: z.enum(RUN_STATES),
  priority: z.number(),
  key: z.string().nullable(),
  schedule: z.string().nullable().describe('The id of the schedule whose slot it has.'),
  idempotencyKey: z.string().nullable(),
  createdAt: timeAnswer,
  availableAt: timeAnswer,
  startedAt: timeAnswer.nullable(),
  endedAt: timeAnswer.nullable(),
  deadlineAt: timeAnswer.nullable(),
  durationMs: z.number().nullable().describe('From its start to its end, or until now.'),
  timeoutMs: z.number().nullable(),
  maxAttempts: z.int(),
  attempt: z.int().describe('The number of the latest attempt; 0 before the first.'),
  progress: z.unknown(),
  error: failure.nullable(),
  exitCode: z.int().nullable().describe('Of its process, if that ended by itself.'),
  signal: z.string().nullable().describe('What ended its process.'),
  cancelReason: z.string().nullable(),
  waitingFor: z.string().nullable().describe('Why it is not running.'),
  pid: z.int().nullable(),
  host: z.string().nullable(),
  heartbeatAt: timeAnswer.nullable(),
  lastLine: lastLine.nullable().describe('What it printed last, while it runs.'),
  links: z.object({ self: z.string(), logs: z.string() }),
});
/** A run as lists and events have it. */
export const runListView = listedRun;
export type RunListView = z.infer<typeof runListView>;

/** A run with everything. */
export const runView = listedRun.extend({
  input: z.unknown().describe('What was asked for.'),
  attempts: z.array(attempt).describe('The latest 20, oldest first.'),
  result: z.unknown().describe('What came of it.'),
});
export type RunView = z.infer<typeof runView>;

export const runPage = z.object({ runs: z.array(runListView), nextCursor: nextCursorAnswer });
export type RunPageView = z.infer<typeof runPage>;

export const batchAnswer = z.object({
  results: z.array(z.union([z.object({ run: runView }), z.object({ error: problem })])),
});

export const runCounts = z.object({
  submitted: z.int().describe('All that there ever were: the sum of the states and of `removed`.'),
  removed: z.int(),
  ...Object.fromEntries(RUN_STATES.map((state) => [state, z.int()])),
});

// Logs

const MOST_TAIL = 10_000;
const attemptQuery = queryInteger(1, 1_000_000)
  .optional()
  .describe('The number of an attempt. Default: the latest.');

export const logPageQuery = z.strictObject({
  tail: queryInteger(1, MOST_TAIL).optional().describe('So many of the latest entries. Default: 500.'),
  since: timeRequest.optional().describe('Only what came after this moment.'),
  attempt: attemptQuery,
});
export type LogPageQuery = z.infer<typeof logPageQuery>;

export const logDownloadQuery = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).optional().describe('Default: both, in the order of their arrival.'),
  attempt: attemptQuery,
});
export type LogDownloadQuery = z.infer<typeof logDownloadQuery>;

export const logStreamQuery = z.strictObject({
  from: queryInteger(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'The `nextOffset` of the entry after which to go on. Default: `Last-Event-ID`, else all that is kept.',
    ),
  attempt: attemptQuery,
});
export type LogStreamQuery = z.infer<typeof logStreamQuery>;

const logEntry = z.object({
  at: timeAnswer,
  level: z.string(),
  stream: z.enum(['stdout', 'stderr']),
  text: z.string(),
  endsLine: z.boolean().describe('False for a piece of a line.'),
  offset: z.int().describe('Where it begins in the log, in bytes.'),
  nextOffset: z.int().describe('Where the next one begins.'),
});
export type LogEntryView = z.infer<typeof logEntry>;

export const logPage = z.object({
  runId: z.string(),
  attempt: z.int().describe('0 before the first.'),
  entries: z.array(logEntry),
  complete: z.boolean().describe('Whether nothing more will come.'),
  endOffset: z.int(),
});
export type LogPageView = z.infer<typeof logPage>;
