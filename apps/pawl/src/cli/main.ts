import { hasCode } from '@pawl/core';
import { Command } from 'commander';
import { readConfig } from '../config.ts';
import { serve } from '../main.ts';
import { readVersion } from '../version.ts';
import { exitCodes } from './exit-codes.ts';
import { runScript } from './run.ts';

const program = new Command('pawl')
  .description('Runs work in supervised processes and makes sure that it ends.')
  .version(readVersion(), '--version', 'print the version')
  .helpOption('--help', 'print help')
  .showHelpAfterError('(run pawl --help for the commands)')
  .exitOverride();

program
  .command('serve')
  .description('start the HTTP service')
  .addHelpText(
    'after',
    '\nSettings are read from the environment: PAWL_PORT, PAWL_HOST, PAWL_LOG_LEVEL, PAWL_PYTHON,\nPAWL_MAX_CONCURRENT_RUNS.',
  )
  .action(async () => {
    await serve(readConfig(process.env));
  });

program
  .command('run')
  .description('run a script; its output is streamed and its exit code mirrored')
  .argument('<script>', 'a .py, .js, .mjs, .cjs or .sh file, or any executable')
  .argument('[args...]', 'arguments of the script, after --')
  .addHelpText('after', '\nExample:\n  pawl run report.py -- --month 5')
  .action(async (script: string, args: readonly string[]) => {
    process.exitCode = await runScript(script, args, readConfig(process.env).python);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}

/** Says what went wrong, once, and which exit code that is. */
function reportFailure(error: unknown): number {
  // Commander has printed its own errors; help and version are none.
  if (hasCode(error, 'commander.helpDisplayed', 'commander.version', 'commander.help')) return exitCodes.ok;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.'))
    return exitCodes.usage;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`pawl: ${message}\n`);
  if (hasCode(error, 'CONFIG_INVALID')) return exitCodes.config;
  return hasCode(error, 'EADDRINUSE', 'EACCES') ? exitCodes.unavailable : exitCodes.software;
}
