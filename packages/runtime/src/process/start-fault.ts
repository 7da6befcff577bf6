import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { ProcessStartError, type StartFault } from './process-errors.ts';
import type { SpawnPlan } from './spawner.ts';

/** Says of a failed start what is wrong: the system says `ENOENT` and `EACCES` of program, interpreter and folder alike. */
export function startError(error: unknown, plan: SpawnPlan): ProcessStartError {
  const code = String((error as NodeJS.ErrnoException).code);
  const { command, cwd } = plan;
  const fail = (fault: StartFault, interpreter?: string): ProcessStartError =>
    new ProcessStartError(fault, command, cwd, error, interpreter);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EACCES':
    case 'EPERM': {
      if (cwd !== undefined && !isFolder(cwd)) return fail('bad-cwd');
      const program = programOf(plan);
      const interpreter = program === undefined ? undefined : interpreterOf(program);
      if (code === 'ENOENT' && program !== undefined) return fail('bad-interpreter', interpreter);
      if (code === 'EACCES' && interpreter !== undefined && isExecutable(program)) {
        return fail('bad-interpreter', interpreter);
      }
      return fail(code === 'EACCES' || code === 'EPERM' ? 'not-permitted' : 'not-found');
    }
    // Linux says ELOOP of a script whose interpreter is a script, and so on too deep.
    case 'ELOOP':
    case 'ENOEXEC':
      return fail('bad-interpreter');
    case 'EAGAIN':
    case 'ENOMEM':
    case 'EMFILE':
    case 'ENFILE':
      return fail('no-resources');
    default:
      return fail('other');
  }
}

/** The file that was to be executed, if there is one: as named, or the first of that name in the child's `PATH`. */
function programOf({ command, cwd, env }: SpawnPlan): string | undefined {
  // Windows goes by the ending of the name, and knows no first lines.
  if (process.platform === 'win32') return undefined;
  const from = cwd ?? '.';
  const candidates = command.includes('/')
    ? [resolve(from, command)]
    : (env['PATH'] ?? '').split(delimiter).map((folder) => resolve(from, folder, command));
  return candidates.find(isFile);
}

/** Longest first line that Linux reads. */
const FIRST_LINE_BYTES = 256;

/** The program that the first line of a script names. */
function interpreterOf(file: string): string | undefined {
  const start = Buffer.alloc(FIRST_LINE_BYTES);
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    readSync(descriptor, start);
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
  // A script with Windows line ends names an interpreter with a carriage return at its end.
  return /^#![ \t]*([^ \t\n\0]+)/.exec(start.toString('latin1'))?.[1]?.replaceAll('\r', '\\r');
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string | undefined): boolean {
  return path !== undefined && ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0;
}
