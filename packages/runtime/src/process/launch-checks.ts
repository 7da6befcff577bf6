import { fileURLToPath } from 'node:url';
import { checkString, expectedMessage } from '@pawl/core';

/** What is handed to the operating system ends at the first zero byte. @throws TypeError when there is one */
export function checkNoNul(name: string, value: string): string {
  if (value.includes('\0')) throw new TypeError(expectedMessage(name, 'without a zero byte', value));
  return value;
}

/** @throws TypeError when it is no array of strings */
export function checkStrings(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new TypeError(expectedMessage(name, 'an array of strings', value));
  }
  for (const [index, item] of value.entries()) checkNoNul(`${name}[${index}]`, item);
  return value;
}

/** @throws TypeError when it is no object of strings, naming the variable that is none */
export function checkEnvironment(name: string, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(expectedMessage(name, 'an object of strings', value));
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw new TypeError(expectedMessage(`${name}.${key}`, 'a string', text));
    checkNoNul(`${name}.${key}`, text);
  }
  return value as Readonly<Record<string, string>>;
}

/** @returns its path. @throws TypeError when it is neither a path nor a `file:` URL */
export function checkFolder(name: string, value: unknown): string {
  if (!(value instanceof URL)) {
    if (typeof value === 'string') return checkNoNul(name, checkString(name, value));
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
