import { StringDecoder } from 'node:string_decoder';

/** What is put behind output that was cut. */
export const TRUNCATION_MARK = '\n... (output truncated)';

/** Collects one output stream up to a limit. What comes beyond is dropped, so a flood costs no memory. */
export interface OutputCollector {
  push(chunk: Buffer): void;
  /** What was collected, as text: cut at a character boundary and marked if anything was dropped. */
  text(): string;
}

/** @param maxBytes the limit in bytes of UTF-8 */
export function createOutputCollector(maxBytes: number): OutputCollector {
  const chunks: Buffer[] = [];
  let kept = 0;
  let dropped = false;
  return {
    push(chunk) {
      const room = maxBytes - kept;
      if (chunk.length > room) dropped = true;
      if (room <= 0) return;
      // A slice would keep the whole chunk alive.
      const part = chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk;
      chunks.push(part);
      kept += part.length;
    },
    text() {
      const bytes = Buffer.concat(chunks);
      if (!dropped) return bytes.toString('utf8');
      // A StringDecoder holds back the character that the cut went through.
      return `${new StringDecoder('utf8').write(bytes)}${TRUNCATION_MARK}`;
    },
  };
}
