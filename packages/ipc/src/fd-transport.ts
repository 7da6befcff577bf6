import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createDeferred } from '@pawl/core';
import { createFrameDecoder, MalformedFrame } from './framing.ts';
import { type CloseInfo, ConnectionClosedError } from './ipc-errors.ts';
import {
  resolveMaxMessageBytes,
  type Transport,
  type TransportOptions,
  type TransportReceiver,
} from './transport.ts';

export interface FdTransportOptions extends TransportOptions {
  /** Read from: a pipe or socket. @default 0 */
  readonly readFd?: number;
  /** Written to: a pipe or socket in blocking mode. @default 3 */
  readonly writeFd?: number;
}

/** The worker's side of a channel, with one thing a stream can't do. */
export interface FdTransport extends Transport {
  /** Writes what waits now. For the `exit` event: no frame is lost to `process.exit()`. */
  flushSync(): void;
}

/**
 * Frames over two file descriptors of this process, written with blocking writes: a frame that was sent before
 * `process.exit()` is out, however big, because `flushSync` needs no event loop. All frames of one turn go out in
 * one write. A reader that stops reading stops this process, which bounds its memory.
 */
export function fdTransport(options: FdTransportOptions = {}): FdTransport {
  const { readFd = 0, writeFd = 3 } = options;
  const maxMessageBytes = resolveMaxMessageBytes(options);
  const decoder = createFrameDecoder({ maxMessageBytes });
  const closed = createDeferred();
  const input = new Socket({ fd: readFd, readable: true, writable: false });
  let receiver: TransportReceiver | undefined;
  let fault: Error | undefined;
  let ended = false;
  let queue: string[] = [];
  let callbacks: ((error: Error | undefined) => void)[] = [];
  let flushScheduled = false;

  function flushSync(): void {
    flushScheduled = false;
    if (queue.length === 0) return;
    const bytes = Buffer.from(queue.length === 1 ? (queue[0] ?? '') : queue.join(''));
    const sent = callbacks;
    queue = [];
    callbacks = [];
    if (fault === undefined) {
      try {
        writeWhole(writeFd, bytes);
      } catch (error) {
        fault = error as Error;
      }
    }
    for (const callback of sent) callback(fault);
  }

  function finish(info: CloseInfo): void {
    if (ended) return;
    ended = true;
    for (const frame of decoder.end()) receiver?.onMalformed(frame);
    receiver?.onClose(info);
    flushSync();
    fault ??= new ConnectionClosedError(info);
    input.destroy();
    closed.resolve();
  }

  return {
    maxMessageBytes,
    start(to) {
      receiver = to;
      input.on('data', (chunk: Buffer) => {
        for (const frame of decoder.push(chunk)) {
          if (frame instanceof MalformedFrame) to.onMalformed(frame);
          else to.onMessage(frame);
        }
      });
      input.once('error', (error: Error) => finish({ reason: 'failed', error }));
      input.once('end', () => finish({ reason: 'ended' }));
      input.once('close', () => finish({ reason: 'ended' }));
    },
    send(frame, onSent) {
      if (fault !== undefined) {
        const refused = fault;
        if (onSent !== undefined) queueMicrotask(() => onSent(refused));
        return;
      }
      queue.push(frame);
      if (onSent !== undefined) callbacks.push(onSent);
      if (flushScheduled) return;
      flushScheduled = true;
      setImmediate(flushSync);
    },
    close() {
      flushSync();
      finish({ reason: 'closed' });
      return closed.promise;
    },
    flushSync,
  };
}

const WAIT = new Int32Array(new SharedArrayBuffer(4));

/** Writes all bytes, also on a descriptor that somebody switched to non-blocking mode. */
function writeWhole(fd: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(fd, bytes, offset, bytes.length - offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(WAIT, 0, 0, 1);
    }
  }
}
