import { encodeExact, JsonText } from '@pawl/ipc';
import type { PoolRun } from './pool-run.ts';
import type { Progress, RunLogEntry } from './run-options.ts';

/** The task of the last run that was sent, and how it is written: most are of the same. */
let lastTask = '';
let lastTaskJson = '""';

/**
 * What a worker is told of a run, written by hand around its input: JSON.stringify takes longer for the rest than for a
 * small input.
 * @throws NotSerializableError
 */
export function runParams(run: PoolRun, now: number): JsonText {
  const { task, input, runId, attempt, timeoutMs, chunks, options } = run;
  if (task !== lastTask) {
    lastTaskJson = JSON.stringify(task);
    lastTask = task;
  }
  const inputPart = input === undefined ? '' : `,"input":${encodeExact('params.input', input)}`;
  // Those that the pool makes are plain.
  const id = options.runId === undefined ? `"${runId}"` : JSON.stringify(runId);
  let text = `{"task":${lastTaskJson}${inputPart},"runId":${id},"attempt":${attempt}`;
  if (timeoutMs !== Infinity) text += `,"budgetMs":${budgetMs(run, now)}`;
  if (options.trace !== undefined) text += `,"trace":${JSON.stringify(options.trace)}`;
  if (chunks !== undefined) text += `,"credit":${chunks.credit}`;
  return new JsonText(`${text}}`);
}

function budgetMs({ timeoutFrom, timeoutMs, endsAt }: PoolRun, now: number): number {
  return timeoutFrom === 'start' ? timeoutMs : Math.max(0, endsAt - now);
}

/** Hands a notification of a run to whoever asked for it. */
export function tellCaller(
  { options, chunks }: PoolRun,
  method: string,
  params: Readonly<Record<string, unknown>>,
): void {
  if (method === 'progress') options.onProgress?.(progressOf(params));
  else if (method === 'log') options.onLog?.(logEntryOf(params));
  else if (method === 'chunk') chunks?.push(params['data']);
}

function progressOf(params: Readonly<Record<string, unknown>>): Progress {
  const { value, step, total, message, data } = params;
  return {
    ...(typeof value === 'number' ? { value: Math.min(1, Math.max(0, value)) } : {}),
    ...(typeof step === 'number' ? { step } : {}),
    ...(typeof total === 'number' ? { total } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...(data === undefined ? {} : { data }),
  };
}

function logEntryOf(params: Readonly<Record<string, unknown>>): RunLogEntry {
  const { level, message, fields } = params;
  return {
    level: typeof level === 'string' ? level : 'info',
    message: typeof message === 'string' ? message : '',
    ...(typeof fields === 'object' && fields !== null
      ? { fields: fields as Readonly<Record<string, unknown>> }
      : {}),
  };
}
