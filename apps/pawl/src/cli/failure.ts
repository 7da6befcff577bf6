import { hasCode } from '@pawl/core';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/** Says on stderr what went wrong, once. @returns the exit code */
export function reportFailure(error: unknown): number {
  // Commander has printed its own errors; help and version that were asked for are none.
  if (hasCode(error, 'commander.helpDisplayed', 'commander.version')) return exitCodes.ok;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.'))
    return exitCodes.usage;
  const { line, exitCode } = explain(error);
  process.stderr.write(`pawl: ${line}\n`);
  return exitCode;
}

function explain(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof CommandError) return { line: error.message, exitCode: error.exitCode };
  if (hasCode(error, 'CONFIG_INVALID')) return { line: error.message, exitCode: exitCodes.config };
  if (hasCode(error, 'STORE_LOCKED')) return { line: error.message, exitCode: exitCodes.unavailable };
  if (hasCode(error, 'EADDRINUSE')) {
    const { port } = error as { readonly port?: number };
    const line = `port ${port} is taken: end what listens there, or choose another with PAWL_PORT`;
    return { line, exitCode: exitCodes.unavailable };
  }
  const line = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { line, exitCode: hasCode(error, 'EACCES') ? exitCodes.unavailable : exitCodes.software };
}
