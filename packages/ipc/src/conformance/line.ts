import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;

export type Json = Readonly<Record<string, unknown>>;

/** One line of the channel, blank ones left out. Parsed here anew, so that the kit can't share a fault with the library. */
export interface Line {
  readonly bytes: Buffer;
  /** Its place among the lines of its worker. */
  readonly index: number;
  /** The JSON object it is, or undefined. */
  readonly message: Json | undefined;
  /** Why it is no frame, or undefined. */
  readonly fault: string | undefined;
}

export function parseLine(bytes: Buffer, index: number): Line {
  if (!isUtf8(bytes)) return { bytes, index, message: undefined, fault: 'not valid UTF-8' };
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(index === 0 && text.startsWith('\uFEFF') ? text.slice(1) : text);
    return isObject(value)
      ? { bytes, index, message: value, fault: undefined }
      : { bytes, index, message: undefined, fault: 'not a JSON object' };
  } catch {
    return { bytes, index, message: undefined, fault: 'not JSON' };
  }
}

/** Cuts what comes over a channel into lines. */
export class LineSplitter {
  #count = 0;
  #parts: Buffer[] = [];

  /** What came behind the last newline. */
  get rest(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** The lines that became whole, blank ones left out. */
  push(chunk: Buffer): readonly Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const bytes = Buffer.concat([...this.#parts, chunk.subarray(start, end)]);
      this.#parts = [];
      start = end + 1;
      if (bytes.toString('latin1').trim() === '') continue;
      lines.push(parseLine(bytes, this.#count));
      this.#count += 1;
    }
    if (start < chunk.length) this.#parts.push(chunk.subarray(start));
    return lines;
  }
}

/** What keeps a JSON object from being one of the four kinds of message, or undefined. */
export function shapeFault(message: Json): string | undefined {
  if (message['jsonrpc'] !== '2.0') return 'it has no `"jsonrpc": "2.0"`';
  const has = (key: string): boolean => Object.hasOwn(message, key);
  if (has('method')) {
    if (typeof message['method'] !== 'string') return '`method` is not a string';
    if (has('result') || has('error')) return 'it has a `method` and an answer';
    return !has('id') || isId(message['id']) ? undefined : '`id` is not an integer from 1 to 2^53 − 1';
  }
  if (has('result') === has('error')) return 'it has not exactly one of `method`, `result` and `error`';
  if (has('result')) return isId(message['id']) ? undefined : '`id` is not an integer from 1 to 2^53 − 1';
  if (message['id'] !== null && !isId(message['id'])) return '`id` is not an integer from 1 to 2^53 − 1';
  const { error } = message;
  if (!isObject(error)) return '`error` is not an object';
  if (!Number.isSafeInteger(error['code'])) return '`error.code` is not an integer';
  return typeof error['message'] === 'string' ? undefined : '`error.message` is not a string';
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(id: unknown): boolean {
  return Number.isSafeInteger(id) && (id as number) > 0;
}
