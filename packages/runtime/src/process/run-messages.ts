import type { Logger } from '@pawl/core';
import type { CallOptions } from '@pawl/ipc';
import type { PoolRun } from './pool-run.ts';
import type { Progress, RunLogEntry } from './run-options.ts';

/** What a worker is told of a run. Fields that are not there cost a third less than those that are undefined. */
export function runParams(run: PoolRun, now: number): Readonly<Record<string, unknown>> {
  const { task, input, runId, attempt, timeoutMs, timeoutFrom, chunks } = run;
  const { trace } = run.options;
  const isPlain = trace === undefined && chunks === undefined;
  if (isPlain && timeoutMs === Infinity) return { task, input, runId, attempt };
  const budgetMs = timeoutFrom === 'start' ? timeoutMs : Math.max(0, run.endsAt - now);
  if (isPlain) return { task, input, runId, attempt, budgetMs };
  return {
    task,
    input,
    runId,
    attempt,
    budgetMs: timeoutMs === Infinity ? undefined : budgetMs,
    trace,
    credit: chunks?.credit,
  };
}

const NOBODY_LISTENS: CallOptions = {};

/** Hands the notifications of a run to whoever asked for them. A callback that throws is logged, and only that. */
export function runMessages({ options, chunks }: PoolRun, logger: Logger): CallOptions {
  const { onProgress, onLog } = options;
  if (onProgress === undefined && onLog === undefined && chunks === undefined) return NOBODY_LISTENS;
  return {
    onNotification(method, params) {
      try {
        if (method === 'progress') onProgress?.(progressOf(params));
        else if (method === 'log') onLog?.(logEntryOf(params));
        else if (method === 'chunk') chunks?.push(params['data']);
      } catch (error) {
        logger.error({ err: error, method }, 'A callback of a run failed.');
      }
    },
  };
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
