const SHOWN_BYTES = 300;
const KEPT_CHUNKS = 30;

interface Chunk {
  readonly from: 'host' | 'worker' | 'stderr';
  readonly start: Buffer;
  readonly sizeBytes: number;
}

/** What went over the streams of one worker, in order, as far as it helps to understand a breach. */
export class Exchange {
  readonly #chunks: Chunk[] = [];
  #recorded = 0;

  record(from: Chunk['from'], bytes: Buffer): void {
    this.#recorded += 1;
    this.#chunks.push({ from, start: Buffer.from(bytes.subarray(0, SHOWN_BYTES)), sizeBytes: bytes.length });
    if (this.#chunks.length > KEPT_CHUNKS) this.#chunks.shift();
  }

  /** The last chunks, escaped, each with who sent it. */
  shown(): readonly string[] {
    const leftOut = this.#recorded - this.#chunks.length;
    return [...(leftOut > 0 ? [`(${leftOut} before)`] : []), ...this.#chunks.map(showChunk)];
  }
}

const ARROWS = { host: '→', worker: '←', stderr: '!' } as const;

function showChunk({ from, start, sizeBytes }: Chunk): string {
  const rest = sizeBytes - start.length;
  return `${ARROWS[from]} ${escapeBytes(start)}${rest > 0 ? ` … (${rest} bytes more)` : ''}`;
}

/** ASCII as it is, everything else as an escape: a broken worker may send anything. */
export function escapeBytes(bytes: Uint8Array): string {
  let shown = '';
  for (const byte of bytes) {
    if (byte === 0x0a) shown += '\\n';
    else if (byte === 0x0d) shown += '\\r';
    else if (byte === 0x09) shown += '\\t';
    else if (byte === 0x5c) shown += '\\\\';
    else if (byte >= 0x20 && byte < 0x7f) shown += String.fromCodePoint(byte);
    else shown += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return shown;
}
