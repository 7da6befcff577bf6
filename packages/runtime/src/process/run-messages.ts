import type { Logger } from '@pawl/core';
import type { CallOptions } from '@pawl/ipc';
import type { Progress, RunLogEntry, RunOptions } from './pool-run.ts';

/** Hands the notifications of a run to whoever asked for them. A callback that throws is logged, and only that. */
export function createRunMessages(
  options: RunOptions,
  logger: Logger,
): NonNullable<CallOptions['onNotification']> {
  return (method, params) => {
    try {
      if (method === 'progress') options.onProgress?.(progressOf(params));
      else if (method === 'log') options.onLog?.(logEntryOf(params));
    } catch (error) {
      logger.error({ err: error, method }, 'A callback of a run failed.');
    }
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
