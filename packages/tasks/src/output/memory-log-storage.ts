import { createDeferred } from '@pawl/core';
import type { LogStorage } from './log-storage.ts';

interface Segment {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly entries: number;
}

const NEWLINE = 0x0a;

/** Keeps the last `maxEntries` entries, and at most `maxBytes` bytes of them. */
export function createMemoryLogStorage(maxEntries: number, maxBytes: number): LogStorage {
  const segments: Segment[] = [];
  let entries = 0;
  let end = 0;
  let closed = false;
  let change = createDeferred();

  const start = (): number => segments[0]?.offset ?? end;

  /** Drops whole segments while the rest is enough. */
  function trim(): void {
    let gone = 0;
    let bytes = end - start();
    for (const segment of segments) {
      const isDispensable = entries - segment.entries >= maxEntries || bytes > maxBytes;
      if (!isDispensable || gone === segments.length - 1) break;
      entries -= segment.entries;
      bytes -= segment.bytes.length;
      gone += 1;
    }
    segments.splice(0, gone);
  }

  /** Drops the first entries of the first segment too. Only readers can tell, so it is done for them alone. */
  function trimExactly(): void {
    const [first] = segments;
    if (first === undefined || entries <= maxEntries) return;
    const surplus = entries - maxEntries;
    let cut = 0;
    for (let count = 0; count < surplus; count += 1) cut = first.bytes.indexOf(NEWLINE, cut) + 1;
    segments[0] = {
      offset: first.offset + cut,
      bytes: first.bytes.subarray(cut),
      entries: first.entries - surplus,
    };
    entries = maxEntries;
  }

  function tell(): void {
    const told = change;
    change = createDeferred();
    told.resolve();
  }

  return {
    get start() {
      trimExactly();
      return start();
    },
    get end() {
      return end;
    },
    get closed() {
      return closed;
    },
    fault: undefined,
    append(bytes, count) {
      segments.push({ offset: end, bytes, entries: count });
      end += bytes.length;
      entries += count;
      trim();
      tell();
      return undefined;
    },
    async close() {
      closed = true;
      tell();
    },
    changed: () => change.promise,
    reader: () => ({
      async read(from, most) {
        trimExactly();
        if (from < start()) return undefined;
        const parts: Buffer[] = [];
        let missing = most;
        for (const { offset, bytes } of segments.slice(segmentAt(segments, from))) {
          if (missing <= 0) break;
          const part = bytes.subarray(Math.max(0, from - offset)).subarray(0, missing);
          parts.push(part);
          missing -= part.length;
        }
        return Buffer.concat(parts);
      },
      close: async () => undefined,
    }),
  };
}

/** The index of the segment that holds the byte at `offset`. */
function segmentAt(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.offset ?? Infinity) <= offset) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
