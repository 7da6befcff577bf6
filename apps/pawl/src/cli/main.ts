import { hasCode } from '@pawl/core';
import { Command } from 'commander';
import { readConfig, SETTINGS } from '../config.ts';
import { readVersion } from '../version.ts';
import type { ExecOptions } from './exec.ts';
import { exitCodes } from './exit-codes.ts';

const program = new Command('pawl')
  .description('Runs work in supervised processes and makes sure that it ends.')
  .version(readVersion(), '--version', 'print the version')
  .helpOption('--help', 'print help')
  .showHelpAfterError('(run pawl --help for the commands)')
  .exitOverride();

program
  .command('serve')
  .description('start the HTTP service')
  .addHelpText('after', `\nSettings are read from the environment: ${SETTINGS.join(', ')}.`)
  .action(async () => {
    // Loaded only here: a script should not wait for an HTTP server it does not need.
    const { serve } = await import('../main.ts');
    await serve(readConfig(process.env));
  });

program
  .command('run')
  .description('run a script; its output is streamed and its exit code mirrored')
  .argument('<script>', 'a .py, .js, .mjs, .cjs or .sh file, or any executable')
  .argument('[args...]', 'arguments of the script, after --')
  .addHelpText('after', '\nExample:\n  pawl run report.py -- --month 5')
  .action(async (script: string, args: readonly string[]) => {
    // A wrong setting of the service is no reason to refuse a script.
    const { runScript } = await import('./run.ts');
    const { python } = readConfig({ PAWL_PYTHON: process.env['PAWL_PYTHON'] });
    process.exitCode = await runScript(script, args, python);
  });

program
  .command('exec')
  .description('run a Python program in the sandbox, and its tests; the exit code mirrors the outcome')
  .argument('[file]', 'the program; without it, or with -, it is read from stdin')
  .option('--tests <file>', 'a test script')
  .option('--exercise <id>', 'the exercise whose tests are run')
  .option('--stdin <file>', 'what input() reads')
  .option('--json', 'print the whole result')
  .action(async (file: string | undefined, options: ExecOptions) => {
    const { execProgram } = await import('./exec.ts');
    process.exitCode = await execProgram(file, options, readConfig(process.env));
  });

program
  .command('doctor')
  .description('show what is here and what to install: node, python, and each sandbox')
  .option('--json', 'print it for programs')
  .action(async ({ json = false }: { readonly json?: boolean }) => {
    const { runDoctor } = await import('./doctor.ts');
    process.exitCode = await runDoctor(readConfig(process.env), { json });
  });

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error);
}

/** Says what went wrong, once, and which exit code that is. */
function reportFailure(error: unknown): number {
  // Commander has printed its own errors; help and version that were asked for are none.
  if (hasCode(error, 'commander.helpDisplayed', 'commander.version')) return exitCodes.ok;
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('commander.'))
    return exitCodes.usage;
  process.stderr.write(`pawl: ${sayFailure(error)}\n`);
  if (hasCode(error, 'CONFIG_INVALID')) return exitCodes.config;
  return hasCode(error, 'EADDRINUSE', 'EACCES') ? exitCodes.unavailable : exitCodes.software;
}

function sayFailure(error: unknown): string {
  if (hasCode(error, 'EADDRINUSE')) {
    const { port } = error as { readonly port?: number };
    return `port ${port} is taken: end what listens there, or choose another with PAWL_PORT`;
  }
  if (hasCode(error, 'CONFIG_INVALID')) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
