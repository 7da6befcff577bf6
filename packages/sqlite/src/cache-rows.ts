import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import type { EntryHead, StoredEntry } from '@pawl/caching';
import type { SqlRow } from './sqlite-driver.ts';

/**
 * What is wrong with an entry: what is known of it, or its value, is not what was stored; or this Node can't read the
 * value, which a newer one stored.
 */
export type CacheDamage = 'head' | 'content' | 'value';

/**
 * An entry as it is stored. Head and content are written by Node's structured serialisation (`node:v8`), which keeps
 * what `structuredClone` keeps. `contentDigest` is the SHA-256 of the content, `digest` that of all else, so that
 * heads are checked without reading the contents.
 */
export interface CacheRow {
  /** The key as JSON text. */
  readonly key: string;
  readonly head: Uint8Array;
  readonly content: Uint8Array;
  readonly contentDigest: Uint8Array;
  readonly digest: Uint8Array;
  /** What it counts: key, head and content. */
  readonly bytes: number;
}

/** @throws DataCloneError for a value that can't be copied */
export function toCacheRow(keyText: string, { value, failure, ...head }: StoredEntry<unknown>): CacheRow {
  const headBytes = serialize(head);
  const content = serialize({ value, failure });
  const contentDigest = createHash('sha256').update(content).digest();
  return {
    key: keyText,
    head: headBytes,
    content,
    contentDigest,
    digest: digestOf(keyText, headBytes, contentDigest),
    bytes: Buffer.byteLength(keyText) + headBytes.length + content.length,
  };
}

/** What is known of a stored entry, or undefined when it is damaged. */
export function headOf(row: SqlRow): EntryHead | undefined {
  const { key, head, content_digest: contentDigest, digest } = row;
  if (!isBytes(head) || !isBytes(contentDigest) || !isBytes(digest)) return undefined;
  if (!digestOf(String(key), head, contentDigest).equals(digest)) return undefined;
  return readable(head) as EntryHead | undefined;
}

/** The entry, or what is wrong with it. */
export function entryOf<V>(row: SqlRow): StoredEntry<V> | CacheDamage {
  const head = headOf(row);
  if (head === undefined) return 'head';
  const { content, content_digest: contentDigest } = row;
  if (!isBytes(content) || !isBytes(contentDigest)) return 'content';
  if (!createHash('sha256').update(content).digest().equals(contentDigest)) return 'content';
  const read = readable(content) as Pick<StoredEntry<V>, 'value' | 'failure'> | undefined;
  return read === undefined ? 'value' : { ...head, ...read };
}

/** The key of a stored entry, or undefined when it is damaged. */
export function keyOf(row: SqlRow): string | undefined {
  try {
    return JSON.parse(String(row['key'])) as string;
  } catch {
    return undefined;
  }
}

function digestOf(keyText: string, head: Uint8Array, contentDigest: Uint8Array): Buffer {
  return createHash('sha256').update(contentDigest).update(head).update(keyText).digest();
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function readable(bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return undefined;
  }
}
