import { encodeErrorResponse } from './codec.ts';
import type { ErrorData } from './error-codec.ts';
import { errorCodes, type ErrorObject } from './message.ts';

/**
 * An error response as a frame within `maxMessageBytes`. A request must be answered, so what is too big or no JSON
 * goes, and the error itself stays: first most of its stack, then its fields and causes, then its data, then most of
 * its message.
 */
export function encodeErrorResponseWithin(id: number, error: ErrorObject, maxMessageBytes: number): string {
  // What comes from a user's RpcError is what its types say only if a compiler has looked at it.
  const code = Number.isFinite(error.code) ? error.code : errorCodes.taskFailed;
  const message = typeof error.message === 'string' ? error.message : '';
  const { data } = error;
  const shrinking: readonly (() => ErrorObject)[] = [
    () => ({ code, message, ...(data === undefined ? {} : { data }) }),
    () => ({ code, message, data: withShortStack(data) }),
    () => ({ code, message: cut(message, 2_000), data: coreOf(data) }),
    () => ({ code, message: cut(message, 2_000), data: withShortStack(coreOf(data)) }),
    () => ({ code, message: cut(message, 2_000) }),
    () => ({ code, message: cut(message, 80) }),
  ];
  for (const candidate of shrinking) {
    try {
      const frame = encodeErrorResponse(id, candidate());
      if (Buffer.byteLength(frame) - 1 <= maxMessageBytes) return frame;
    } catch {
      // It holds what JSON can't carry, or what can't even be read: the next one holds less.
    }
  }
  return encodeErrorResponse(id, { code, message: '' });
}

/** The stack is for people; fields and causes may decide what a program does next. */
function withShortStack(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const { stack } = data as ErrorData;
  return typeof stack === 'string' ? { ...data, stack: cut(stack, 500) } : data;
}

/** What tells most about an error in the least space. */
function coreOf(data: unknown): ErrorData | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { name, message, stack, code } = data as ErrorData;
  if (typeof name !== 'string' || typeof message !== 'string') return undefined;
  return {
    name: cut(name, 200),
    message: cut(message, 2_000),
    ...(typeof stack === 'string' ? { stack: cut(stack, 8_000) } : {}),
    ...(typeof code === 'number' || typeof code === 'string'
      ? { code: typeof code === 'string' ? cut(code, 200) : code }
      : {}),
    omitted: ['fields', 'cause', 'errors'].filter((key) => key in data),
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
