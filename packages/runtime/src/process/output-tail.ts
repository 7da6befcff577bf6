import { checkInteger } from '@pawl/core';

/** The last bytes of a stream, for reports of what a process said before it ended. */
export interface OutputTail {
  push(chunk: Buffer): void;
  /** As text: begins at a character boundary, invalid bytes replaced. */
  text(): string;
}

/** Keeps the last `maxBytes` pushed, whatever the number and size of the chunks. */
export function createOutputTail(maxBytes: number): OutputTail {
  checkInteger('maxBytes', maxBytes, { min: 1 });
  let kept: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      // Always a copy: a slice would keep the whole chunk alive.
      const before = kept.subarray(Math.max(0, kept.length + chunk.length - maxBytes));
      kept = Buffer.concat([before, chunk.subarray(Math.max(0, chunk.length - maxBytes))]);
    },
    text() {
      let start = 0;
      // A character has at most three continuation bytes (10xxxxxx); more of them are not UTF-8 anyway.
      while (start < 3 && ((kept[start] ?? 0) & 0xc0) === 0x80) start += 1;
      return kept.toString('utf8', start);
    },
  };
}
