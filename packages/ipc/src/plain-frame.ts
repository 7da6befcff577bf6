import { NO_RESULT } from './codec.ts';
import { JSON_RPC, type RequestMessage, type ResultMessage } from './message.ts';

const HEAD = `{"jsonrpc":"${JSON_RPC}","id":`;
const RESULT = ',"result":';
const METHOD = ',"method":"';
const PARAMS = ',"params":';
/** Below 10^15 every integer is exact. */
const MAX_ID_DIGITS = 15;

/** What a JSON string has to escape, and the escape itself. */
// oxlint-disable-next-line no-control-regex -- these are the characters meant
const NOT_PLAIN = /[\\\u0000-\u001f]/;

const ZERO = 0x30;
const NINE = 0x39;
const CLOSING_BRACE = 0x7d;

/** A slice of a text up to this long is a copy; of a longer one V8 keeps the whole text. */
const COPIED_LENGTH = 12;

/** The method of the last request that was read, and how it stands in a frame: most are of the same. */
let lastMethod = '';
let lastMethodPart = METHOD + '"' + PARAMS;

/**
 * Reads a request or a result that is written the way this package writes it: the envelope by hand, the value by
 * JSON.parse, which takes two thirds of the time of parsing the frame as a whole. Gives up, without a verdict, on
 * anything written otherwise: then the general way decides what it is. The frame is `text` from `from` to `to`.
 */
export function parsePlainFrame(
  text: string,
  from = 0,
  to: number = text.length,
): RequestMessage | ResultMessage | undefined {
  if (!text.startsWith(HEAD, from)) return undefined;
  const idAt = from + HEAD.length;
  let at = idAt;
  let id = 0;
  for (let digit = text.charCodeAt(at); digit >= ZERO && digit <= NINE; digit = text.charCodeAt(at)) {
    id = id * 10 + (digit - ZERO);
    at += 1;
  }
  const end = to - 1;
  const wellFormed = id > 0 && at - idAt <= MAX_ID_DIGITS && text.charCodeAt(idAt) !== ZERO;
  if (!wellFormed || text.charCodeAt(end) !== CLOSING_BRACE) return undefined;
  if (text.startsWith(NO_RESULT, at)) {
    return at + NO_RESULT.length === end ? { jsonrpc: JSON_RPC, id, result: undefined } : undefined;
  }
  try {
    if (text.startsWith(RESULT, at)) {
      return { jsonrpc: JSON_RPC, id, result: JSON.parse(text.slice(at + RESULT.length, end)) as unknown };
    }
    const method = methodAt(text, at, end);
    if (method === undefined) return undefined;
    const paramsAt = at + METHOD.length + method.length + 1 + PARAMS.length;
    return { jsonrpc: JSON_RPC, id, method, params: JSON.parse(text.slice(paramsAt, end)) as unknown };
  } catch {
    // More fields behind the value, or no JSON at all.
    return undefined;
  }
}

function methodAt(text: string, at: number, end: number): string | undefined {
  if (text.startsWith(lastMethodPart, at)) return lastMethod;
  if (!text.startsWith(METHOD, at)) return undefined;
  const from = at + METHOD.length;
  const to = text.indexOf('"', from);
  if (to === -1 || to > end || !text.startsWith(PARAMS, to + 1)) return undefined;
  const method = text.slice(from, to);
  if (NOT_PLAIN.test(method)) return undefined;
  if (method.length <= COPIED_LENGTH) {
    lastMethod = method;
    lastMethodPart = `${METHOD}${method}"${PARAMS}`;
  }
  return method;
}
