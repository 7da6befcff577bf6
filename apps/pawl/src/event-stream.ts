import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Clock, onAbort } from '@pawl/core';
import type { FastifyReply } from 'fastify';
import { HttpError } from './http-errors.ts';

/** An event of a stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface StreamEvent {
  /** What a client sends as `Last-Event-ID` when it comes back. */
  readonly id: string | number;
  readonly event: string;
  /** A JSON text. */
  readonly data: string;
}

/** Answers requests with streams of events. */
export interface EventStreams {
  /**
   * Sends events as they come, no faster than the client reads them, until they end, the client leaves, or the service
   * ends. The signal that `source` gets aborts then. One that comes to an end by itself has a moment for that when the
   * service ends; one that is endless has not.
   * @throws HttpError 503 when there are too many
   */
  send(
    reply: FastifyReply,
    source: (signal: AbortSignal) => AsyncIterable<StreamEvent>,
    options?: { readonly isEndless?: boolean },
  ): FastifyReply;
  /** How many there are. */
  readonly size: number;
}

export interface EventStreamsOptions {
  readonly clock: Clock;
  /** Ends all of them. */
  readonly closing: AbortSignal;
  /** @default 1000 */
  readonly max?: number;
  /** How often a comment is sent to a stream that is silent, in milliseconds. @default 15000 */
  readonly heartbeatMs?: number;
}

/** So much is sent at once, and so much waits for a client that does not read. */
const FLUSH_CHARACTERS = 16_384;
/** How long a stream that ends by itself may take for that when the service ends, in milliseconds. */
const LAST_MS = 2_000;
/** How long a client that does not read may take for what is on its way when the service ends, in milliseconds. */
const END_MS = 500;

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { clock, closing, max = 1_000, heartbeatMs = 15_000 } = options;
  let size = 0;

  async function pump(
    stream: PassThrough,
    events: AsyncIterable<StreamEvent>,
    signal: AbortSignal,
  ): Promise<void> {
    const beat = (): void => {
      // One that still waits to be read is enough.
      if (stream.writableLength === 0) stream.write(': alive\n\n');
      heartbeat = clock.setTimer(heartbeatMs, beat);
    };
    let heartbeat = clock.setTimer(heartbeatMs, beat);
    // Events that come together leave together.
    let frames = '';
    let isPlanned = false;
    const flush = (): boolean => {
      isPlanned = false;
      if (frames === '' || signal.aborted) return true;
      const text = frames;
      frames = '';
      heartbeat.cancel();
      heartbeat = clock.setTimer(heartbeatMs, beat);
      return stream.write(text);
    };
    try {
      // Asks clients to come back a second after a connection broke; it also opens the stream.
      stream.write('retry: 1000\n\n');
      for await (const { id, event, data } of events) {
        frames += `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
        if (frames.length >= FLUSH_CHARACTERS || stream.writableNeedDrain) {
          if (!flush()) await once(stream, 'drain', { signal });
        } else if (!isPlanned) {
          isPlanned = true;
          setImmediate(flush);
        }
      }
      flush();
    } finally {
      heartbeat.cancel();
    }
  }

  return {
    send(reply, source, { isEndless = false } = {}) {
      if (size >= max)
        throw new HttpError(503, 'TOO_MANY_STREAMS', `${max} streams are open, no more may be.`);
      size += 1;
      const stream = new PassThrough();
      const left = new AbortController();
      stream.once('close', () => {
        size -= 1;
        left.abort();
      });
      const end = (): void => {
        left.abort();
        // What is on its way is still delivered, to those who read.
        clock.setTimer(END_MS, () => stream.destroy(), { keepAlive: false });
      };
      const forget = onAbort(closing, () => {
        if (isEndless) end();
        else clock.setTimer(LAST_MS, end, { keepAlive: false });
      });
      void pump(stream, source(left.signal), left.signal)
        .then(
          () => stream.end(),
          (error: unknown) => {
            if (left.signal.aborted) stream.end();
            else {
              reply.log.error({ err: error }, 'A stream of events failed.');
              stream.destroy();
            }
          },
        )
        .finally(forget);
      return (
        reply
          .header('content-type', 'text/event-stream; charset=utf-8')
          // For proxies that would wait for the end.
          .header('x-accel-buffering', 'no')
          .send(stream)
      );
    },
    get size() {
      return size;
    },
  };
}
