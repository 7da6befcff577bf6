import { StringDecoder } from 'node:string_decoder';

/** What is put behind output that was cut. */
export const TRUNCATION_MARK = '\n... (output truncated)';

/** Collects one output stream up to a limit. What comes beyond is dropped, so a flood costs no memory. */
export interface OutputCollector {
  push(chunk: Buffer): void;
  /** What was collected, as text: cut at a character boundary and marked if anything was dropped. */
  text(): string;
}

const FIRST_BYTES = 1_024;

/** @param maxBytes the limit in bytes of UTF-8 */
export function createOutputCollector(maxBytes: number): OutputCollector {
  // One buffer that grows: a program that prints byte by byte would leave as many little ones.
  let kept = Buffer.alloc(Math.min(FIRST_BYTES, maxBytes));
  let size = 0;
  let dropped = false;

  function makeRoom(wanted: number): void {
    if (wanted <= kept.length) return;
    const larger = Buffer.alloc(Math.min(maxBytes, Math.max(wanted, kept.length * 2)));
    kept.copy(larger, 0, 0, size);
    kept = larger;
  }

  return {
    push(chunk) {
      const part = chunk.subarray(0, maxBytes - size);
      if (part.length < chunk.length) dropped = true;
      makeRoom(size + part.length);
      size += part.copy(kept, size);
    },
    text() {
      const bytes = kept.subarray(0, size);
      if (!dropped) return bytes.toString('utf8');
      // A StringDecoder holds back the character that the cut went through.
      return `${new StringDecoder('utf8').write(bytes)}${TRUNCATION_MARK}`;
    },
  };
}
