import { once } from 'node:events';
import { statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { hasCode } from '@pawl/core';
import { createProcessManager, findPython, type ProcessHandle, ProcessStartError } from '@pawl/runtime';
import type { Command } from 'commander';
import { CommandError } from '../command-error.ts';
import { exitCodes, mirrorExit } from '../exit-codes.ts';
import { printJsonLine } from '../output.ts';
import { withExamples } from '../service-command.ts';

interface RunOptions {
  readonly json?: boolean;
}

/** How long a script may clean up after Ctrl-C before it is killed, in milliseconds. */
const INTERRUPT_GRACE_MS = 5_000;
/** One Ctrl-C arrives twice where npx forwards what the terminal sends to both: so soon it is no second one. */
const ECHO_MS = 200;

export function define(command: Command): void {
  command
    .argument('<script>', 'a .py, .js, .mjs, .cjs or .sh file, or any executable')
    .argument('[args...]', 'arguments of the script, after --')
    .option('--json', 'print one line for each line of its output, and one for its end');
  withExamples(
    command,
    'pawl run report.py -- --month 5',
    'pawl run --json report.py | jq -r \'select(.stream == "stderr").text\'',
  ).action(async (script: string, args: readonly string[], { json = false }: RunOptions) => {
    // Nothing else of the settings: a wrong one of the service is no reason to refuse a script.
    const { PAWL_PYTHON = '' } = process.env;
    process.exitCode = await runScript(script, args, {
      python: PAWL_PYTHON === '' ? undefined : PAWL_PYTHON,
      json,
    });
  });
}

interface RunScriptOptions {
  readonly python: string | undefined;
  readonly json: boolean;
}

/**
 * Runs a script as a child with this terminal's streams, or with its output as JSON lines, and mirrors its exit code.
 * Ctrl-C and SIGTERM go to everything it started; the second one kills.
 */
async function runScript(
  script: string,
  args: readonly string[],
  { python, json }: RunScriptOptions,
): Promise<number> {
  const file = resolve(script);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() !== true) {
    const why = found === undefined ? `there is no script ${script}` : `${script} is not a file`;
    throw new CommandError(exitCodes.noInput, why);
  }
  try {
    const { command, before } = await interpreterOf(file, python);
    return await runToEnd(command, [...before, ...args], json);
  } catch (error) {
    if (hasCode(error, 'PYTHON_NOT_FOUND')) throw new CommandError(exitCodes.unavailable, error.message);
    if (!(error instanceof ProcessStartError)) throw error;
    const code = error.fault === 'not-permitted' ? exitCodes.notExecutable : exitCodes.unavailable;
    throw new CommandError(code, error.message);
  }
}

async function runToEnd(command: string, args: readonly string[], json: boolean): Promise<number> {
  const manager = createProcessManager();
  const child = await manager.spawn({
    command,
    args,
    // The user's own script, in the user's own environment.
    inheritEnv: Object.keys(process.env),
    // Lines appear as they are printed, not when a buffer is full.
    env: { PYTHONUNBUFFERED: '1' },
    stdin: 'inherit',
    stdout: json ? 'pipe' : 'inherit',
    stderr: json ? 'pipe' : 'inherit',
  });
  const printed = json ? printEvents(child) : undefined;
  let interruptedAt = -Infinity;
  const interrupt = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - interruptedAt < ECHO_MS) return;
    void child.terminate({ signal, graceMs: interruptedAt === -Infinity ? INTERRUPT_GRACE_MS : 0 });
    interruptedAt = now;
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const { exitCode, signal } = await child.exited;
    await printed;
    return mirrorExit(exitCode, signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    await manager.stop({ graceMs: 0 });
  }
}

/** Prints what `pawl logs --follow --json` would: an entry for each line, and that it is complete. */
async function printEvents(child: ProcessHandle): Promise<void> {
  const startedAt = performance.now();
  const entries = Promise.all([printEntries(child, 'stdout'), printEntries(child, 'stderr')]);
  const { exitCode, signal } = await child.exited;
  const durationMs = Math.round(performance.now() - startedAt);
  const { survivors } = await child.released;
  // They may hold the pipes for ever.
  if (survivors.length > 0) for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  await entries;
  printJsonLine({ event: 'complete', exitCode, signal, durationMs });
}

async function printEntries(child: ProcessHandle, stream: 'stdout' | 'stderr'): Promise<void> {
  const input = child[stream];
  if (input === null) return;
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    printJsonLine({ event: 'entry', at: new Date().toISOString(), stream, text });
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }
}

/** What runs a file of this kind; a file of another kind has to be executable itself. */
async function interpreterOf(
  file: string,
  python: string | undefined,
): Promise<{ readonly command: string; readonly before: readonly string[] }> {
  switch (extname(file)) {
    case '.py':
      return { command: (await findPython(python)).path, before: [file] };
    case '.js':
    case '.mjs':
    case '.cjs':
      return { command: process.execPath, before: [file] };
    case '.sh':
      return { command: 'sh', before: [file] };
    default:
      return { command: file, before: [] };
  }
}
