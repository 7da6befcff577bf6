import { basename, extname } from 'node:path';
import { checkDurationMs, checkFunction, checkKnownKeys, checkString, linkAbort } from '@pawl/core';
import { type Random, systemRandom } from '@pawl/core';
import type { OutputLog } from '../output/output-log.ts';
import { createOutputLog, type OutputLogWriter } from '../output/output-log-writer.ts';
import type { OutputLogs } from '../output/output-logs.ts';
import { createRunId } from '../tracking/run-id.ts';
import { ModuleCancelledError, ModuleTimeoutError } from './module-errors.ts';
import { checkArgs, checkScriptPath, type ModuleOptions, resolveModuleOptions } from './module-options.ts';
import { startScript } from './module-start.ts';
import { type ModuleExit, superviseModule } from './supervised-module.ts';

export interface StartModuleOptions extends ModuleOptions {
  /** @default `run_YYYYMMDD_HHMMSS_<script>_<8 hex>`, the time in UTC */
  readonly runId?: string | undefined;
  /** Where its output log becomes a file. @default none: the latest 10,000 entries are kept in memory */
  readonly logs?: OutputLogs | undefined;
  /** For run ids. @default systemRandom */
  readonly random?: Random | undefined;
}

export interface CancelModuleOptions {
  /** Between the request to end and SIGKILL, in milliseconds. @default the `graceMs` it was started with */
  readonly graceMs?: number;
  /** Becomes the `cause` of the error that `result` rejects with. */
  readonly reason?: unknown;
}

/** A script that runs. */
export interface RunningModule {
  readonly runId: string;
  /** What it prints, while it does and after. */
  readonly output: OutputLog;
  /**
   * Resolves however the script ended: look at `exitCode`. Rejects as `runModule` does; nobody has to listen.
   */
  readonly result: Promise<ModuleExit>;
  /** Ends it with all it had started. Resolves when nothing of it is left; at once when it has ended. */
  cancel(options?: CancelModuleOptions): Promise<void>;
}

/**
 * Starts a script and answers at once. What goes wrong with its start is told by `result`, and its log is complete.
 * @throws TypeError, RangeError for wrong options
 */
export function startModule(
  scriptPath: string | URL,
  args: readonly string[] = [],
  options: StartModuleOptions = {},
): RunningModule {
  const resolved = resolveModuleOptions('startModule', options, ['runId', 'logs', 'random']);
  const { clock, timeoutMs } = resolved;
  const script = checkScriptPath(scriptPath);
  checkArgs(args);
  const random = checkFunction('random', options.random ?? systemRandom);
  const runId =
    options.runId === undefined
      ? createRunId(taskOf(script), { clock, random })
      : checkString('runId', options.runId);
  const output: OutputLogWriter = options.logs?.create(runId) ?? createOutputLog({ id: runId, clock });
  const abort = linkAbort(resolved.signal);
  let { graceMs } = resolved;

  async function run(): Promise<ModuleExit> {
    try {
      const { exit, stopped } = await superviseModule({
        start: () => startScript(script, args, resolved),
        onOutput: (stream, chunk) => output.write(stream, chunk),
        signal: abort.signal,
        timeoutMs,
        graceMs: () => graceMs,
        clock,
      });
      if (stopped?.kind === 'cancelled') throw new ModuleCancelledError(String(script), stopped.reason, exit);
      if (stopped?.kind === 'timed-out') throw new ModuleTimeoutError(String(script), timeoutMs, exit);
      return exit as ModuleExit;
    } finally {
      abort[Symbol.dispose]();
      await output.end();
    }
  }

  const result = run();
  // Whoever reads the output alone learns of the end there.
  result.catch(() => undefined);
  return {
    runId,
    output,
    result,
    async cancel(how = {}) {
      checkKnownKeys('cancel', how, ['graceMs', 'reason']);
      graceMs = checkDurationMs('graceMs', how.graceMs ?? graceMs, { infinite: true });
      abort.abort(how.reason ?? new Error('cancel() was called.'));
      await result.catch(() => undefined);
    },
  };
}

/** The name of a script in run ids. */
function taskOf(script: string | URL): string {
  const path = script instanceof URL ? script.pathname : script;
  return basename(path, extname(path));
}
