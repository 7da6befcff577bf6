import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import { checkDurationMs, type Clock, createDeferred, systemClock, type Timer } from '@pawl/core';
import { createBusyPoll } from './busy-poll.ts';
import { createFrameQueue, EARLY_LENGTH, type FrameBatch } from './frame-queue.ts';
import { createFrameDecoder, MalformedFrame } from './framing.ts';
import { type CloseInfo, ConnectionClosedError } from './ipc-errors.ts';
import type { ChannelOptions, Transport, TransportReceiver } from './transport.ts';

export interface StdioTransportOptions extends ChannelOptions {
  /** Where frames come from: a child's stdout or fd 3. Read from `start` on. */
  readonly readable: Readable;
  /** Where frames go: a child's stdin. */
  readonly writable: Writable;
  /**
   * How long to go on reading after a write failed, in milliseconds: a peer that died left its last answers in the
   * pipe, one that only closed its input must not be waited for.
   * @default 250
   */
  readonly drainMs?: number;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** A first write of fewer frames would cost more than the head start is worth. */
const MIN_EARLY_FRAMES = 16;
/** From here on a line takes a millisecond or more to be read as a message, in bytes. */
const LARGE_LINE = 262_144;
/** How long a large line waits for what is being written, in milliseconds. */
const HEAD_START_MS = 2;
/** How much of a turn's frames, going by the turn before, go out ahead of the rest. */
const EARLY_SHARE = 1 / 4;

/**
 * Frames over a pair of byte streams. The frames sent while one callback and its promises run go out in two writes:
 * the first early, so that the far side works on them while this side makes the rest; few small ones in one. The next
 * write waits for the previous one, so a reader that stops bounds what waits in the kernel.
 *
 * A large line that has arrived is read as a message a moment later if frames are still on their way out: the far side
 * gets its next message first, and both sides work at a time.
 *
 * The channel ends when the readable side ends. A write that fails (`EPIPE`, the peer is gone) ends it `drainMs`
 * later: what the peer sent before it died is still in the pipe and is delivered first.
 */
export function stdioTransport(options: StdioTransportOptions): Transport {
  const { readable, writable, clock = systemClock } = options;
  const drainMs = checkDurationMs('drainMs', options.drainMs ?? 250, { infinite: true });
  const decoder = createFrameDecoder(options);
  const busyPoll = createBusyPoll(options.busyPoll);
  const queue = createFrameQueue();
  // Resolves when nothing more will be written.
  const written = createDeferred();
  let receiver: TransportReceiver | undefined;
  let closing = false;
  let end: CloseInfo | undefined;
  let flushScheduled = false;
  /** Frames sent since the event loop was last entered. */
  let sentThisTurn = 0;
  let earlyFrames = MIN_EARLY_FRAMES;
  /** The write under way, or the one that failed. */
  let batch: FrameBatch | undefined;
  let writeFault: Error | undefined;
  let drain: Timer | undefined;
  /** The end of a large line that waits, with what came behind it. */
  let late: { readonly chunk: Buffer; readonly timer: Timer } | undefined;

  function endTurn(): void {
    flushScheduled = false;
    earlyFrames = Math.max(MIN_EARLY_FRAMES, Math.floor(sentThisTurn * EARLY_SHARE));
    sentThisTurn = 0;
    flush();
  }

  function flush(): void {
    if (batch !== undefined || writeFault !== undefined || end !== undefined) return;
    batch = queue.take();
    if (batch === undefined) return;
    writable.write(batch.text, 'utf8', (error) => {
      if (end !== undefined) return;
      if (error) {
        failWriting(error);
        return;
      }
      const sent = batch;
      batch = undefined;
      sent?.settle();
      if (!queue.isEmpty) flush();
      else if (closing) endWriting();
    });
  }

  /** Those who wait for the failed frames hear of it at the end: the peer may have read and answered some. */
  function failWriting(error: Error): void {
    if (writeFault !== undefined || end !== undefined) return;
    writeFault = error;
    written.resolve();
    drain = clock.setTimer(drainMs, () => finish({ reason: 'failed', error }));
  }

  function failReading(error: Error): void {
    finish({ reason: 'failed', error });
  }

  function endReading(): void {
    finish({ reason: closing ? 'closed' : 'ended' });
  }

  function endWriting(): void {
    if (writable.writableFinished || writable.destroyed) written.resolve();
    else if (writable.writableEnded) writable.once('finish', () => written.resolve());
    else writable.end(() => written.resolve());
  }

  function receive(chunk: Buffer): void {
    if (batch === undefined || decoder.pendingBytes < LARGE_LINE || !chunk.includes('\n')) {
      deliver(chunk);
      return;
    }
    readable.pause();
    late = { chunk, timer: clock.setTimer(HEAD_START_MS, deliverLate) };
  }

  function deliver(chunk: Buffer): void {
    const frames = decoder.push(chunk);
    busyPoll.arrived(frames.length, chunk.length);
    for (const frame of frames) {
      if (frame instanceof MalformedFrame) receiver?.onMalformed(frame);
      else receiver?.onMessage(frame);
    }
  }

  function deliverLate(): void {
    if (late === undefined) return;
    const { chunk, timer } = late;
    late = undefined;
    timer.cancel();
    deliver(chunk);
    readable.resume();
  }

  function finish(info: CloseInfo): void {
    if (end !== undefined) return;
    deliverLate();
    // What was delivered may have ended it.
    if (end !== undefined) return;
    drain?.cancel();
    busyPoll.stop();
    for (const frame of decoder.end()) receiver?.onMalformed(frame);
    end = info;
    receiver?.onClose(info);
    const error = new ConnectionClosedError(info);
    const stuck = batch !== undefined;
    batch?.settle(error);
    for (let rest = queue.take(); rest !== undefined; rest = queue.take()) rest.settle(error);
    // A write that nobody takes would hold the stream for ever: something else has the pipe's other end open.
    if (stuck) writable.destroy();
    else endWriting();
    written.resolve();
  }

  // Without a listener a dead peer's EPIPE would be an uncaught exception; the write's own callback gets it too.
  writable.on('error', failWriting);
  writable.once('close', () => written.resolve());

  return {
    get maxMessageBytes() {
      return decoder.maxMessageBytes;
    },
    set maxMessageBytes(bytes) {
      decoder.maxMessageBytes = bytes;
    },
    start(to) {
      receiver = to;
      readable.on('error', failReading);
      readable.once('end', endReading);
      readable.once('close', endReading);
      readable.on('data', receive);
      const { errored } = readable;
      if (errored !== null) queueMicrotask(() => failReading(errored));
      else if (readable.readableEnded || readable.destroyed) queueMicrotask(endReading);
    },
    send(frame, listener) {
      if (closing || end !== undefined || writeFault !== undefined || writable.writableEnded) {
        const fault = new ConnectionClosedError(end ?? refusal(writeFault));
        if (listener !== undefined) queueMicrotask(() => listener.onSent(fault));
        return;
      }
      queue.push(frame, listener);
      sentThisTurn += 1;
      if (!flushScheduled) {
        flushScheduled = true;
        process.nextTick(endTurn);
      }
      if (batch === undefined && (queue.count >= earlyFrames || queue.length >= EARLY_LENGTH)) flush();
    },
    close() {
      if (!closing) {
        closing = true;
        flush();
        // The peer ends its side when it sees ours end; one that does not is ended by whoever owns the process.
        if (batch === undefined) endWriting();
      }
      return written.promise;
    },
  };
}

function refusal(error: Error | undefined): CloseInfo {
  return error === undefined ? { reason: 'closed' } : { reason: 'failed', error };
}
