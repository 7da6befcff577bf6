import { createHash } from 'node:crypto';
import { encodeValue } from './key-encoding.ts';

/** Begins every text that is hashed; it changes with the encoding, so that no key of another encoding is met. */
const ENCODING_VERSION = 'pawl-key-1\n';

/**
 * A key made of a value: 64 hex digits, the SHA-256 of the value's canonical typed encoding, the same in every
 * process and on every version of Node.
 *
 * Distinct: `42` and `"42"`; `NaN`, `null`, `undefined` and a missing property; `0` and `-0`; `[]` and `{}`; a hole
 * and `undefined`; Date, Map, Set, RegExp, bigint and each kind of binary data from one another and from all else.
 * Equal: objects whose keys come in another order; Maps and Sets with another order of insertion; an object with and
 * without `Object.prototype`; a Buffer and a Uint8Array with the same bytes. Non-enumerable properties don't count.
 * @throws CACHE_KEY_UNSUPPORTED with the path (`input.items[3].fn`) of a cycle, function, symbol, promise or class
 * instance
 */
export function cacheKey(value: unknown): string {
  return digestOfEncoding(encodeValue(value));
}

/** The key of a text made by `encodeValue`. */
export function digestOfEncoding(encoding: string): string {
  return createHash('sha256').update(ENCODING_VERSION).update(encoding).digest('hex');
}
