const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts a byte stream into lines of text. */
export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Gives an unfinished last line. */
  end(): void;
}

/** 64 KiB: a longer line is given in pieces, so that output without a newline costs no memory. */
const MAX_LINE_BYTES = 65_536;

/** Calls `onLine` for each line, without its `\n` or `\r\n`, decoded leniently: an invalid byte becomes U+FFFD. */
export function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  let parts: Buffer[] = [];
  let partBytes = 0;

  function give(last: Buffer): void {
    const line = parts.length === 0 ? last : Buffer.concat([...parts, last]);
    parts = [];
    partBytes = 0;
    onLine(line.toString('utf8', 0, line.at(-1) === CARRIAGE_RETURN ? line.length - 1 : line.length));
  }

  return {
    push(chunk) {
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to !== -1; from = to + 1, to = chunk.indexOf(NEWLINE, from)) {
        give(chunk.subarray(from, to));
      }
      for (let rest = chunk.subarray(from); rest.length > 0;) {
        const piece = rest.subarray(0, MAX_LINE_BYTES - partBytes);
        rest = rest.subarray(piece.length);
        if (partBytes + piece.length === MAX_LINE_BYTES) give(piece);
        else {
          parts.push(piece);
          partBytes += piece.length;
        }
      }
    },
    end() {
      if (partBytes > 0) give(Buffer.alloc(0));
    },
  };
}
