/** The beginning and the end of an output, however long it is. */
export interface BoundedOutput {
  push(chunk: Buffer): void;
  /** How much lies between the two and was not kept. */
  readonly omittedBytes: number;
  /** Invalid bytes replaced; a line of its own says how much was left out. */
  text(): string;
}

const FIRST_BYTES = 4_096;

/**
 * Keeps all of what is pushed up to `maxBytes`, and of more than that the first and the last half. One buffer that grows:
 * its second half is a ring once it is full.
 */
export function createBoundedOutput(maxBytes: number): BoundedOutput {
  const headBytes = Math.ceil(maxBytes / 2);
  const tailBytes = maxBytes - headBytes;
  let kept = Buffer.alloc(0);
  let total = 0;

  function grow(needed: number): void {
    if (kept.length >= needed || kept.length === maxBytes) return;
    const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(FIRST_BYTES, 2 * kept.length, needed)));
    kept.copy(larger, 0, 0, Math.min(total, kept.length));
    kept = larger;
  }

  /** Writes behind what was written, from the ring's beginning again at its end. */
  function pushToRing(chunk: Buffer): void {
    if (tailBytes === 0) {
      total += chunk.length;
      return;
    }
    // What would be written over at once.
    const from = Math.max(0, chunk.length - tailBytes);
    total += from;
    for (let next = from; next < chunk.length;) {
      const at = headBytes + ((total - headBytes) % tailBytes);
      const copied = chunk.copy(kept, at, next);
      next += copied;
      total += copied;
    }
  }

  const omitted = (): number => Math.max(0, total - maxBytes);

  return {
    push(chunk) {
      grow(total + chunk.length);
      const fits = Math.min(chunk.length, Math.max(0, maxBytes - total));
      chunk.copy(kept, total, 0, fits);
      total += fits;
      if (fits < chunk.length) pushToRing(chunk.subarray(fits));
    },
    get omittedBytes() {
      return omitted();
    },
    text() {
      if (omitted() === 0) return kept.toString('utf8', 0, total);
      const oldest = tailBytes === 0 ? maxBytes : headBytes + ((total - headBytes) % tailBytes);
      const tail = Buffer.concat([kept.subarray(oldest, maxBytes), kept.subarray(headBytes, oldest)]);
      const start = characterStart(tail, 0);
      const end = characterStart(kept, headBytes);
      const left = omitted() + start + headBytes - end;
      return `${kept.toString('utf8', 0, end)}\n[${left} bytes left out]\n${tail.toString('utf8', start)}`;
    },
  };
}

/** The place itself or, when it is amid a character, the nearest beginning of one: before it, or behind it at the start. */
function characterStart(bytes: Buffer, at: number): number {
  const step = at === 0 ? 1 : -1;
  let start = at;
  // A character has at most three continuation bytes (10xxxxxx); more of them are not UTF-8 anyway.
  while (Math.abs(start - at) < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += step;
  return start;
}
