import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { EntryHead, StoredEntry } from '../cache-store.ts';

/**
 * What the index holds of an entry: everything but its value, which is a blob of its own.
 *
 * Both are written by Node's structured serialisation (`node:v8`): it keeps what `structuredClone` keeps (Map, Set,
 * Date, BigInt, binary data, undefined, cycles), reads what any older Node wrote, and is several times as fast as JSON
 * with types put back in. Each is read only if its SHA-256 is the one that was written down.
 */
export interface EntryRecord {
  readonly key: string;
  readonly head: EntryHead;
  /** Name of the blob's file. */
  readonly blob: string;
  readonly blobBytes: number;
  /** SHA-256 of the blob in hex. */
  readonly blobDigest: string;
}

/** Begins every index file; it changes with the format, so that a file of another format reads as a damaged one. */
const MAGIC = Buffer.from('pawl-cache-1\n');
const DIGEST_BYTES = 32;

/** The name of the index file of a key: fits any key, and tells those apart that differ in a lone surrogate. */
export function indexName(key: string): string {
  return createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('hex');
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function encodeRecord(record: EntryRecord): Buffer {
  const body = serialize(record);
  return Buffer.concat([MAGIC, createHash('sha256').update(body).digest(), body]);
}

/** The record, or undefined when the file is damaged. */
export function decodeRecord(bytes: Buffer): EntryRecord | undefined {
  const bodyAt = MAGIC.length + DIGEST_BYTES;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const body = bytes.subarray(bodyAt);
  const digest = createHash('sha256').update(body).digest();
  if (!digest.equals(bytes.subarray(MAGIC.length, bodyAt))) return undefined;
  return readable(body) as EntryRecord | undefined;
}

/** @throws DataCloneError for a value that can't be copied */
export function encodeContent({ value, failure }: StoredEntry<unknown>): Buffer {
  return serialize({ value, failure });
}

/** The value or failure, or undefined when this Node can't read it. */
export function decodeContent(bytes: Buffer): Pick<StoredEntry<unknown>, 'value' | 'failure'> | undefined {
  return readable(bytes) as Pick<StoredEntry<unknown>, 'value' | 'failure'> | undefined;
}

/** What was serialised, or undefined when a newer Node did it in a way that this one does not know. */
function readable(bytes: Buffer): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return undefined;
  }
}

export function headOf({ value: _value, failure: _failure, ...head }: StoredEntry<unknown>): EntryHead {
  return head;
}
