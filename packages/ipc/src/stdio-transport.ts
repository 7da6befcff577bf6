import type { Readable, Writable } from 'node:stream';
import { createDeferred } from '@pawl/core';
import { createFrameDecoder, MalformedFrame } from './framing.ts';
import { type CloseInfo, ConnectionClosedError } from './ipc-errors.ts';
import {
  resolveMaxMessageBytes,
  type Transport,
  type TransportOptions,
  type TransportReceiver,
} from './transport.ts';

export interface StdioTransportOptions extends TransportOptions {
  /** Where frames come from: a child's stdout or fd 3. Read from `start` on. */
  readonly readable: Readable;
  /** Where frames go: a child's stdin. */
  readonly writable: Writable;
}

/**
 * Frames over a pair of byte streams. All frames of one turn of the event loop go out in one write, and the next
 * write waits for the previous one, so a reader that stops bounds what waits in the kernel.
 *
 * The channel ends when the readable side ends. A write side that fails (`EPIPE`, the peer is gone) does not end it:
 * what the peer sent before it died is still in the pipe and is delivered first.
 */
export function stdioTransport(options: StdioTransportOptions): Transport {
  const { readable, writable } = options;
  const maxMessageBytes = resolveMaxMessageBytes(options);
  const decoder = createFrameDecoder({ maxMessageBytes });
  const closed = createDeferred();
  let receiver: TransportReceiver | undefined;
  let closing = false;
  let ended = false;
  let writeFault: Error | undefined;

  let queue: string[] = [];
  let callbacks: ((error: Error | undefined) => void)[] = [];
  let flushScheduled = false;
  let writing = false;

  function flush(): void {
    flushScheduled = false;
    if (writing || queue.length === 0) return;
    const text = queue.length === 1 ? queue[0] : queue.join('');
    const sent = callbacks;
    queue = [];
    callbacks = [];
    if (writeFault !== undefined) {
      for (const callback of sent) callback(writeFault);
      return;
    }
    writing = true;
    writable.write(text, 'utf8', (error) => {
      writing = false;
      if (error) writeFault ??= error;
      for (const callback of sent) callback(error ?? undefined);
      if (queue.length > 0) flush();
      else if (closing) endWriting();
    });
  }

  function endWriting(): void {
    if (!writable.writableEnded && !writable.destroyed) writable.end();
  }

  function finish(info: CloseInfo): void {
    if (ended) return;
    ended = true;
    writeFault ??= new ConnectionClosedError(info);
    for (const frame of decoder.end()) receiver?.onMalformed(frame);
    receiver?.onClose(info);
    flush();
    endWriting();
    closed.resolve();
  }

  function onData(chunk: Buffer): void {
    for (const frame of decoder.push(chunk)) {
      if (frame instanceof MalformedFrame) receiver?.onMalformed(frame);
      else receiver?.onMessage(frame);
    }
  }

  // Without this a dead peer's EPIPE would be an uncaught exception; the write's own callback gets it too.
  writable.on('error', (error: Error) => {
    writeFault ??= error;
  });

  return {
    maxMessageBytes,
    start(to) {
      receiver = to;
      readable.on('data', onData);
      readable.once('error', (error: Error) => finish({ reason: 'failed', error }));
      readable.once('end', () => finish({ reason: closing ? 'closed' : 'ended' }));
      readable.once('close', () => finish({ reason: closing ? 'closed' : 'ended' }));
      if (readable.readableEnded || readable.destroyed) queueMicrotask(() => finish({ reason: 'ended' }));
    },
    send(frame, onSent) {
      const fault = closing ? closedError() : writeFault;
      if (fault !== undefined) {
        if (onSent !== undefined) queueMicrotask(() => onSent(fault));
        return;
      }
      queue.push(frame);
      if (onSent !== undefined) callbacks.push(onSent);
      if (flushScheduled || writing) return;
      flushScheduled = true;
      setImmediate(flush);
    },
    close() {
      if (!closing) {
        closing = true;
        if (queue.length === 0 && !writing) endWriting();
        else flush();
        // The peer ends its side when it sees ours end; one that does not is ended by whoever owns the process.
        if (writeFault !== undefined) finish({ reason: 'closed' });
      }
      return closed.promise;
    },
  };
}

function closedError(): ConnectionClosedError {
  return new ConnectionClosedError({ reason: 'closed' });
}
