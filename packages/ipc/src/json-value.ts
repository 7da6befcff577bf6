import { showValue } from '@pawl/core';

/** What JSON turns into something else without a word. Named by the tag, which also holds across realms. */
const CHANGED_BY_JSON: ReadonlySet<string> = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'Promise',
  'RegExp',
  'Error',
  'ArrayBuffer',
  'SharedArrayBuffer',
  'String',
  'Number',
  'Boolean',
]);

/** A part of a value that would not arrive as it was. */
export interface ChangedPart {
  /** `result.items[3].id`, with the root that was given. */
  readonly path: string;
  /** What it is, as it goes into a sentence: `a Map`. */
  readonly what: string;
}

/**
 * Where a value has a part that JSON would change in silence: a Map or Set (`{}`), a Date (text), bytes, a function or
 * symbol (left out), NaN or an infinity (`null`), a hole or `undefined` in an array (`null`). An object that says by
 * `toJSON` what it is in JSON has said so. Fields that are `undefined` are left out: to read them gives the same.
 */
export function findChangedPart(root: string, value: unknown): ChangedPart | undefined {
  try {
    return isKept(value) ? undefined : locate(root, value);
  } catch {
    // Nested so deeply that the stack does not do, or a getter that answers once: JSON has had its say.
    return undefined;
  }
}

/** The quick look, which is all that most values cost. */
function isKept(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (Array.isArray(value) ? isKeptList(value) : isKeptObject(value));
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
    default:
      return false;
  }
}

function isKeptList(list: readonly unknown[]): boolean {
  for (const item of list) if (!isKept(item)) return false;
  return true;
}

function isKeptObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  if (!isPlain && nameOfChanged(value) !== undefined) return false;
  if (saysItself(value)) return true;
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field !== undefined && !isKept(field) && Object.hasOwn(value, key)) return false;
  }
  return true;
}

function locate(path: string, value: unknown): ChangedPart | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { path, what: String(value) };
  if (typeof value !== 'object') {
    if (value === undefined) return { path, what: 'undefined in an array' };
    return typeof value === 'function' || typeof value === 'symbol'
      ? { path, what: `a ${typeof value}` }
      : undefined;
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const found = locate(`${path}[${index}]`, value[index]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const name = nameOfChanged(value);
  if (name !== undefined) return { path, what: `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}` };
  if (saysItself(value)) return undefined;
  for (const [key, field] of Object.entries(value)) {
    const found = field === undefined ? undefined : locate(`${path}${propertyPath(key)}`, field);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Date and Buffer have a `toJSON`, but nobody who sends one means its text. */
function nameOfChanged(value: object): string | undefined {
  if (Buffer.isBuffer(value)) return 'Buffer';
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === 'Date') return tag;
  const isChanged = CHANGED_BY_JSON.has(tag) || ArrayBuffer.isView(value);
  return isChanged && !saysItself(value) ? tag : undefined;
}

function saysItself(value: object): boolean {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** A field, as a path goes on with it: `.name`, or `["odd name"]`. */
export function propertyPath(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${showValue(key)}]`;
}
