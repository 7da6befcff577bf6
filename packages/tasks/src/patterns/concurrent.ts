import {
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkSignal,
  checkString,
  expectedMessage,
  hasCode,
  type Logger,
  silentLogger,
} from '@pawl/core';
import { bulkhead } from '@pawl/resilience';
import { lastWords } from '../output/last-words.ts';
import type { Admission } from './concurrent-admission.ts';
import type { ModuleOptions } from './module-options.ts';
import { type ModuleResult, runModule } from './run-module.ts';

/** How one item is run. */
export type ModuleRunOptions = Pick<
  ModuleOptions,
  'cwd' | 'mode' | 'env' | 'inheritEnv' | 'signal' | 'timeoutMs' | 'graceMs' | 'interpreter'
>;

/** Runs one module to its end: `runModule` is one. */
export type RunModule = (
  scriptPath: string,
  args: readonly string[],
  options: ModuleRunOptions,
) => Promise<ModuleEnd>;

/** How a module ended, and what it printed. */
export type ModuleEnd = Omit<ModuleResult, 'omittedBytes' | 'pid'> & { readonly pid?: number };

/** One module to run. */
export interface ModuleItem extends Omit<ModuleRunOptions, 'signal'> {
  /** Names it in its report. @default its script path */
  readonly id?: string;
  readonly scriptPath: string;
  readonly args?: readonly string[];
}

/**
 * How an item ended. `refused` by the admission, `cancelled` by the caller, `timed-out` by its `timeoutMs`; `failed`
 * when it ended with anything but exit code 0, or could not be started.
 */
export type ModuleStatus = 'succeeded' | 'failed' | 'timed-out' | 'cancelled' | 'refused';

export interface ModuleReport {
  readonly id: string;
  readonly scriptPath: string;
  readonly success: boolean;
  readonly status: ModuleStatus;
  /** Why it did not succeed, in one sentence; undefined when it did. */
  readonly reason: string | undefined;
  /** What the run threw, if it did. */
  readonly error: unknown;
  /** Null when it did not exit by itself, or did not run. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number | undefined;
  /** Without the wait for its turn. */
  readonly durationMs: number;
}

export interface ModuleProgress {
  /** The item that has just ended. */
  readonly report: ModuleReport;
  /** Items that have ended. */
  readonly done: number;
  readonly total: number;
}

export interface RunAllOptions {
  /** Cancels what runs and what waits. */
  readonly signal?: AbortSignal;
  /** Called when an item has ended. What it throws is logged. */
  readonly onProgress?: (progress: ModuleProgress) => void;
}

