import { PawlError } from '@pawl/core';

/** An error as it crosses the wire, field by field. Everything is optional to a reader. */
export interface ErrorData {
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly code?: string | number;
  /** Own enumerable fields that JSON can carry. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorData;
  /** The errors of an AggregateError. */
  readonly errors?: readonly ErrorData[];
  /** Fields that JSON could not carry. */
  readonly omitted?: readonly string[];
  /** What was thrown, when it was no error. */
  readonly thrown?: unknown;
}

const MAX_DEPTH = 8;
const OWN_KEYS = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);

/**
 * Flattens an error, or anything else that was thrown, to JSON. Never throws: a field that can't be carried, or
 * whose getter fails, is left out and named in `omitted`. Causes deeper than 8 are cut.
 */
export function encodeError(error: unknown): ErrorData {
  return encode(error, 0);
}

function encode(error: unknown, depth: number): ErrorData {
  if (!(error instanceof Error)) {
    const thrown = jsonOf(error);
    return thrown === undefined
      ? { thrown: null, message: `${typeof error} was thrown`, omitted: ['thrown'] }
      : {
          thrown,
          message: `${typeof error === 'string' ? error : (JSON.stringify(thrown) ?? 'undefined')} was thrown`,
        };
  }
  const omitted: string[] = [];
  const read = (key: string): unknown => {
    try {
      return (error as unknown as Record<string, unknown>)[key];
    } catch {
      omitted.push(key);
      return undefined;
    }
  };
  const text = (key: string): string | undefined => {
    const value = read(key);
    return typeof value === 'string' ? value : undefined;
  };
  const code = read('code');
  const cause = read('cause');
  const errors = read('errors');
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    if (OWN_KEYS.has(key)) continue;
    const value = jsonOf(read(key));
    if (value !== undefined) define(fields, key, value);
    else if (!omitted.includes(key)) omitted.push(key);
  }
  return {
    name: text('name') ?? 'Error',
    message: text('message') ?? '',
    ...optional('stack', text('stack')),
    ...optional('code', typeof code === 'string' || typeof code === 'number' ? code : undefined),
    ...optional('fields', Object.keys(fields).length > 0 ? fields : undefined),
    ...optional('cause', cause === undefined || depth >= MAX_DEPTH ? undefined : encode(cause, depth + 1)),
    ...optional(
      'errors',
      Array.isArray(errors) && depth < MAX_DEPTH ? errors.map((each) => encode(each, depth + 1)) : undefined,
    ),
    ...optional('omitted', omitted.length > 0 ? omitted : undefined),
  };
}

/** The value as JSON would carry it, or undefined when it can't. */
function jsonOf(value: unknown): unknown {
  if (value === null) return null;
  try {
    const json = JSON.stringify(value);
    return json === undefined ? undefined : (JSON.parse(json) as unknown);
  } catch {
    return undefined;
  }
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}

/** Sets a field also when it is called `__proto__`. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}

/**
 * An error that happened on the far side. `name`, `message` and `code` are the far error's; `stack` is where it
 * arrived here, and `cause` holds the far stack and the far cause.
 */
export class RemoteError extends PawlError {
  /** The far error's own fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Fields that could not cross. */
  readonly omitted: readonly string[];
  /** The errors of a far AggregateError. */
  readonly errors: readonly RemoteError[];
  /** What was thrown there when it was no error, wrapped so that a thrown `null` is told from none. */
  readonly thrown: { readonly value: unknown } | undefined;
  /** The JSON-RPC code of the error response it came in, such as -32601; absent for nested errors. */
  readonly rpcCode: number | undefined;

  constructor(data: ErrorData, options: { readonly rpcCode?: number; readonly message?: string } = {}) {
    const message = stringOr(data.message, options.message ?? 'The far side gave no message.');
    const far = farError(data, message);
    super(message, {
      code: typeof data.code === 'string' && data.code !== '' ? data.code : 'REMOTE_ERROR',
      ...(far === undefined ? {} : { cause: far }),
    });
    Object.defineProperty(this, 'name', {
      value: stringOr(data.name, 'RemoteError'),
      configurable: true,
      writable: true,
    });
    const fields: Record<string, unknown> = {};
    if (typeof data.code === 'number') fields['code'] = data.code;
    if (typeof data.fields === 'object' && data.fields !== null) {
      for (const [key, value] of Object.entries(data.fields)) define(fields, key, value);
    }
    this.fields = fields;
    this.omitted = Array.isArray(data.omitted) ? data.omitted.filter((key) => typeof key === 'string') : [];
    this.errors = Array.isArray(data.errors) ? data.errors.map((each) => decodeError(each)) : [];
    this.thrown = 'thrown' in data ? { value: data.thrown } : undefined;
    this.rpcCode = options.rpcCode;
  }
}

/** Rebuilds an error from what the far side sent; anything unusable in it is passed over. */
export function decodeError(
  data: unknown,
  options: { readonly rpcCode?: number; readonly message?: string } = {},
): RemoteError {
  const known = typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as ErrorData) : {};
  return new RemoteError(known, options);
}

function farError(data: ErrorData, message: string): Error | undefined {
  const hasCause = typeof data.cause === 'object' && data.cause !== null;
  if (typeof data.stack !== 'string' && !hasCause) return undefined;
  const far = new Error(message, hasCause ? { cause: decodeError(data.cause) } : undefined);
  Object.defineProperty(far, 'name', {
    value: stringOr(data.name, 'Error'),
    configurable: true,
    writable: true,
  });
  far.stack = stringOr(data.stack, `${far.name}: ${message}\n    (the far side sent no stack)`);
  return far;
}

function stringOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}
