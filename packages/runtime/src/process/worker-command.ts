import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkBoolean, checkKnownKeys, checkOneOf, checkString, expectedMessage } from '@pawl/core';
import { findPython } from '../python/interpreter.ts';
import { checkStrings } from './launch-checks.ts';

/** Any program that speaks the worker protocol. */
export interface WorkerCommand {
  /** A program name or path. Never passed through a shell. */
  readonly command: string;
  /** @default [] */
  readonly args?: readonly string[];
  /** Where it writes its frames. Programs made with our SDKs can do both. @default 'stdout' */
  readonly channel?: WorkerChannel;
  /** Gives it file descriptor 4 for `ping`, `withdraw` and `stack`, if it announces the feature `control`. @default false */
  readonly control?: boolean;
}

/** The worker writes its frames to file descriptor 3, which no print can touch, or to its stdout. */
export type WorkerChannel = 'fd3' | 'stdout';

/** What to start for one worker. */
export interface ResolvedWorkerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly channel: WorkerChannel;
  readonly control: boolean;
}

export interface WorkerCommandOptions {
  /** Arguments for Node itself, before the entry file. Only for JavaScript workers. */
  readonly execArgv: readonly string[];
  /** The Python to use for `.py` workers: a name or path. */
  readonly python: string;
}

/** Runs a worker file: the same file from the sources and from the build, so that tests start what users start. */
const NODE_ENTRY = fileURLToPath(new URL('../../dist/worker/entry.js', import.meta.url));
const PYTHON_SDK_FOLDER = fileURLToPath(new URL('../../src/python/', import.meta.url));
/** Imports the SDK, which Python compiles once for all starts, where running it would compile it at each. */
const PYTHON_START =
  'import sys; sys.path.insert(0, sys.argv[1]); import pawl_worker; ' +
  'sys.dont_write_bytecode = True; pawl_worker.main(sys.argv[2:])';

/**
 * Checks a pool's `worker` and gives a function that says what to start for it.
 * @throws TypeError for anything that is neither a file URL of a known kind nor a command
 */
export function resolveWorkerCommand(
  worker: unknown,
  options: WorkerCommandOptions,
): () => Promise<ResolvedWorkerCommand> {
  if (worker instanceof URL) return fileCommand(worker, options);
  if (typeof worker !== 'object' || worker === null) {
    throw new TypeError(expectedMessage('worker', 'a file URL or a command', worker));
  }
  checkKnownKeys('worker', worker, ['command', 'args', 'channel', 'control']);
  const { command, args = [], channel = 'stdout', control = false } = worker as WorkerCommand;
  checkString('worker.command', command);
  checkOneOf('worker.channel', channel, ['fd3', 'stdout']);
  checkStrings('worker.args', args);
  checkBoolean('worker.control', control);
  const resolved: ResolvedWorkerCommand = { command, args, env: {}, channel, control };
  return () => Promise.resolve(resolved);
}

function fileCommand(
  url: URL,
  { execArgv, python }: WorkerCommandOptions,
): () => Promise<ResolvedWorkerCommand> {
  if (url.protocol !== 'file:') throw new TypeError(expectedMessage('worker', 'a file: URL', url.href));
  const file = fileURLToPath(url);
  switch (extname(file)) {
    case '.js':
    case '.mjs':
    case '.cjs':
    case '.ts':
    case '.mts': {
      const resolved: ResolvedWorkerCommand = {
        command: process.execPath,
        args: [...execArgv, NODE_ENTRY],
        env: { PAWL_WORKER_FILE: file },
        channel: 'fd3',
        control: true,
      };
      return () => Promise.resolve(resolved);
    }
    case '.py':
      return onceFound(async () => ({
        command: (await findPython(python)).path,
        args: ['-u', '-c', PYTHON_START, PYTHON_SDK_FOLDER, '--tasks', file],
        env: { PYTHONIOENCODING: 'utf-8' },
        channel: 'fd3',
        // Its side thread reads stdin itself.
        control: false,
      }));
    default:
      throw new TypeError(expectedMessage('worker', 'a .js, .mjs, .cjs, .ts, .mts or .py file', url.href));
  }
}

/** Looks once for all workers, and again when that failed or the program has gone since. */
function onceFound(find: () => Promise<ResolvedWorkerCommand>): () => Promise<ResolvedWorkerCommand> {
  let found: Promise<ResolvedWorkerCommand> | undefined;
  return async () => {
    const current = found;
    const known = await current?.catch(() => undefined);
    if (known !== undefined && existsSync(known.command)) return known;
    if (found === current) found = find();
    return found ?? find();
  };
}
