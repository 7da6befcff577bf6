import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCode } from '@pawl/core';
import { findPython, ProcessStartError } from '@pawl/runtime';
import { InterpreterNotFoundError, ScriptNotExecutableError, ScriptNotFoundError } from './module-errors.ts';

/** What to start for a script. */
export interface ModuleCommand {
  /** Absolute. */
  readonly scriptPath: string;
  readonly command: string;
  /** Before those of the caller. */
  readonly args: readonly string[];
  /** Whether it is JavaScript that this Node can run. */
  readonly isNode: boolean;
  readonly isPython: boolean;
}

const NODE_EXTENSIONS = new Set(['.js', '.mjs', '.cjs']);
const SHELL_EXTENSIONS: ReadonlyMap<string, string> = new Map([
  ['.sh', 'sh'],
  ['.bash', 'bash'],
]);
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^python/, 'Install Python 3.8 or later (https://www.python.org, or `python3` of the package manager)'],
  [/^node/, 'Install Node (https://nodejs.org)'],
  [/^(?:ba)?sh/, 'Install a POSIX shell (on Windows it comes with Git)'],
];

/**
 * Looks at the script and says how to run it: with the interpreter that is given, else the one of its extension, else
 * by itself when it may be executed, else with the one its first line names.
 * @throws ScriptNotFoundError, ScriptNotExecutableError, InterpreterNotFoundError
 */
export async function resolveModuleCommand(
  script: string | URL,
  interpreter?: string,
): Promise<ModuleCommand> {
  const scriptPath = resolve(script instanceof URL ? fileURLToPath(script) : script);
  const mayExecute = checkScript(scriptPath);
  const extension = extname(scriptPath).toLowerCase();
  const isPython =
    interpreter === undefined ? extension === '.py' : basename(interpreter).startsWith('python');
  const isNode = interpreter === undefined && NODE_EXTENSIONS.has(extension);
  const plan = (command: string, ...args: readonly string[]): ModuleCommand => ({
    scriptPath,
    command,
    args: [...args, scriptPath],
    isNode,
    isPython,
  });
  if (interpreter === undefined && mayExecuteItself(extension) && mayExecute) {
    return { scriptPath, command: scriptPath, args: [], isNode, isPython };
  }
  checkReadable(scriptPath);
  if (interpreter !== undefined) return plan(interpreter);
  if (isNode) return plan(process.execPath);
  if (isPython) return plan(await pythonFor(scriptPath));
  const shell = SHELL_EXTENSIONS.get(extension);
  if (shell !== undefined) return plan(shell);
  const [program, ...programArgs] = firstLineCommand(scriptPath);
  if (program !== undefined) return plan(program, ...programArgs);
  throw new ScriptNotExecutableError(
    scriptPath,
    'it may not be executed, and neither its extension nor its first line names an interpreter',
  );
}

/** Its extension names no interpreter. */
function mayExecuteItself(extension: string): boolean {
  return extension !== '.py' && !NODE_EXTENSIONS.has(extension) && !SHELL_EXTENSIONS.has(extension);
}

/** What a failed start of the command means for the script. */
export function moduleStartError(error: unknown, { scriptPath, command }: ModuleCommand): unknown {
  if (!(error instanceof ProcessStartError)) return error;
  const { fault } = error;
  if (fault === 'not-found') return missingInterpreter(scriptPath, command, error);
  if (fault === 'bad-interpreter') return missingInterpreter(scriptPath, error.value, error);
  if (fault === 'not-permitted') {
    return new ScriptNotExecutableError(scriptPath, `\`${command}\` may not be executed`, { cause: error });
  }
  return error;
}

function missingInterpreter(
  scriptPath: string,
  interpreter: string,
  cause: unknown,
): InterpreterNotFoundError {
  const name = basename(interpreter);
  const how =
    HINTS.find(([program]) => program.test(name))?.[1] ?? `Install \`${name}\` and put it in \`PATH\``;
  return new InterpreterNotFoundError(
    scriptPath,
    interpreter,
    `${how}, or name another one with \`interpreter\`.`,
    cause,
  );
}

// What is asked of the file is asked at once: the start that follows stops this process a hundred times as long.

/** @returns whether somebody may execute it; if that is not this user, the start says so */
function checkScript(scriptPath: string): boolean {
  let stats: Stats | undefined;
  try {
    stats = statSync(scriptPath, { throwIfNoEntry: false });
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM')) throw notReadable(scriptPath, error);
  }
  if (stats === undefined) throw new ScriptNotFoundError(scriptPath);
  if (!stats.isFile()) throw new ScriptNotFoundError(scriptPath, 'it is no file');
  // Windows has no such bits.
  return process.platform === 'win32' || (stats.mode & 0o111) !== 0;
}

/** What an interpreter would say in its own words. */
function checkReadable(scriptPath: string): void {
  try {
    accessSync(scriptPath, constants.R_OK);
  } catch (error) {
    throw notReadable(scriptPath, error);
  }
}

function notReadable(scriptPath: string, cause: unknown): ScriptNotExecutableError {
  return new ScriptNotExecutableError(scriptPath, 'this user may not read it', { cause });
}

// To ask a Python where it is costs as much as starting it, and its answer is the same as long as this process lives.
// The only state that calls share.
let python: Promise<string> | undefined;

async function pythonFor(scriptPath: string): Promise<string> {
  python ??= findPython().then(({ path }) => path);
  try {
    return await python;
  } catch (error) {
    // It may be installed by the next time.
    python = undefined;
    throw hasCode(error, 'PYTHON_NOT_FOUND') ? missingInterpreter(scriptPath, 'python3', error) : error;
  }
}

/** Longest first line that Linux reads. */
const FIRST_LINE_BYTES = 256;

/** What `#!` names: Linux hands over all behind the program as one argument, `env -S` takes that apart again. */
function firstLineCommand(scriptPath: string): readonly string[] {
  const start = Buffer.alloc(FIRST_LINE_BYTES);
  const descriptor = openSync(scriptPath, 'r');
  let bytesRead: number;
  try {
    bytesRead = readSync(descriptor, start);
  } finally {
    closeSync(descriptor);
  }
  const line = start.toString('utf8', 0, bytesRead).split('\n', 1)[0] ?? '';
  const [, program, rest] = /^#![ \t]*(\S+)(?:[ \t]+(.*\S))?/.exec(line) ?? [];
  if (program === undefined) return [];
  return rest === undefined ? [program] : [program, rest];
}
