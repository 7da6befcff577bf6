import type { SentListener } from './transport.ts';

/** Frames that go out in one write. */
export interface FrameBatch {
  readonly text: string;
  /** Tells those who wait for these frames. */
  settle(error?: Error): void;
}

/** Frames that wait for their write, oldest first. */
export interface FrameQueue {
  readonly isEmpty: boolean;
  /** How many there are. */
  readonly count: number;
  /** In UTF-16 units. */
  readonly length: number;
  push(frame: string, listener?: SentListener): void;
  /** Takes the oldest frames out, all of them or about a mebibyte: joined, any number could be more than a string holds. */
  take(): FrameBatch | undefined;
}

const BATCH_LENGTH = 1_048_576;

/** From here on a transport does not wait for more: the far side can begin while this side goes on. In UTF-16 units. */
export const EARLY_LENGTH = 32_768;

export function createFrameQueue(): FrameQueue {
  let frames: string[] = [];
  let listeners: (SentListener | undefined)[] = [];
  let length = 0;
  return {
    get count() {
      return frames.length;
    },
    get length() {
      return length;
    },
    get isEmpty() {
      return frames.length === 0;
    },
    push(frame, listener) {
      frames.push(frame);
      length += frame.length;
      listeners.push(listener);
    },
    take() {
      const count = countWithin(frames, BATCH_LENGTH);
      if (count === 0) return undefined;
      let taken = frames;
      let told = listeners;
      if (count === frames.length) {
        frames = [];
        listeners = [];
      } else {
        taken = frames.splice(0, count);
        told = listeners.splice(0, count);
      }
      const text = taken.length === 1 ? (taken[0] ?? '') : taken.join('');
      length -= text.length;
      return {
        text,
        settle(error) {
          for (const listener of told) listener?.onSent(error);
        },
      };
    },
  };
}

/** How many of the first frames stay within `length` together; a longer first one goes alone. */
function countWithin(frames: readonly string[], length: number): number {
  let total = 0;
  let count = 0;
  for (const frame of frames) {
    total += frame.length;
    if (count > 0 && total > length) break;
    count += 1;
  }
  return count;
}
