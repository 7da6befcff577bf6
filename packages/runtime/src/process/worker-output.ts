import type { Readable } from 'node:stream';
import { createLineSplitter, type LineSplitter } from './line-splitter.ts';
import { createOutputTail } from './output-tail.ts';

export type OutputStream = 'stdout' | 'stderr';

export interface WorkerOutputOptions {
  /** Every piece the worker prints, as it comes. */
  readonly onOutput: (stream: OutputStream, chunk: Buffer) => void;
  /** Every line it prints, while `linesWanted` says so. */
  readonly onLine: (stream: OutputStream, line: string) => void;
  /** Splitting costs time that nobody should pay who does not listen. */
  readonly linesWanted: () => boolean;
}

/** What a worker prints. Always read, so that no worker blocks on a full pipe. */
export interface WorkerOutput {
  /** Reads a stream of the worker from now on. */
  watch(stream: OutputStream, readable: Readable): void;
  /** Resolves when what the worker had printed by now was delivered, an unfinished line included. */
  settle(): Promise<void>;
  /** The last 16 KiB of stderr, from a character boundary. */
  readonly stderrTail: string;
  /** The first 1 KiB of stdout. */
  readonly stdoutHead: string;
}

const STDERR_TAIL_BYTES = 16_384;
const STDOUT_HEAD_BYTES = 1_024;
/** Something may go on printing behind the answer; what was there before it is read in the first of them. */
const MOST_SETTLE_ROUNDS = 10;

export function createWorkerOutput(options: WorkerOutputOptions): WorkerOutput {
  const stderrTail = createOutputTail(STDERR_TAIL_BYTES);
  const splitters: LineSplitter[] = [];
  let stdoutHead = Buffer.alloc(0);
  let chunksSeen = 0;

  return {
    watch(stream, readable) {
      const lines = createLineSplitter((line) => options.onLine(stream, line));
      splitters.push(lines);
      readable.on('data', (chunk: Buffer) => {
        chunksSeen += 1;
        if (stream === 'stderr') stderrTail.push(chunk);
        else if (stdoutHead.length < STDOUT_HEAD_BYTES) {
          stdoutHead = Buffer.concat([stdoutHead, chunk.subarray(0, STDOUT_HEAD_BYTES - stdoutHead.length)]);
        }
        options.onOutput(stream, chunk);
        if (options.linesWanted()) lines.push(chunk);
      });
      readable.once('end', () => lines.end());
    },
    async settle() {
      // The kernel holds everything the worker wrote before its answer. A whole turn of the event loop without a
      // chunk means that all of it was read; the first turn may have begun before the answer.
      for (let round = 0; round < MOST_SETTLE_ROUNDS; round += 1) {
        const seen = chunksSeen;
        await turn();
        await turn();
        if (chunksSeen === seen) break;
      }
      for (const lines of splitters) lines.end();
    },
    get stderrTail() {
      return stderrTail.text();
    },
    get stdoutHead() {
      return stdoutHead.toString('utf8');
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
