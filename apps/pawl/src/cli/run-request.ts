import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { hasCode } from '@pawl/core';
import { type Command, InvalidArgumentError } from 'commander';
import type { RunRequest } from '../api/run-schemas.ts';
import type { Client } from './client.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { readParameters } from './module-parameters.ts';
import { parseCount, parseDuration } from './quantities.ts';

/** What of a run request is given on the command line. */
export interface RunRequestOptions {
  readonly command?: boolean;
  readonly module?: string;
  readonly python?: boolean;
  readonly set?: Readonly<Record<string, string>>;
  readonly tests?: string;
  readonly exercise?: string;
  readonly stdin?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly interpreter?: string;
  readonly priority?: number;
  readonly key?: string;
  readonly idempotencyKey?: string;
  readonly delay?: number;
  readonly deadline?: number;
  readonly timeout?: number;
  readonly maxAttempts?: number;
}

const PRIORITIES: Readonly<Record<string, number>> = { low: 1, normal: 2, high: 3, urgent: 4 };

/** Adds the options that say what to run, and how. */
export function runRequestOptions(command: Command): Command {
  return command
    .option('--command', 'what is named is a program that is looked up in PATH')
    .option('--python', 'what is named is a Python program for the sandbox; - is stdin')
    .option('--module <id>', 'run a module of the service')
    .option('--set <name=value>', 'a parameter of the module; may be repeated', collectPairs)
    .option('--tests <file>', 'with --python: a test script')
    .option('--exercise <id>', 'with --python: the exercise whose tests are run')
    .option('--stdin <file>', 'with --python: what input() reads')
    .option('--cwd <folder>', 'the working folder; by default this one')
    .option('--env <name=value>', 'a variable of the environment; may be repeated', collectPairs)
    .option('--interpreter <program>', 'what runs the script; by default as its name says')
    .option('--priority <priority>', 'low, normal, high, urgent or a number', parsePriority)
    .option('--key <key>', 'runs with the same key run one after another')
    .option('--idempotency-key <key>', 'a second request with the same key is the same run')
    .option('--delay <duration>', 'start no sooner, such as 30s or 5m', parseDuration)
    .option('--deadline <duration>', 'give up when it has not ended by then', parseDuration)
    .option('--timeout <duration>', 'how long an attempt may take', parseDuration)
    .option('--max-attempts <count>', 'how often it may be tried', parseCount(1));
}

/**
 * The request that the operands and options make. Paths are those of this folder, whatever that of the service.
 * @param operands a script, program or nothing, and its arguments
 */
export async function readRunRequest(
  client: Client,
  operands: readonly string[],
  options: RunRequestOptions,
): Promise<RunRequest> {
  return { ...(await readWork(client, operands, options)), ...readTiming(options) };
}

async function readWork(
  client: Client,
  [name, ...args]: readonly string[],
  options: RunRequestOptions,
): Promise<Pick<RunRequest, 'command' | 'module' | 'python' | 'script'>> {
  const { module, command = false, python = false, set } = options;
  if ([module !== undefined, command, python].filter(Boolean).length > 1) {
    throw new CommandError(exitCodes.usage, 'give one of --command, --module and --python');
  }
  if (module !== undefined) {
    if (name !== undefined) throw new CommandError(exitCodes.usage, `a module takes --set, not \`${name}\``);
    return { module: { id: module, parameters: await readParameters(client, module, set ?? {}) } };
  }
  if (set !== undefined) throw new CommandError(exitCodes.usage, '--set is for --module');
  if (name === undefined) {
    throw new CommandError(exitCodes.usage, 'name a script, or use --command, --module or --python');
  }
  if (python) return { python: await readProgram(name, options) };
  const place = {
    args,
    cwd: resolve(options.cwd ?? '.'),
    ...(options.env === undefined ? {} : { env: options.env }),
  };
  if (command) return { command: { file: name, ...place } };
  return {
    script: {
      path: resolve(name),
      ...place,
      ...(options.interpreter === undefined ? {} : { interpreter: options.interpreter }),
    },
  };
}

/** A Python program from a file or stdin, with its tests and its input. */
export async function readProgram(
  file: string,
  { tests, exercise, stdin }: Pick<RunRequestOptions, 'tests' | 'exercise' | 'stdin'>,
): Promise<{ code: string; testCode?: string; exerciseId?: string; stdin?: string }> {
  try {
    return {
      code: await (file === '-' ? text(process.stdin) : readFile(file, 'utf8')),
      ...(tests === undefined ? {} : { testCode: await readFile(tests, 'utf8') }),
      ...(exercise === undefined ? {} : { exerciseId: exercise }),
      ...(stdin === undefined ? {} : { stdin: await readFile(stdin, 'utf8') }),
    };
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EISDIR', 'EACCES')) throw error;
    throw new CommandError(exitCodes.noInput, error.message, { cause: error });
  }
}

function readTiming(
  options: RunRequestOptions,
): Omit<RunRequest, 'command' | 'module' | 'python' | 'script'> {
  const { priority, key, idempotencyKey, delay, deadline, timeout, maxAttempts } = options;
  return {
    ...(priority === undefined ? {} : { priority }),
    ...(key === undefined ? {} : { key }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(deadline === undefined ? {} : { deadlineMs: deadline }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
  };
}

/** Collects `name=value` of an option that may be repeated. */
export function collectPairs(
  typed: string,
  previous: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const split = typed.indexOf('=');
  if (split < 1) throw new InvalidArgumentError('Expected name=value.');
  return { ...previous, [typed.slice(0, split)]: typed.slice(split + 1) };
}

function parsePriority(typed: string): number {
  const priority = PRIORITIES[typed] ?? Number(typed);
  if (typed.trim() === '' || !Number.isFinite(priority)) {
    throw new InvalidArgumentError(`Expected one of ${Object.keys(PRIORITIES).join(', ')}, or a number.`);
  }
  return priority;
}
