import type { MalformedFrame } from './framing.ts';
import type { CloseInfo } from './ipc-errors.ts';
import type { Message } from './message.ts';

/** What a transport calls as things arrive. None of these may throw. */
export interface TransportReceiver {
  onMessage(message: Message): void;
  onMalformed(frame: MalformedFrame): void;
  /** Called once, after everything that arrived was delivered. */
  onClose(info: CloseInfo): void;
}

/** Who wants to know what became of a frame. An object, so that a request can be its own listener. */
export interface SentListener {
  /**
   * Called once: when the channel took the frame, or with a ConnectionClosedError when it did not and no answer to it
   * can come any more.
   */
  onSent(error: Error | undefined): void;
}

/** Moves frames between two sides. Knows nothing of requests. */
export interface Transport {
  /**
   * Longest frame this side accepts, in bytes without the newline; the connection sends none longer either. Set anew
   * once the far side has said what it takes.
   */
  maxMessageBytes: number;
  /** Begins to deliver. Nothing that arrived before is lost. Called once. */
  start(receiver: TransportReceiver): void;
  /**
   * Sends one frame, made by `encodeFrame` and within `maxMessageBytes`. Never throws, and tells the listener later,
   * never before it returns.
   */
  send(frame: string, listener?: SentListener): void;
  /** Sends what waits, then ends the channel. Resolves when the last byte was taken, or can't be any more. Twice is fine. */
  close(): Promise<void>;
}

export interface TransportOptions {
  /** Longest frame accepted and sent, in bytes without the newline. At most what a string can hold. @default 67108864 (64 MiB) */
  readonly maxMessageBytes?: number;
}

/** Of a transport to another process. */
export interface ChannelOptions extends TransportOptions {
  /**
   * Whether the event loop stays awake for some 40 µs after frames came, as long as more do come in that time. A round
   * trip of small frames then takes a quarter of the time.
   * @default true where there is more than one processor
   */
  readonly busyPoll?: boolean;
}
