const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts a byte stream into lines of text. The same bytes give the same lines, however they are cut into chunks. */
export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Gives an unfinished last line. */
  end(): void;
}

/** 64 KiB: a longer line is given in pieces, so that output without a newline costs no memory. */
export const MAX_LINE_BYTES = 65_536;

/** From here on it is certain that the line is too long, also if a `\r\n` is what comes next. */
const CERTAIN_BYTES = MAX_LINE_BYTES + 2;

/** Calls `onLine` for each line, without its `\n` or `\r\n`, decoded leniently: an invalid byte becomes U+FFFD. */
export function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  let parts: Buffer[] = [];
  let partBytes = 0;

  function takeParts(): Buffer {
    const [only] = parts;
    const all = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    parts = [];
    partBytes = 0;
    return all;
  }

  /** Gives pieces from the front while more than `limitBytes` are left. @returns what is left */
  function givePieces(bytes: Buffer, limitBytes: number): Buffer {
    let rest = bytes;
    while (rest.length > limitBytes) {
      const end = pieceEnd(rest);
      onLine(rest.toString('utf8', 0, end));
      rest = rest.subarray(end);
    }
    return rest;
  }

  function giveLine(bytes: Buffer): void {
    const line = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
    onLine(givePieces(line, MAX_LINE_BYTES).toString('utf8'));
  }

  function keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    parts.push(bytes);
    partBytes += bytes.length;
  }

  return {
    push(chunk) {
      let from = 0;
      for (let to = chunk.indexOf(NEWLINE); to !== -1; from = to + 1, to = chunk.indexOf(NEWLINE, from)) {
        keep(chunk.subarray(from, to));
        giveLine(takeParts());
      }
      keep(chunk.subarray(from));
      if (partBytes >= CERTAIN_BYTES) keep(givePieces(takeParts(), CERTAIN_BYTES - 1));
    },
    end() {
      if (partBytes > 0) giveLine(takeParts());
    },
  };
}

/** Where a piece of at most `MAX_LINE_BYTES` ends without cutting a character: no continuation byte (10xxxxxx) follows. */
function pieceEnd(bytes: Buffer): number {
  for (let end = MAX_LINE_BYTES; end > MAX_LINE_BYTES - 4; end -= 1) {
    if (((bytes[end] ?? 0) & 0xc0) !== 0x80) return end;
  }
  return MAX_LINE_BYTES;
}
