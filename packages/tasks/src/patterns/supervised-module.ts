import type { Readable } from 'node:stream';
import { type Clock, createDeferred, onAbort } from '@pawl/core';
import type { ExitInfo } from '@pawl/runtime';
import type { OutputStream } from '../output/output-entry.ts';
import type { StartedModule } from './started-module.ts';

export interface SupervisionOptions {
  readonly start: () => Promise<StartedModule>;
  /** Gets all that it prints; a promise asks for no more until it resolves. What it throws ends the module. */
  readonly onOutput: (stream: OutputStream, chunk: Buffer) => Promise<void> | undefined;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly graceMs: () => number;
  readonly clock: Clock;
}

/** Why a module was ended before it ended by itself. */
export type StopCause =
  | { readonly kind: 'cancelled'; readonly reason: unknown }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'output-refused'; readonly error: unknown };

export interface ModuleExit extends ExitInfo {
  readonly pid: number;
  readonly durationMs: number;
}

/** How a module ended: `exit` is undefined when it was not begun. */
export interface SupervisionEnd {
  readonly exit: ModuleExit | undefined;
  readonly stopped: StopCause | undefined;
}

/** A pipe holds less than this. More behind the end comes from somebody else. */
const MOST_LEFT_BYTES = 1_048_576;

/**
 * Runs a module to its end, reads what it prints to the last byte, and leaves nothing of it behind.
 * @throws what the start throws
 */
export async function superviseModule(options: SupervisionOptions): Promise<SupervisionEnd> {
  const { start, onOutput, signal, clock } = options;
  let stopped: StopCause | undefined;
  let started: StartedModule | undefined;
  let terminated: Promise<unknown> | undefined;
  let hasEnded = false;
  const ended = createDeferred<ExitInfo>();

  function stop(cause: StopCause): void {
    if (hasEnded || stopped !== undefined) return;
    stopped = cause;
    if (started !== undefined) terminate(started);
  }

  function terminate(module: StartedModule): void {
    terminated = module.terminate({ graceMs: options.graceMs() });
    // Not even SIGKILL ends what waits for a device: then it is not waited for.
    void terminated.then(() => ended.resolve({ exitCode: null, signal: null }));
  }

  const forget = onAbort(signal, (reason) => stop({ kind: 'cancelled', reason }));
  if (stopped !== undefined) return { exit: undefined, stopped };
  const timer = clock.setTimer(options.timeoutMs, () => stop({ kind: 'timed-out' }));
  const startedAt = clock.now();
  try {
    started = await start();
    const reading = [readOutput(started.stdout, 'stdout'), readOutput(started.stderr, 'stderr')];
    void started.exited.then(ended.resolve);
    // It was asked to end while it started.
    if (stopped !== undefined) terminate(started);
    const info = await ended.promise;
    hasEnded = true;
    const durationMs = clock.now() - startedAt;
    await Promise.all([...reading.map((output) => output.drained()), terminated ?? started.released]);
    return { exit: { ...info, pid: started.pid, durationMs }, stopped };
  } finally {
    hasEnded = true;
    timer.cancel();
    forget();
  }

  function readOutput(readable: Readable | null, stream: OutputStream): OutputReading {
    return createOutputReading(readable, started?.endsItsOutput === true, (chunk) => {
      try {
        return onOutput(stream, chunk);
      } catch (error) {
        stop({ kind: 'output-refused', error });
        return undefined;
      }
    });
  }
}

/** A stream of a module that is being read. */
interface OutputReading {
  /** Resolves when all is read that the module itself can have written. Call it once the module has ended. */
  drained(): Promise<void>;
}

function createOutputReading(
  readable: Readable | null,
  endsWithModule: boolean,
  onChunk: (chunk: Buffer) => Promise<void> | undefined,
): OutputReading {
  const ended = createDeferred();
  let isOver = readable === null;
  let paused: Promise<void> | undefined;
  let bytesRead = 0;

  const finish = (): void => {
    isOver = true;
    ended.resolve();
  };
  readable?.on('data', (chunk: Buffer) => {
    bytesRead += chunk.length;
    const wait = onChunk(chunk);
    if (wait === undefined) return;
    readable.pause();
    paused = wait.then(() => {
      paused = undefined;
      readable.resume();
    });
  });
  readable?.once('end', finish);
  readable?.once('close', finish);
  readable?.once('error', finish);

  /** Whoever else holds the pipe may never close it: two turns of the event loop without a chunk, and it is empty. */
  async function untilQuiet(): Promise<void> {
    const most = bytesRead + MOST_LEFT_BYTES;
    for (let seen = -1; seen !== bytesRead;) {
      if (isOver || bytesRead >= most) return;
      await paused;
      seen = bytesRead;
      await turn();
      await turn();
      // Nothing can come while nobody asks.
      if (paused !== undefined) seen = -1;
    }
  }

  return {
    async drained() {
      if (isOver) return;
      await (endsWithModule ? ended.promise : Promise.race([ended.promise, untilQuiet()]));
      readable?.destroy();
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
