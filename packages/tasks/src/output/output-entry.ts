import type { OutputLevel } from './output-level.ts';

export type OutputStream = 'stdout' | 'stderr';

/** One line that a process printed, or a piece of one. */
export interface OutputEntry {
  /** When it arrived, in milliseconds since the epoch. Never before the entry ahead of it. */
  readonly at: number;
  readonly level: OutputLevel;
  readonly stream: OutputStream;
  /** Without its line end; an invalid byte became U+FFFD. */
  readonly text: string;
  /**
   * False when no newline followed: the output ended here, or this is a piece of a line of more than 64 KiB, which
   * the next entry of the stream goes on with.
   */
  readonly endsLine: boolean;
  /** Where the entry begins in the log, in bytes. */
  readonly offset: number;
  /** Where the next one begins: resume with `follow({ from: nextOffset })`. */
  readonly nextOffset: number;
}

/** What a subscriber gets: entries, a marker where some are gone, and `complete` at the very end. */
export type OutputEvent =
  | ({ readonly type: 'entry' } & OutputEntry)
  | {
      readonly type: 'dropped';
      /** How much of the log is missing here. */
      readonly bytes: number;
      readonly nextOffset: number;
    }
  | {
      readonly type: 'complete';
      readonly nextOffset: number;
      /** Why output is missing at the end: the log could not be written. */
      readonly fault: Error | undefined;
    };
