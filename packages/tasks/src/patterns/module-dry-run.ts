import { Readable } from 'node:stream';
import type { ModulePlan, StartedModule } from './started-module.ts';

/** Runs nothing: logs the command and prints it as its one line. */
export function startDryRun({ command, args, cwd, logger }: ModulePlan): StartedModule {
  const line = [command.command, ...command.args, ...args].map(quote).join(' ');
  logger.info({ command: command.command, args: [...command.args, ...args], cwd }, `Dry run: ${line}`);
  return {
    pid: -1,
    stdout: Readable.from([Buffer.from(`dry-run: ${line}\n`)]),
    stderr: null,
    endsItsOutput: true,
    exited: Promise.resolve({ exitCode: 0, signal: null }),
    released: Promise.resolve(),
    terminate: () => Promise.resolve(),
  };
}

/** As a shell would read it. */
function quote(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
