import { fileURLToPath } from 'node:url';
import { checkString, expectedMessage } from '@pawl/core';

/** @throws TypeError when it is no array of strings */
export function checkStrings(name: string, value: unknown): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new TypeError(expectedMessage(name, 'an array of strings', value));
}

/** @throws TypeError when it is no object of strings, naming the variable that is none */
export function checkEnvironment(name: string, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(expectedMessage(name, 'an object of strings', value));
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new TypeError(expectedMessage(`${name}.${key}`, 'a string', text));
  }
  return value as Readonly<Record<string, string>>;
}

/** @returns its path. @throws TypeError when it is neither a path nor a `file:` URL */
export function checkFolder(name: string, value: unknown): string {
  if (!(value instanceof URL)) {
    if (typeof value === 'string') return checkString(name, value);
    throw new TypeError(expectedMessage(name, 'a path or a file: URL', value));
  }
  if (value.protocol !== 'file:')
    throw new TypeError(expectedMessage(name, 'a path or a file: URL', value.href));
  return fileURLToPath(value);
}

/** @throws TypeError when one of the methods is missing */
export function checkMethods<T>(
  name: string,
  value: T,
  what: string,
  methods: readonly (keyof T & string)[],
): T {
  if (typeof value === 'object' && value !== null) {
    if (methods.every((method) => typeof value[method] === 'function')) return value;
  }
  throw new TypeError(expectedMessage(name, what, value));
}
