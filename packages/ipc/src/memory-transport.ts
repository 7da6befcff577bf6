import { createFrameDecoder, MalformedFrame, resolveMaxMessageBytes } from './framing.ts';
import { type CloseInfo, ConnectionClosedError } from './ipc-errors.ts';
import type { Transport, TransportOptions, TransportReceiver } from './transport.ts';

/** One end of a pair that lives in this process. */
export interface MemoryTransport extends Transport {
  /** Ends the channel as a dying process would: the far end sees it ended or, given an error, failed. */
  break(error?: Error): void;
  /** Puts raw bytes on the channel, as a stray print would. */
  inject(bytes: string | Uint8Array): void;
}

/**
 * Two connected transports without a process, for tests and simulations. Frames pass through the real encoder and
 * decoder, and arrive in order, each in a microtask of its own.
 */
export function memoryTransportPair(
  options: TransportOptions = {},
): readonly [MemoryTransport, MemoryTransport] {
  const maxMessageBytes = resolveMaxMessageBytes(options);
  const a = createEnd(maxMessageBytes);
  const b = createEnd(maxMessageBytes);
  a.connect(b);
  b.connect(a);
  return [a.transport, b.transport];
}

interface End {
  readonly transport: MemoryTransport;
  connect(peer: End): void;
  deliver(bytes: Uint8Array): void;
  finish(info: CloseInfo): void;
}

function createEnd(maxMessageBytes: number): End {
  const decoder = createFrameDecoder({ maxMessageBytes });
  let peer: End | undefined;
  let receiver: TransportReceiver | undefined;
  // What arrived before `start`, or is on its way.
  const inbox: (Uint8Array | CloseInfo)[] = [];
  let info: CloseInfo | undefined;
  let done = false;

  function drain(): void {
    const next = inbox.shift();
    if (next === undefined || receiver === undefined || done) return;
    if (next instanceof Uint8Array) {
      for (const frame of decoder.push(next)) {
        if (frame instanceof MalformedFrame) receiver.onMalformed(frame);
        else receiver.onMessage(frame);
      }
    } else {
      done = true;
      for (const frame of decoder.end()) receiver.onMalformed(frame);
      receiver.onClose(next);
    }
  }

  const arrive = (item: Uint8Array | CloseInfo): void => {
    inbox.push(item);
    if (receiver !== undefined) queueMicrotask(drain);
  };

  const end: End = {
    connect(to) {
      peer = to;
    },
    deliver: arrive,
    finish(how) {
      if (info !== undefined) return;
      info = how;
      arrive(how);
    },
    transport: {
      get maxMessageBytes() {
        return decoder.maxMessageBytes;
      },
      set maxMessageBytes(bytes) {
        decoder.maxMessageBytes = bytes;
      },
      start(to) {
        receiver = to;
        for (let left = inbox.length; left > 0; left -= 1) queueMicrotask(drain);
      },
      send(frame, listener) {
        const fault = info === undefined ? undefined : new ConnectionClosedError(info);
        if (fault === undefined) peer?.deliver(Buffer.from(frame));
        if (listener !== undefined) queueMicrotask(() => listener.onSent(fault));
      },
      close() {
        end.finish({ reason: 'closed' });
        peer?.finish({ reason: 'ended' });
        return Promise.resolve();
      },
      break(error) {
        const how: CloseInfo = error === undefined ? { reason: 'ended' } : { reason: 'failed', error };
        peer?.finish(how);
        end.finish(how);
      },
      inject(bytes) {
        peer?.deliver(Buffer.from(bytes));
      },
    },
  };
  return end;
}
