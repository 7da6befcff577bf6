import { checkFunction, checkInteger } from '@pawl/core';
import { type BoundedOutput, createBoundedOutput } from '../output/bounded-output.ts';
import { createLineBatches, type LineBatches } from '../output/line-batches.ts';
import type { OutputStream } from '../output/output-entry.ts';
import { ModuleCancelledError, ModuleTimeoutError } from './module-errors.ts';
import { checkArgs, checkScriptPath, type ModuleOptions, resolveModuleOptions } from './module-options.ts';
import { startScript } from './module-start.ts';
import { type ModuleExit, superviseModule } from './supervised-module.ts';

export interface RunModuleOptions extends ModuleOptions {
  /**
   * Gets each line when it is printed, without its line end; one of more than 64 KiB in pieces. What it throws ends
   * the module and is thrown.
   */
  readonly onLine?: ((line: string, stream: OutputStream) => void) | undefined;
  /** What is kept of each stream, in bytes: of more, the first and the last half. @default 4_194_304, 4 MiB */
  readonly maxOutputBytes?: number | undefined;
}

/** How a module ended, and what it printed. One of `exitCode` and `signal` is set. */
export interface ModuleResult extends ModuleExit {
  /** Invalid UTF-8 replaced. A line of its own tells how much was left out of it. */
  readonly stdout: string;
  readonly stderr: string;
  /** What is not in `stdout` and `stderr`, in bytes. */
  readonly omittedBytes: Readonly<Record<OutputStream, number>>;
}

const DEFAULT_MAX_OUTPUT_BYTES = 4_194_304;

/**
 * Runs a script to its end and gives all it printed. It resolves however the script ended: look at `exitCode`. Nothing
 * of it is left then, whatever it had started.
 * @throws ScriptNotFoundError, ScriptNotExecutableError, InterpreterNotFoundError, ProcessStartError; ModuleTimeoutError,
 * ModuleCancelledError; TypeError, RangeError for wrong options
 */
export async function runModule(
  scriptPath: string | URL,
  args: readonly string[] = [],
  options: RunModuleOptions = {},
): Promise<ModuleResult> {
  const resolved = resolveModuleOptions('runModule', options, ['onLine', 'maxOutputBytes']);
  const { signal, timeoutMs, graceMs, clock } = resolved;
  const script = checkScriptPath(scriptPath);
  checkArgs(args);
  const { onLine } = options;
  if (onLine !== undefined) checkFunction('onLine', onLine);
  const maxBytes = checkInteger('maxOutputBytes', options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES, {
    min: 1,
  });
  const kept = { stdout: createBoundedOutput(maxBytes), stderr: createBoundedOutput(maxBytes) };
  const lines =
    onLine === undefined
      ? undefined
      : { stdout: linesFor('stdout', onLine), stderr: linesFor('stderr', onLine) };

  const { exit, stopped } = await superviseModule({
    start: () => startScript(script, args, resolved),
    onOutput(stream, chunk) {
      kept[stream].push(chunk);
      lines?.[stream].push(chunk);
      return undefined;
    },
    signal,
    timeoutMs,
    graceMs: () => graceMs,
    clock,
  });
  const result = exit === undefined ? undefined : resultOf(exit, kept);
  if (stopped?.kind === 'cancelled') throw new ModuleCancelledError(String(script), stopped.reason, result);
  if (stopped?.kind === 'timed-out') throw new ModuleTimeoutError(String(script), timeoutMs, result);
  if (stopped !== undefined) throw stopped.error;
  lines?.stdout.end();
  lines?.stderr.end();
  return result as ModuleResult;
}

function linesFor(stream: OutputStream, onLine: (line: string, stream: OutputStream) => void): LineBatches {
  return createLineBatches((batch, endsLine) => {
    for (const line of batch.toString('utf8').split('\n')) {
      onLine(endsLine && line.endsWith('\r') ? line.slice(0, -1) : line, stream);
    }
  });
}

function resultOf(exit: ModuleExit, kept: Readonly<Record<OutputStream, BoundedOutput>>): ModuleResult {
  return {
    ...exit,
    stdout: kept.stdout.text(),
    stderr: kept.stderr.text(),
    omittedBytes: { stdout: kept.stdout.omittedBytes, stderr: kept.stderr.omittedBytes },
  };
}
