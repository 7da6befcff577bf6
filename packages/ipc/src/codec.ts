import { showValue } from '@pawl/core';
import { type ErrorObject, JSON_RPC, type Message } from './message.ts';
import { NotSerializableError } from './ipc-errors.ts';

const HEAD = `{"jsonrpc":"${JSON_RPC}"`;

/*
 * The envelopes are written by hand around one JSON.stringify of the value: that is three times as fast as
 * stringifying the message as a whole.
 */

/** @throws NotSerializableError naming the path in `params` */
export function encodeRequest(id: number, method: string, params: unknown): string {
  return `${HEAD},"id":${id},"method":${JSON.stringify(method)}${encodeParams(params)}}\n`;
}

/** @throws NotSerializableError naming the path in `params` */
export function encodeNotification(method: string, params: unknown): string {
  return `${HEAD},"method":${JSON.stringify(method)}${encodeParams(params)}}\n`;
}

/** A result of `undefined` is sent as `null`. @throws NotSerializableError naming the path in `result` */
export function encodeResult(id: number, result: unknown): string {
  return `${HEAD},"id":${id},"result":${result === undefined ? 'null' : encodeValue('result', result)}}\n`;
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

function encodeParams(params: unknown): string {
  return params === undefined ? '' : `,"params":${encodeValue('params', params)}`;
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

function propertyPath(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${showValue(key)}]`;
}