export interface ConcurrentRunnerOptions {
  /** Runs one item. @default runModule */
  readonly run?: RunModule;
  /** Modules that run at one time. @default 10 */
  readonly maxConcurrent?: number;
  /** Asked before each item starts, when its turn has come. @default everything is admitted */
  readonly admission?: Admission;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** Runs many modules, a bounded number at a time, and reports what became of each. */
export interface ConcurrentRunner {
  /** Never rejects. @throws TypeError for a wrong item */
  run(item: ModuleItem, options?: Pick<RunAllOptions, 'signal'>): Promise<ModuleReport>;
  /** Never rejects. The reports come in the order of the items. @throws TypeError for a wrong item, before any starts */
  runAll(items: readonly ModuleItem[], options?: RunAllOptions): Promise<ModuleReport[]>;
}

const ITEM_KEYS: readonly (keyof ModuleItem)[] = [
  'id',
  'scriptPath',
  'args',
  'cwd',
  'mode',
  'env',
  'inheritEnv',
  'timeoutMs',
  'graceMs',
  'interpreter',
];

/** How much of its last words a reason quotes. */
const QUOTED_CHARACTERS = 500;

/** @throws TypeError, RangeError for wrong options */
export function createConcurrentRunner(options: ConcurrentRunnerOptions = {}): ConcurrentRunner {
  checkKnownKeys('createConcurrentRunner', options, ['run', 'maxConcurrent', 'admission', 'logger']);
  const run = checkFunction('run', options.run ?? runModule);
  const { admission, logger = silentLogger } = options;
  const maxConcurrent = checkInteger('maxConcurrent', options.maxConcurrent ?? 10, { min: 1 });
  const turns = bulkhead({ maxConcurrent, maxQueue: Infinity });

  /** Runs an item whose turn has come. Never rejects. */
  async function execute(item: ModuleItem, signal: AbortSignal | undefined): Promise<ModuleReport> {
    const { id: _, scriptPath, args = [], ...how } = item;
    try {
      const verdict = (await admission?.(item)) ?? { admitted: true };
      if (!verdict.admitted) return reportOf(item, 'refused', verdict.reason);
      signal?.throwIfAborted();
      const end = await run(scriptPath, args, signal === undefined ? how : { ...how, signal });
      const status = end.exitCode === 0 ? 'succeeded' : signal?.aborted === true ? 'cancelled' : 'failed';
      const reason = status === 'succeeded' ? undefined : reasonOf(end);
      return { ...reportOf(item, status, reason), ...endOf(end), success: status === 'succeeded' };
    } catch (error) {
      // Of what was ended early, what it had printed is worth having.
      const kept = hasCode(error, 'RUN_TIMEOUT', 'RUN_CANCELLED') ? endOf((error as EndedEarly).end) : {};
      if (signal?.aborted === true) {
        return { ...reportOf(item, 'cancelled', messageOf(signal.reason), error), ...kept };
      }
      const status = hasCode(error, 'RUN_TIMEOUT') ? 'timed-out' : 'failed';
      return { ...reportOf(item, status, messageOf(error), error), ...kept };
    }
  }

  async function take(item: ModuleItem, signal: AbortSignal | undefined): Promise<ModuleReport> {
    let running: Promise<ModuleReport> | undefined;
    try {
      return await turns.execute(
        () => {
          running = execute(item, signal);
          return running;
        },
        { signal },
      );
    } catch (error) {
      // The bulkhead answers an abort at once; what runs already is worth waiting for, its report has the output.
      return running ?? reportOf(item, 'cancelled', messageOf(error), error);
    }
  }

  return {
    async run(item, { signal } = {}) {
      checkItem('item', item);
      return take(item, signal && checkSignal('signal', signal));
    },
    async runAll(items, { signal, onProgress } = {}) {
      for (const [index, item] of items.entries()) checkItem(`items[${index}]`, item);
      if (signal !== undefined) checkSignal('signal', signal);
      let done = 0;
      const progress = (report: ModuleReport): ModuleReport => {
        done += 1;
        try {
          onProgress?.({ report, done, total: items.length });
        } catch (error) {
          logger.error({ err: error, id: report.id }, 'onProgress failed.');
        }
        return report;
      };
      return Promise.all(items.map(async (item) => progress(await take(item, signal))));
    },
  };
}

function checkItem(name: string, item: ModuleItem): void {
  checkKnownKeys(name, item, ITEM_KEYS);
  checkString(`${name}.scriptPath`, item.scriptPath);
  if (item.args !== undefined && !item.args.every((arg) => typeof arg === 'string')) {
    throw new TypeError(expectedMessage(`${name}.args`, 'an array of strings', item.args));
  }
}

/** The report of an item that produced nothing. */
function reportOf(
  { id, scriptPath }: ModuleItem,
  status: ModuleStatus,
  reason: string | undefined,
  error?: unknown,
): ModuleReport {
  return {
    id: id ?? scriptPath,
    scriptPath,
    success: false,
    status,
    reason,
    error,
    exitCode: null,
    signal: null,
    stdout: '',
    stderr: '',
    pid: undefined,
    durationMs: 0,
  };
}

/** The error of a run that was ended early. */
interface EndedEarly {
  readonly end?: ModuleEnd | undefined;
}

/** What a report takes of an end. */
function endOf(end: ModuleEnd | undefined): Partial<ModuleReport> {
  if (end === undefined) return {};
  const { exitCode, signal, stdout, stderr, pid, durationMs } = end;
  return { exitCode, signal, stdout, stderr, pid, durationMs };
}

/** "Exited with code 3: No such table." */
function reasonOf({ exitCode, signal, stderr }: ModuleEnd): string {
  const how =
    exitCode === null ? `Ended by ${signal ?? 'an unknown signal'}` : `Exited with code ${exitCode}`;
  const said = lastWords(stderr).slice(0, QUOTED_CHARACTERS);
  return said === '' ? `${how}.` : `${how}: ${said}`;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
