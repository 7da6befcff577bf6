import type { Readable } from 'node:stream';
import { checkInteger, type Clock, PawlError, sleep, systemClock } from '@pawl/core';
import type { ProcessConfig } from '@pawl/runtime';
import { lastWords } from '../output/last-words.ts';
import type { RunContext } from './task-definition.ts';

/** What a process said last, for its run. */
export interface ProcessTaskResult {
  readonly exitCode: number;
  /** The end of what it printed, at most `keepBytes` of each stream. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessTaskOptions {
  /** How much of the end of each stream is kept with the run, in bytes. @default 16_384 */
  readonly keepBytes?: number;
  /** Gets all that it prints, in pieces as they come. A promise asks for no more of that stream until it resolves. */
  readonly onOutput?: (
    stream: 'stdout' | 'stderr',
    chunk: Buffer,
    context: RunContext,
  ) => Promise<void> | void;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** How long the pipes of an ended process are read: one that left its group may hold them open for ever. */
const PIPE_DRAIN_MS = 250;

/** A process of a run ended with an exit code other than 0, or by a signal. */
export class ProcessExitError extends PawlError {
  declare readonly code: 'PROCESS_EXIT';
  readonly command: string;
  readonly pid: number;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its standard error. */
  readonly stderr: string;

  constructor(
    command: string,
    pid: number,
    exit: { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null },
    stderr: string,
  ) {
    const how = exit.signal === null ? `exited with code ${exit.exitCode}` : `was ended by ${exit.signal}`;
    const said = lastWords(stderr).slice(0, 500);
    super(`\`${command}\` (pid ${pid}) ${how}${said === '' ? '' : `: ${said}`}.`, {
      code: 'PROCESS_EXIT',
    });
    this.command = command;
    this.pid = pid;
    this.exitCode = exit.exitCode;
    this.signal = exit.signal;
    this.stderr = stderr;
  }
}

/**
 * A task that is a program. It succeeds with the exit code 0; cancelled or timed out, the program is ended with all
 * that it started.
 * @param command what to start, or a function of the run's input that says it
 * @throws ProcessStartError, ProcessExitError from the task
 */
export function processTask<Input = unknown>(
  command: ProcessConfig | ((input: Input, context: RunContext) => ProcessConfig),
  { keepBytes = 16_384, onOutput, clock = systemClock }: ProcessTaskOptions = {},
): (input: Input, context: RunContext) => Promise<ProcessTaskResult> {
  checkInteger('keepBytes', keepBytes, { min: 1 });
  return async (input, context) => {
    const config = typeof command === 'function' ? command(input, context) : command;
    const handle = await context.spawn({ stdin: 'ignore', ...config });
    const kept = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
    const waits = { stdout: Promise.resolve(), stderr: Promise.resolve() };
    for (const stream of ['stdout', 'stderr'] as const) {
      const readable = handle[stream];
      readable?.on('data', (chunk: Buffer) => {
        kept[stream] = Buffer.concat([kept[stream], chunk]).subarray(-keepBytes);
        const wait = onOutput?.(stream, chunk, context);
        if (!(wait instanceof Promise)) return;
        readable.pause();
        const goOn = (): void => void readable.resume();
        waits[stream] = wait.then(goOn, goOn);
      });
    }
    const exit = await handle.exited;
    await Promise.all(
      (['stdout', 'stderr'] as const).map(async (stream) => {
        // Nothing more comes while nobody asks.
        await waits[stream];
        await readToEnd(handle[stream], clock);
      }),
    );
    const stdout = kept.stdout.toString();
    const stderr = kept.stderr.toString();
    if (exit.exitCode !== 0) throw new ProcessExitError(handle.command, handle.pid, exit, stderr);
    return { exitCode: exit.exitCode, stdout, stderr };
  };
}

async function readToEnd(stream: Readable | null, clock: Clock): Promise<void> {
  if (stream === null || stream.readableEnded || stream.destroyed) return;
  const ended = new AbortController();
  stream.once('close', () => ended.abort());
  // The wait is cut short by the end.
  await sleep(clock, PIPE_DRAIN_MS, { signal: ended.signal }).catch(() => undefined);
  stream.destroy();
}
