import process from 'node:process';
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createDeferred } from '@pawl/core';
import { createBusyPoll } from './busy-poll.ts';
import { createFrameQueue, EARLY_LENGTH } from './frame-queue.ts';
import { createFrameDecoder, MalformedFrame } from './framing.ts';
import { type CloseInfo, ConnectionClosedError } from './ipc-errors.ts';
import type { ChannelOptions, Transport, TransportReceiver } from './transport.ts';

export interface FdTransportOptions extends ChannelOptions {
  /** Read from: a pipe or socket. @default 0 */
  readonly readFd?: number;
  /** Written to: a pipe or socket, best in blocking mode. Never closed by this: it ends with the process. @default 3 */
  readonly writeFd?: number;
  /**
   * Whether others print to `writeFd` too, as native code and child processes do when it is stdout. Then each write
   * begins with a newline, so that a print without one can't swallow a frame.
   * @default false
   */
  readonly shared?: boolean;
}

/** The worker's side of a channel, with one thing a stream can't do. */
export interface FdTransport extends Transport {
  /** Writes what waits now. For the `exit` event: no frame is lost to `process.exit()`. */
  flushSync(): void;
}

/**
 * Frames over two file descriptors of this process, written with blocking writes: a frame that was sent before
 * `process.exit()` is out, however big, because `flushSync` needs no event loop. All frames of one turn go out in
 * one write. A reader that stops reading stops this process, which bounds its memory; two such transports must
 * therefore not face each other.
 */
export function fdTransport(options: FdTransportOptions = {}): FdTransport {
  const { readFd = 0, writeFd = 3, shared = false } = options;
  const decoder = createFrameDecoder(options);
  const busyPoll = createBusyPoll(options.busyPoll);
  const queue = createFrameQueue();
  const closed = createDeferred();
  const input = new Socket({ fd: readFd, readable: true, writable: false });
  let receiver: TransportReceiver | undefined;
  let fault: Error | undefined;
  let end: CloseInfo | undefined;
  let flushScheduled = false;

  function flushSync(): void {
    flushScheduled = false;
    for (let batch = queue.take(); batch !== undefined; batch = queue.take()) {
      if (fault === undefined) {
        try {
          writeWhole(writeFd, Buffer.from(shared ? `\n${batch.text}` : batch.text));
        } catch (error) {
          fail(error as Error);
        }
      }
      batch.settle(fault);
    }
  }

  /** The host is gone, or reads no more: an answer can't be given, so there is nothing left to do. */
  function fail(error: Error): void {
    const info: CloseInfo = { reason: 'failed', error };
    fault = new ConnectionClosedError(info);
    queueMicrotask(() => finish(info));
  }

  function finish(info: CloseInfo): void {
    if (end !== undefined) return;
    end = info;
    busyPoll.stop();
    for (const frame of decoder.end()) receiver?.onMalformed(frame);
    receiver?.onClose(info);
    flushSync();
    fault ??= new ConnectionClosedError(info);
    input.destroy();
    closed.resolve();
  }

  return {
    get maxMessageBytes() {
      return decoder.maxMessageBytes;
    },
    set maxMessageBytes(bytes) {
      decoder.maxMessageBytes = bytes;
    },
    start(to) {
      receiver = to;
      input.on('error', (error: Error) => finish({ reason: 'failed', error }));
      input.once('end', () => finish({ reason: 'ended' }));
      input.once('close', () => finish({ reason: 'ended' }));
      input.on('data', (chunk: Buffer) => {
        const frames = decoder.push(chunk);
        busyPoll.arrived(frames.length, chunk.length);
        for (const frame of frames) {
          if (frame instanceof MalformedFrame) to.onMalformed(frame);
          else to.onMessage(frame);
        }
      });
    },
    send(frame, listener) {
      if (fault !== undefined) {
        const refused = fault;
        if (listener !== undefined) queueMicrotask(() => listener.onSent(refused));
        return;
      }
      queue.push(frame, listener);
      if (queue.length >= EARLY_LENGTH) flushSync();
      else if (!flushScheduled) {
        flushScheduled = true;
        process.nextTick(flushSync);
      }
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
