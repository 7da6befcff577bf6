import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createEventMonitor, type EventMonitor } from '@pawl/core/testing';
import { type Connection, type ConnectionEvents, createConnection, stdioTransport } from '@pawl/ipc';

export interface ChildOptions {
  readonly channel?: 'fd3' | 'stdout';
  readonly maxMessageBytes?: number;
  readonly command?: readonly [string, ...string[]];
}

export interface Child extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly connection: Connection;
  readonly events: EventMonitor<ConnectionEvents>;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}

/** Starts `fixtures/worker.mjs`, or another worker, with a connection to it. Disposing kills it and waits for its end. */
export function startChild(options: ChildOptions = {}): Child {
  const { channel = 'fd3', maxMessageBytes } = options;
  const fixture = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));
  const [command, ...args] = options.command ?? [process.execPath, fixture];
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    env: { ...process.env, PAWL_CHANNEL: channel },
  });
  const [stdin, stdout, , fd3] = child.stdio as unknown as readonly [Writable, Readable, null, Readable];
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (channel === 'fd3') stdout.resume();
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
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
      for (const stream of [stdin, stdout, fd3]) stream.destroy();
      await connection.closed;
    },
  };
}
