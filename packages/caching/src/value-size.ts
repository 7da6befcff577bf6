import { types } from 'node:util';

const OBJECT_BYTES = 16;
const NUMBER_BYTES = 8;

/** Bytes that a key counts for: its UTF-8 length. */
export function keyBytes(key: string): number {
  return Buffer.byteLength(key);
}

/**
 * Estimates what a value takes, in bytes: strings by their UTF-8 length, numbers 8, binary data its length, objects
 * 16 plus their keys and values, each shared object once. Close enough to bound memory, not an exact measure.
 */
export function estimateBytes(value: unknown): number {
  let bytes = 0;
  const seen = new Set<object>();
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (typeof item === 'string') bytes += Buffer.byteLength(item);
    else if (typeof item !== 'object' || item === null) bytes += NUMBER_BYTES;
    else if (!seen.has(item)) {
      seen.add(item);
      bytes += OBJECT_BYTES + partsOf(item, pending);
    }
  }
  return bytes;
}

/** Puts what an object holds on the pile. @returns the bytes of what needs no further look */
function partsOf(item: object, pending: unknown[]): number {
  if (ArrayBuffer.isView(item) || types.isAnyArrayBuffer(item)) return item.byteLength;
  if (types.isMap(item)) for (const [key, value] of item) pending.push(key, value);
  else if (types.isSet(item) || Array.isArray(item)) for (const value of item) pending.push(value);
  else if (types.isNativeError(item)) pending.push(item.message, item.stack);
  let bytes = 0;
  if (!Array.isArray(item)) {
    for (const [key, value] of Object.entries(item)) {
      bytes += Buffer.byteLength(key);
      pending.push(value);
    }
  }
  return bytes;
}
