import type { LogLine } from '../../api/runs.ts';
import { stripAnsi } from '../../format/ansi.ts';

/** A line of the console: one that was printed, or a note where some are missing. */
export interface ConsoleLine {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly stream: LogLine['stream'] | 'note';
  readonly level: string;
  /** With its colours. */
  readonly text: string;
}

export interface ShownStreams {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The lines of a run, at most so many, and those of them that are shown. */
export interface ConsoleBuffer {
  /** In their order. The same array until something is dropped or hidden; it grows at its end. */
  readonly shown: readonly ConsoleLine[];
  /** Changes whenever `shown` is another array. */
  readonly generation: number;
  /** Lines that were let go because there were too many. */
  readonly forgotten: number;
  push(lines: readonly ConsoleLine[]): void;
  show(streams: ShownStreams): void;
  clear(): void;
  /** Positions in `shown` of the lines that hold a text, in whatever case. */
  search(text: string): readonly number[];
}

const MAX_LINES = 100_000;

export function createConsoleBuffer(maxLines: number = MAX_LINES): ConsoleBuffer {
  let all: ConsoleLine[] = [];
  let shown: ConsoleLine[] = [];
  let streams: ShownStreams = { stdout: true, stderr: true };
  let generation = 0;
  let forgotten = 0;

  const isShown = ({ stream }: ConsoleLine): boolean => stream === 'note' || streams[stream];

  function choose(): void {
    shown = all.filter(isShown);
    generation += 1;
  }

  return {
    get shown() {
      return shown;
    },
    get generation() {
      return generation;
    },
    get forgotten() {
      return forgotten;
    },
    push(lines) {
      for (const line of lines) {
        all.push(line);
        if (isShown(line)) shown.push(line);
      }
      if (all.length <= maxLines) return;
      // A tenth at a time, so that not every line moves all others.
      const kept = Math.floor(maxLines * 0.9);
      forgotten += all.length - kept;
      all = all.slice(-kept);
      choose();
    },
    show(next) {
      streams = next;
      choose();
    },
    clear() {
      all = [];
      forgotten = 0;
      choose();
    },
    search(text) {
      if (text === '') return [];
      const wanted = text.toLowerCase();
      return shown.flatMap((line, index) =>
        stripAnsi(line.text).toLowerCase().includes(wanted) ? [index] : [],
      );
    },
  };
}
