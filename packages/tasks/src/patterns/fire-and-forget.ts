import { checkKnownKeys } from '@pawl/core';
import { uncaughtMessage } from '../output/last-words.ts';
import type { OutputEntry } from '../output/output-entry.ts';
import type { OutputLogs } from '../output/output-logs.ts';
import type { RunContext } from '../tracking/task-definition.ts';
import { startModule } from './long-running.ts';
import { ModuleFailedError } from './module-errors.ts';
import type { ModuleOptions } from './module-options.ts';

/** The input of a run: which script, and how. It is stored with the run, so keep secrets out of it. */
export interface ModuleTaskInput extends Pick<
  ModuleOptions,
  'cwd' | 'env' | 'inheritEnv' | 'interpreter' | 'mode' | 'timeoutMs' | 'graceMs'
> {
  readonly scriptPath: string;
  readonly args?: readonly string[];
}

/** What is stored of a script that succeeded. */
export interface ModuleTaskResult {
  readonly exitCode: 0;
  readonly durationMs: number;
  /** The last lines it printed, at most 20. */
  readonly lastLines: readonly string[];
  /** Its log, to be opened with `logs.open`; null without `logs`. */
  readonly logId: string | null;
}

export interface ModuleTaskOptions {
  /** Keeps the whole output of each attempt in a file. @default none */
  readonly logs?: OutputLogs;
}

const KEPT_LINES = 20;
/** What of a failed script's words becomes its error: the last of the error lines among the last lines. */
const LOOKED_AT_LINES = 10;
const MOST_ERROR_LINES = 5;
const MOST_ERROR_CHARACTERS = 500;

/**
 * The task of a run tracker that runs scripts: `tasks: { module: moduleTask() }`. A run succeeds with exit code 0; its
 * processes are ended when it is cancelled, and found again after a crash of the host. Whoever may submit runs may run
 * any script.
 * @throws what `startModule` throws and rejects with, and ModuleFailedError, from the task
 */
export function moduleTask(
  options: ModuleTaskOptions = {},
): (input: ModuleTaskInput, context: RunContext) => Promise<ModuleTaskResult> {
  checkKnownKeys('moduleTask', options, ['logs']);
  const { logs } = options;
  return async ({ scriptPath, args = [], ...how }, context) => {
    const run = startModule(scriptPath, args, {
      ...how,
      runId: attemptLogId(context.runId, context.fence),
      logs,
      signal: context.signal,
      processes: context,
    });
    const exit = await run.result;
    const last = await run.output.tail(KEPT_LINES);
    if (exit.exitCode !== 0) throw new ModuleFailedError(scriptPath, exit, errorLines(last));
    return {
      exitCode: 0,
      durationMs: exit.durationMs,
      lastLines: last.map(({ text }) => text.slice(0, MOST_ERROR_CHARACTERS)),
      logId: logs === undefined ? null : run.runId,
    };
  };
}

/**
 * The id of the log of one attempt, by its fence: a run that is tried once has one of its own name. What was lost or
 * stopped counts too, though it costs no attempt: no two of them write to one file.
 */
export function attemptLogId(runId: string, fence: number): string {
  return fence === 1 ? runId : `${runId}.attempt-${fence}`;
}

function errorLines(entries: readonly OutputEntry[]): string {
  const stderr = entries.filter(({ stream }) => stream === 'stderr').map(({ text }) => text);
  const message = uncaughtMessage(stderr.join('\n'));
  if (message !== undefined) return message.slice(0, MOST_ERROR_CHARACTERS);
  return entries
    .slice(-LOOKED_AT_LINES)
    .filter(({ level }) => level === 'ERROR' || level === 'CRITICAL')
    .slice(-MOST_ERROR_LINES)
    .map(({ text }) => text.trim())
    .join(' | ')
    .slice(0, MOST_ERROR_CHARACTERS);
}
