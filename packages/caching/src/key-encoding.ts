import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { KeyUnsupportedError } from './caching-errors.ts';

/**
 * A step from a value into one of its parts: a property, an index, or what is reached otherwise, such as a Map's key.
 */
export type PathStep = string | number | { readonly via: string };

/** Nesting beyond this is refused rather than left to overflow the stack. */
const DEEPEST = 500;

/** What stands in a JSON string as it is. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;
/** Up to here a look is cheaper than `JSON.stringify`. */
const SHORT_TEXT = 64;

/** The path as it is written in code: `input.items[3].fn`. */
export function showPath(root: string, steps: readonly PathStep[]): string {
  let path = root;
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (typeof step === 'object') path += `.${step.via}`;
    else path += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return path;
}

/**
 * The value as text, such that two values have the same text exactly when they are equal. Each part is told from
 * its neighbours by its own end (strings are JSON strings, the rest ends in a mark), so no two structures run
 * together. README.md lists what counts as equal.
 * @throws CACHE_KEY_UNSUPPORTED naming the path of what can't be part of a key
 */
export function encodeValue(value: unknown, root = 'input'): string {
  return new Encoder(root).encode(value);
}

/** Whether the value is a plain object: made by `{}`, or without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also of another realm; the prototype of a class that extends null has no such function of its own.
  const isPlain =
    prototype === Object.prototype ||
    prototype === null ||
    (isRoot(prototype) && Object.hasOwn(prototype, 'isPrototypeOf'));
  // Math, a module's namespace and `arguments` bear a tag of their own.
  return isPlain && Object.prototype.toString.call(value) === '[object Object]';
}

class Encoder {
  readonly #root: string;
  readonly #steps: PathStep[] = [];
  /** The objects around the one being encoded; meeting one again is a cycle. */
  readonly #around = new Set<object>();

  constructor(root: string) {
    this.#root = root;
  }

  encode(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return quote(value);
      case 'number':
        return Object.is(value, -0) ? 'd-0;' : `d${value};`;
      case 'boolean':
        return value ? 't;' : 'f;';
      case 'undefined':
        return 'u;';
      case 'bigint':
        return `i${value};`;
      case 'object':
        return value === null ? 'n;' : this.#nested(value);
      case 'function':
        return this.#refuse('a function');
      case 'symbol':
        return this.#refuse('a symbol');
      default:
        return this.#refuse(typeof value);
    }
  }

  #nested(value: object): string {
    if (this.#around.has(value)) return this.#refuse('a cycle');
    if (this.#steps.length >= DEEPEST) return this.#refuse(`nested more than ${DEEPEST} levels deep`);
    this.#around.add(value);
    const text = this.#object(value);
    this.#around.delete(value);
    return text;
  }

  #object(value: object): string {
    if (Array.isArray(value)) return this.#array(value);
    if (isPlainObject(value)) return `{${this.#properties(value)}}`;
    if (ArrayBuffer.isView(value)) return this.#bytes(value);
    // These stand two prototypes away from nothing; one more is a subclass, which may hold more than we see.
    const ownKeys = Reflect.ownKeys(value).length;
    if (prototypeDepth(value) === 2 && ownKeys === (types.isRegExp(value) ? 1 : 0)) {
      if (types.isDate(value)) return `D${value.getTime()};`;
      if (types.isMap(value)) return `M(${this.#map(value)})`;
      if (types.isSet(value)) return `S(${this.#set(value)})`;
      if (types.isRegExp(value)) return `R${JSON.stringify(value.source)}${value.flags},${value.lastIndex};`;
      if (types.isArrayBuffer(value)) return `BArrayBuffer,${digestOf(new Uint8Array(value))};`;
    }
    return this.#refuse(describe(value));
  }

  #array(items: readonly unknown[]): string {
    if (Object.getPrototypeOf(items) !== Array.prototype && prototypeDepth(items) !== 2)
      return this.#refuse(describe(items));
    if (Object.getOwnPropertySymbols(items).length > 0) return this.#refuse('an array with a symbol as key');
    const keys = Object.keys(items);
    let text = '[';
    // Indices come first and in order, so as many keys as items with the last index at the end are all of them.
    if (keys.length === items.length && keys.at(-1) === lastIndexOf(items)) {
      for (let index = 0; index < items.length; index += 1) text += this.#part(index, items[index]);
      return `${text}]`;
    }
    let next = 0;
    for (const key of keys) {
      const index = Number(key);
      if (!Number.isInteger(index) || String(index) !== key || index < 0) {
        return this.#refuse(`an array with the property ${JSON.stringify(key)}`);
      }
      // A hole is not an undefined.
      if (index > next) text += `_${index - next};`;
      text += this.#part(index, items[index]);
      next = index + 1;
    }
    if (items.length > next) text += `_${items.length - next};`;
    return `${text}]`;
  }

  #properties(record: Record<string, unknown>): string {
    if (Object.getOwnPropertySymbols(record).length > 0)
      return this.#refuse('an object with a symbol as key');
    let text = '';
    for (const key of sortedKeys(record)) text += quote(key) + this.#part(key, record[key]);
    return text;
  }

  #map(map: ReadonlyMap<unknown, unknown>): string {
    const entries: string[] = [];
    for (const [key, value] of map) {
      const keyText = this.#part({ via: 'keys()' }, key);
      entries.push(keyText + this.#part({ via: `get(${shown(key)})` }, value));
    }
    return entries.toSorted().join('');
  }

  #set(set: ReadonlySet<unknown>): string {
    return [...set]
      .map((item) => this.#part({ via: 'values()' }, item))
      .toSorted()
      .join('');
  }

  #bytes(view: ArrayBufferView): string {
    const depth = types.isDataView(view) ? 2 : Buffer.isBuffer(view) ? 4 : 3;
    if (prototypeDepth(view) !== depth) return this.#refuse(describe(view));
    const kind = (view as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
    if (types.isSharedArrayBuffer(view.buffer)) return this.#refuse('shared memory');
    return `B${String(kind)},${digestOf(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))};`;
  }

  #part(step: PathStep, value: unknown): string {
    this.#steps.push(step);
    const text = this.encode(value);
    this.#steps.pop();
    return text;
  }

  #refuse(found: string): never {
    throw new KeyUnsupportedError(showPath(this.#root, this.#steps), found);
  }
}

