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
  if (!(error instanceof Error)) return 'a value whose toJSON threw';
  if (error instanceof RangeError) return 'nested too deeply';
  if (/circular/i.test(error.message)) return 'a cycle';
  return /BigInt/.test(error.message) ? 'a BigInt' : error.message;
}

/** Where in `value` the part is that JSON can't carry: `result.items[3].id`. Only walked once stringify has failed. */
function pathOfFault(root: string, value: unknown): string | undefined {
  const ancestors: object[] = [];
  const walk = (path: string, part: unknown): string | undefined => {
    if (typeof part === 'bigint') return path;
    if (typeof part !== 'object' || part === null) return undefined;
    if (ancestors.includes(part)) return path;
    if (ancestors.length > 500) return path;
    if ('toJSON' in part && typeof part.toJSON === 'function') {
      try {
        JSON.stringify(part);
        return undefined;
      } catch {
        return path;
      }
    }
    ancestors.push(part);
    for (const [key, child] of Object.entries(part)) {
      const at = Array.isArray(part) ? `${path}[${key}]` : `${path}.${key}`;
      const fault = walk(at, child);
      if (fault !== undefined) return fault;
    }
    ancestors.pop();
    return undefined;
  };
  return walk(root, value);
}
