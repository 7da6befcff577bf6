/**
 * Where the bytes of one log are kept. Its bytes are addressed by their place since the beginning; the oldest may be
 * gone. What is appended ends with a line end, and only whole appends become readable.
 */
export interface LogStorage {
  /** Of the oldest byte that is kept, always the first of an entry. */
  readonly start: number;
  /** Behind the last byte that can be read. */
  readonly end: number;
  /** Whether nothing more will come. */
  readonly closed: boolean;
  /** Why it takes no more bytes: what is appended after that is not kept. */
  readonly fault: Error | undefined;
  /** @returns a promise when the writer should wait for it before it brings more */
  append(bytes: Buffer, entries: number): Promise<void> | undefined;
  /** Resolves when all that was appended can be read, or never will be. Nothing may be appended after it. */
  close(): Promise<void>;
  /** Resolves when there is more to read, or nothing more will come. */
  changed(): Promise<void>;
  reader(): LogReader;
}

/** Reads at its own pace; it holds a descriptor at most. */
export interface LogReader {
  /**
   * At most `maxBytes` from the offset on; nothing at the end. Undefined when the bytes there are not kept any more.
   */
  read(from: number, maxBytes: number): Promise<Buffer | undefined>;
  close(): Promise<void>;
}
