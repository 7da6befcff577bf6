import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createEventMonitor, type EventMonitor } from '@pawl/core/testing';
import { type Connection, type ConnectionEvents, createConnection, stdioTransport } from '@pawl/ipc';

export interface ChildOptions {
  readonly channel?: 'fd3' | 'stdout';
  readonly maxMessageBytes?: number;
  readonly command?: readonly [string, ...string[]];
  /** Whether to keep what it prints in `printed`, instead of passing on its stderr. */
  readonly keepsPrints?: boolean;
}

export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly connection: Connection;
  readonly events: EventMonitor<ConnectionEvents>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** What came over stdout and stderr so far, if that is no channel and was to be kept. */
  readonly printed: Readonly<Record<'stdout' | 'stderr', string>>;
}

/** Starts `fixtures/worker.mjs`, or another worker, with a connection to it. Disposing kills it and waits for its end. */
export function startChild(options: ChildOptions = {}): Child {
  const { channel = 'fd3', maxMessageBytes, keepsPrints = false } = options;
  const fixture = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));
  const [command, ...args] = options.command ?? [process.execPath, fixture];
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', keepsPrints ? 'pipe' : 'inherit', 'pipe'],
    env: { ...process.env, PAWL_CHANNEL: channel },
  });
  const [stdin, stdout, stderr, fd3] = child.stdio as unknown as readonly [
    Writable,
    Readable,
    Readable | null,
    Readable,
  ];
  const printed = { stdout: '', stderr: '' };
  stderr?.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString('latin1')));
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (channel === 'fd3') {
    stdout.on('data', (chunk: Buffer) => {
      if (keepsPrints) printed.stdout += chunk.toString('latin1');
    });
  }
  const connection = createConnection(
    stdioTransport({
      readable: channel === 'fd3' ? fd3 : stdout,
      writable: stdin,
      ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    }),
  );
  return {
    process: child,
    connection,
    events: createEventMonitor(connection),
    exited,
    printed,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      for (const stream of [stdin, stdout, stderr, fd3]) stream?.destroy();
      await connection.closed;
    },
  };
}
