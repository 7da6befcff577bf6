import { showValue } from '@pawl/core';
import { type ErrorObject, JSON_RPC, type Message } from './message.ts';
import { NotSerializableError } from './ipc-errors.ts';
import { findChangedPart, propertyPath } from './json-value.ts';

/** How a result that is `undefined` is written. */
export const NO_RESULT = ',"result":null,"undefined":true';

const HEAD = `{"jsonrpc":"${JSON_RPC}"`;

/*
 * The envelopes are written by hand around one JSON.stringify of the value: that is three times as fast as
 * stringifying the message as a whole.
 */

/** A value as JSON text: goes out as it is. For values that are sent often, written by hand around `encodeExact`. */
export class JsonText {
  readonly text: string;

  /** @param text one JSON value, without a newline */
  constructor(text: string) {
    this.text = text;
  }
}

/** The method of the last request, and how it is written: most are of the same. */
let lastMethod = '';
let lastMethodJson = '""';

/** Parameters arrive as they are, or are refused. @throws NotSerializableError naming the path in `params` */
export function encodeRequest(id: number, method: string, params: unknown): string {
  if (method !== lastMethod) {
    lastMethodJson = JSON.stringify(method);
    lastMethod = method;
  }
  if (params === undefined) return `${HEAD},"id":${id},"method":${lastMethodJson}}\n`;
  const json = params instanceof JsonText ? params.text : encodeExact('params', params);
  return `${HEAD},"id":${id},"method":${lastMethodJson},"params":${json}}\n`;
}

/**
 * What JSON makes of the parameters: a Date becomes text, for a progress report or a line of a log must not fail.
 * @throws NotSerializableError naming the path in `params`
 */
export function encodeNotification(method: string, params: unknown): string {
  const encoded = params === undefined ? '' : `,"params":${encodeValue('params', params)}`;
  return `${HEAD},"method":${JSON.stringify(method)}${encoded}}\n`;
}

/**
 * A result arrives as it is, or is refused. One of `undefined` is `null` with a mark beside it, for those who can tell
 * the two apart.
 * @throws NotSerializableError naming the path in `result`
 */
export function encodeResult(id: number, result: unknown): string {
  if (result === undefined) return `${HEAD},"id":${id}${NO_RESULT}}\n`;
  return `${HEAD},"id":${id},"result":${encodeExact('result', result)}}\n`;
}

/** @throws NotSerializableError naming the path in `error` */
export function encodeErrorResponse(id: number | null, error: ErrorObject): string {
  return `${HEAD},"id":${id},"error":${encodeValue('error', error)}}\n`;
}

/** Writes any message as one frame: its JSON and a newline. @throws NotSerializableError naming the path */
export function encodeFrame(message: Message): string {
  if ('method' in message) {
    return 'id' in message
      ? encodeRequest(message.id, message.method, message.params)
      : encodeNotification(message.method, message.params);
  }
  return 'error' in message
    ? encodeErrorResponse(message.id, message.error)
    : encodeResult(message.id, message.result);
}

/**
 * The JSON of a value that arrives as it is.
 * @param root how the path begins that an error names
 * @throws NotSerializableError
 */
export function encodeExact(root: string, value: unknown): string {
  const json = encodeValue(root, value);
  checkExact(root, value);
  return json;
}

/**
 * Refuses what JSON would change in silence, as requests and results do. What JSON can't carry at all is left to the
 * call that sends it.
 * @param root how the path begins
 * @throws NotSerializableError naming the path
 */
export function checkExact(root: string, value: unknown): void {
  const changed = findChangedPart(root, value);
  if (changed !== undefined) throw new NotSerializableError(changed.path, changed.what);
}

function encodeValue(root: string, value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw new NotSerializableError(pathOfFault(root, value) ?? root, faultOf(error), { cause: error });
  }
  // A function, a symbol, or a toJSON that gave undefined: JSON has no text for it.
  if (json === undefined) throw new NotSerializableError(root, `a ${typeof value}`);
  return json;
}

function faultOf(error: unknown): string {
  if (error instanceof RangeError) {
    return /string length/.test(error.message)
      ? 'a value too long for a string'
      : 'a value nested too deeply';
  }
  if (error instanceof TypeError && /circular/i.test(error.message)) return 'a cycle';
  if (error instanceof TypeError && /BigInt/.test(error.message)) return 'a BigInt';
  return `a value that throws when read (${error instanceof Error ? error.message : showValue(error)})`;
}

const MAX_PATH_STEPS = 100;

/** Where in `value` the part is that JSON can't carry: `result.items[3].id`. Only walked once stringify has failed. */
function pathOfFault(root: string, value: unknown): string | undefined {
  const ancestors: object[] = [];
  const walk = (path: string, part: unknown): string | undefined => {
    if (typeof part === 'bigint') return path;
    if (typeof part !== 'object' || part === null) return undefined;
    if (ancestors.includes(part) || ancestors.length >= MAX_PATH_STEPS) return path;
    try {
      if ('toJSON' in part && typeof part.toJSON === 'function') {
        JSON.stringify(part);
        return undefined;
      }
      ancestors.push(part);
      for (const key of Object.keys(part)) {
        const fault = walkChild(path, part, key);
        if (fault !== undefined) return fault;
      }
      ancestors.pop();
      return undefined;
    } catch {
      return path;
    }
  };
  const walkChild = (path: string, parent: object, key: string): string | undefined => {
    const at = Array.isArray(parent) ? `${path}[${key}]` : `${path}${propertyPath(key)}`;
    let child: unknown;
    try {
      child = (parent as Record<string, unknown>)[key];
    } catch {
      return at;
    }
    return walk(at, child);
  };
  return walk(root, value);
}
