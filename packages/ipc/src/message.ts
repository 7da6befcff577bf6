/** The version of JSON-RPC that every frame names. */
export const JSON_RPC = '2.0';

export interface RequestMessage {
  readonly jsonrpc: typeof JSON_RPC;
  /** A positive integer, unique per connection and direction. */
  readonly id: number;
  readonly method: string;
  readonly params?: unknown;
}

export interface NotificationMessage {
  readonly jsonrpc: typeof JSON_RPC;
  readonly method: string;
  readonly params?: unknown;
}

export interface ResultMessage {
  readonly jsonrpc: typeof JSON_RPC;
  readonly id: number;
  readonly result: unknown;
}

export interface ErrorMessage {
  readonly jsonrpc: typeof JSON_RPC;
  /** `null` when the far side could not tell which request was at fault. */
  readonly id: number | null;
  readonly error: ErrorObject;
}

export interface ErrorObject {
  /** One of {@link errorCodes}, or the far side's own. */
  readonly code: number;
  readonly message: string;
  /** The far error, field by field, as `encodeError` writes it. */
  readonly data?: unknown;
}

export type Message = RequestMessage | NotificationMessage | ResultMessage | ErrorMessage;

/** The `code` of an error response: JSON-RPC 2.0's own, then the worker protocol's. */
export const errorCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  /** The task threw. */
  taskFailed: -32_000,
  /** The task ended because it was cancelled. */
  cancelled: -32_001,
  /** The run's budget ran out inside the worker. */
  budgetExceeded: -32_002,
  noSuchTask: -32_003,
  /** The input does not satisfy the task's schema. */
  invalidInput: -32_004,
  /** The result cannot be serialised, or is over the frame limit. */
  resultNotSendable: -32_005,
  /** Taken after `shutdown`. */
  draining: -32_006,
} as const;

/** A parsed JSON value that is a message, as it was meant: a result that is marked as `undefined` is that. */
export function toMessage(value: Message): Message {
  const isNone =
    'undefined' in value && value.undefined === true && 'result' in value && value.result === null;
  return isNone ? { ...value, result: undefined } : value;
}

/** Why a parsed JSON value is no message, or undefined when it is one. */
export function messageFault(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not a JSON object';
  const message = value as Partial<Record<'jsonrpc' | 'id' | 'method' | 'result' | 'error', unknown>>;
  if (message.jsonrpc !== JSON_RPC) return 'no "jsonrpc": "2.0"';
  if (message.method !== undefined) {
    if (typeof message.method !== 'string') return '"method" is not a string';
    return message.id === undefined || isId(message.id) ? undefined : '"id" is not a positive integer';
  }
  if (message.error !== undefined) {
    if (!isId(message.id) && message.id !== null) return '"id" is not a positive integer';
    const { error } = message;
    const valid =
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      typeof error.code === 'number' &&
      'message' in error &&
      typeof error.message === 'string';
    return valid ? undefined : '"error" lacks a numeric code or a message';
  }
  if (message.result === undefined) return 'neither a method, a result nor an error';
  return isId(message.id) ? undefined : '"id" is not a positive integer';
}

function isId(id: unknown): id is number {
  return Number.isSafeInteger(id) && (id as number) > 0;
}