/** As JSON: well-formed, so a lone surrogate is escaped and survives UTF-8. */
function quote(text: string): string {
  return text.length <= SHORT_TEXT && PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text);
}

function lastIndexOf(items: readonly unknown[]): string | undefined {
  return items.length === 0 ? undefined : String(items.length - 1);
}

/** In order of UTF-16 units, which no locale changes. */
function sortedKeys(record: Record<string, unknown>): readonly string[] {
  const keys = Object.keys(record);
  for (let at = 1; at < keys.length; at += 1) {
    // Most often they are in order, and need no sort.
    if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return keys.toSorted();
  }
  return keys;
}

/** How many prototypes are above the object: 0 for `Object.create(null)`, 1 for `{}`, 2 for a Date, also across realms. */
function prototypeDepth(value: object): number {
  let depth = 0;
  for (let above: unknown = Object.getPrototypeOf(value); above !== null; depth += 1) {
    above = Object.getPrototypeOf(above);
  }
  return depth;
}

/** Whether nothing stands above that object. */
function isRoot(prototype: unknown): prototype is object {
  return typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null;
}

function describe(value: object): string {
  if (types.isPromise(value)) return 'a promise';
  if (Array.isArray(value)) return 'an instance of a subclass of Array';
  const name: unknown = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an instance of a class';
}

function shown(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' ? JSON.stringify(key) : '…';
}

function digestOf(bytes: Uint8Array): string {
  return `${bytes.byteLength},${createHash('sha256').update(bytes).digest('hex')}`;
}
