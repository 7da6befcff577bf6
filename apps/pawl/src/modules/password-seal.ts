import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasCode } from '@pawl/core';

/**
 * Keeps passwords out of what is stored: a run and a schedule hold the sealed text, and the key is in a file of its
 * own. It protects copies of the store, such as backups, not against who may read the key.
 */
export interface PasswordSeal {
  /** The same text for the same password and context, so that a repeated request is known for what it is. */
  seal(password: string, context: string): string;
  /** @returns undefined for a text that was not sealed with this key in this context */
  open(sealed: string, context: string): string | undefined;
  isSealed(text: string): boolean;
}

const PREFIX = 'sealed:v1:';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** AES-256-GCM with a nonce derived from password and context by HMAC-SHA-256. @param key 32 secret bytes */
export function createPasswordSeal(key: Buffer): PasswordSeal {
  const subkey = (purpose: string): Buffer => createHmac('sha256', key).update(purpose).digest();
  const encryptionKey = subkey('encryption');
  const nonceKey = subkey('nonce');
  return {
    seal(password, context) {
      const text = JSON.stringify([context, password]);
      const nonce = createHmac('sha256', nonceKey).update(text).digest().subarray(0, NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', encryptionKey, nonce).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(password, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return PREFIX + sealed.toString('base64url');
    },
    open(sealed, context) {
      if (!sealed.startsWith(PREFIX)) return undefined;
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', encryptionKey, nonce, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
        return Buffer.concat([text, decipher.final()]).toString();
      } catch {
        return undefined;
      }
    },
    isSealed: (text) => text.startsWith(PREFIX),
  };
}

/** Reads the key, or makes one that nobody else may read. @param file absent: a key that ends with this process */
export function readSealKey(file: string | undefined): Buffer {
  if (file === undefined) return randomBytes(KEY_BYTES);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, randomBytes(KEY_BYTES).toString('hex'), { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
  if (key.length !== KEY_BYTES) throw new Error(`Expected ${file} to hold a key of 64 hex digits.`);
  return key;
}
