const NEWLINE = 0x0a;

/** 64 KiB: a longer line is given in pieces, so that output without a newline costs no memory. */
export const MAX_PIECE_BYTES = 65_536;

/** Cuts a byte stream at line ends, many lines at a time, which is what makes it fast. */
export interface LineBatches {
  push(chunk: Buffer): void;
  /** Gives an unfinished last line. */
  end(): void;
}

/**
 * @param onBatch gets whole lines with the newline between them but not behind the last; or, when `endsLine` is false,
 * a piece that no newline follows, cut between characters
 */
export function createLineBatches(onBatch: (bytes: Buffer, endsLine: boolean) => void): LineBatches {
  let parts: Buffer[] = [];
  let partBytes = 0;

  function takeParts(): Buffer {
    const [only] = parts;
    const all = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, partBytes);
    parts = [];
    partBytes = 0;
    return all;
  }

  function keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    parts.push(bytes);
    partBytes += bytes.length;
  }

  function take(bytes: Buffer): void {
    const last = bytes.lastIndexOf(NEWLINE);
    if (last === -1) {
      keep(bytes);
    } else {
      keep(bytes.subarray(0, last));
      onBatch(takeParts(), true);
      keep(bytes.subarray(last + 1));
    }
    // Something is always left, so that no piece has nothing but the line end.
    if (partBytes <= MAX_PIECE_BYTES) return;
    const long = takeParts();
    const end = pieceEnd(long);
    onBatch(long.subarray(0, end), false);
    keep(long.subarray(end));
  }

  return {
    push(chunk) {
      for (let from = 0; from < chunk.length; from += MAX_PIECE_BYTES) {
        take(chunk.subarray(from, from + MAX_PIECE_BYTES));
      }
    },
    end() {
      if (partBytes > 0) onBatch(takeParts(), false);
    },
  };
}

/** Where a piece of at most `MAX_PIECE_BYTES` ends without cutting a character: no continuation byte (10xxxxxx) follows. */
function pieceEnd(bytes: Buffer): number {
  for (let end = MAX_PIECE_BYTES; end > MAX_PIECE_BYTES - 4; end -= 1) {
    if (((bytes[end] ?? 0) & 0xc0) !== 0x80) return end;
  }
  return MAX_PIECE_BYTES;
}
