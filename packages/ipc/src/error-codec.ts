import { isNativeError } from 'node:util/types';
import { PawlError, showValue } from '@pawl/core';

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
  /** Fields that JSON could not carry, or that were too many or too deep. */
  readonly omitted?: readonly string[];
  /** What was thrown, when it was no error. */
  readonly thrown?: unknown;
}

/** How deep causes and errors may nest, on both sides: what is deeper is cut. */
const MAX_DEPTH = 8;
/** How many errors one error may carry in all: a few that name each other could unfold without end. */
const MAX_ERRORS = 256;
const OWN_KEYS = new Set(['name', 'message', 'stack', 'cause']);

/** What has been written already, shared by an error and all errors in it. */
interface Progress {
  readonly ancestors: unknown[];
  count: number;
}

/**
 * Flattens an error, or anything else that was thrown, to JSON. Never throws: a field that can't be carried, or
 * whose getter fails, is left out and named in `omitted`. So are causes that are nested more than 8 deep, and those
 * that lead back to the error itself.
 */
export function encodeError(error: unknown): ErrorData {
  return encode(error, { ancestors: [], count: 0 });
}

function encode(error: unknown, progress: Progress): ErrorData {
  progress.count += 1;
  progress.ancestors.push(error);
  try {
    return isError(error) ? encodeFields(error, progress) : encodeThrown(error);
  } catch {
    // A proxy whose traps throw, or the like.
    return { name: 'Error', message: 'An error that can not be read was thrown.', omitted: ['thrown'] };
  } finally {
    progress.ancestors.pop();
  }
}

function encodeThrown(value: unknown): ErrorData {
  const thrown = jsonOf(value);
  if (thrown === undefined) {
    return {
      thrown: null,
      message: `${value === undefined ? 'undefined' : `a ${typeof value}`} was thrown`,
      omitted: ['thrown'],
    };
  }
  return {
    thrown,
    message: `${typeof value === 'string' && value.length <= 200 ? value : showValue(thrown)} was thrown`,
  };
}

function encodeFields(error: Error, progress: Progress): ErrorData {
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
  const nested = (key: string, value: unknown): ErrorData | undefined => {
    const { ancestors, count } = progress;
    if (ancestors.length <= MAX_DEPTH && count < MAX_ERRORS && !ancestors.includes(value)) {
      return encode(value, progress);
    }
    if (!omitted.includes(key)) omitted.push(key);
    return undefined;
  };
  const name = text('name') ?? 'Error';
  const message = text('message') ?? '';
  const stack = text('stack');
  const code = read('code');
  const hasPlainCode = typeof code === 'string' || (typeof code === 'number' && Number.isFinite(code));
  const cause = read('cause');
  const errors = read('errors');
  const hasErrors = Array.isArray(errors) && (error instanceof AggregateError || errors.every(isError));
  const fields: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    if (OWN_KEYS.has(key) || (key === 'code' && hasPlainCode) || (key === 'errors' && hasErrors)) continue;
    const value = key === 'code' ? code : key === 'errors' ? errors : read(key);
    if (value === undefined) continue;
    const json = jsonOf(value);
    if (json !== undefined) define(fields, key, json);
    else omitted.push(key);
  }
  const encodedErrors = hasErrors
    ? errors.map((each) => nested('errors', each)).filter((each) => each !== undefined)
    : undefined;
  const encodedCause = cause === undefined ? undefined : nested('cause', cause);
  return {
    name,
    message,
    ...optional('stack', stack),
    ...optional('code', hasPlainCode ? code : undefined),
    ...optional('fields', Object.keys(fields).length > 0 ? fields : undefined),
    ...optional('cause', encodedCause),
    ...optional('errors', encodedErrors),
    ...optional('omitted', omitted.length > 0 ? omitted : undefined),
  };
}

/** Also true of an error from another realm, such as a `vm` context. */
function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
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

export interface DecodeErrorOptions {
  /** The JSON-RPC code of the error response it came in. */
  readonly rpcCode?: number;
  /** The message to take when the data has none. */
  readonly message?: string;
}

/**
 * An error that happened on the far side. `name`, `message` and `code` are the far error's; `stack` is where it
 * arrived here, and `cause` holds the far stack and the far cause.
 */
export class RemoteError extends PawlError {
  /** The far error's own fields; also its `code`, if that is a number. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Fields that could not cross. */
  readonly omitted: readonly string[];
  /** The errors of a far AggregateError. */
  readonly errors: readonly RemoteError[];
  /**
   * What was thrown there when it was no error, wrapped so that a thrown `null` is told from none. `undefined` inside
   * when it could not cross.
   */
  readonly thrown: { readonly value: unknown } | undefined;
  /** The JSON-RPC code of the error response it came in, such as -32601; absent for nested errors. */
  readonly rpcCode: number | undefined;

  /** @param depth how many errors this one is nested in */
  constructor(data: ErrorData, options: DecodeErrorOptions = {}, depth = 0) {
    const message = stringOr(data.message, options.message ?? 'The far side gave no message.');
    const far = farError(data, message, depth);
    super(message, {
      code: typeof data.code === 'string' && data.code !== '' ? data.code : 'REMOTE_ERROR',
      ...(far === undefined ? {} : { cause: far }),
    });
    rename(this, stringOr(data.name, 'RemoteError'));
    const fields: Record<string, unknown> = {};
    if (typeof data.code === 'number') fields['code'] = data.code;
    if (typeof data.fields === 'object' && data.fields !== null) {
      for (const [key, value] of Object.entries(data.fields)) define(fields, key, value);
    }
    this.fields = fields;
    this.omitted = Array.isArray(data.omitted) ? data.omitted.filter((key) => typeof key === 'string') : [];
    this.errors =
      Array.isArray(data.errors) && depth < MAX_DEPTH
        ? data.errors.slice(0, MAX_ERRORS).map((each) => new RemoteError(asData(each), {}, depth + 1))
        : [];
    this.thrown =
      'thrown' in data ? { value: this.omitted.includes('thrown') ? undefined : data.thrown } : undefined;
    this.rpcCode = options.rpcCode;
  }
}

/** Rebuilds an error from what the far side sent; anything unusable in it is passed over. */
export function decodeError(data: unknown, options: DecodeErrorOptions = {}): RemoteError {
  return new RemoteError(asData(data), options);
}

function farError(data: ErrorData, message: string, depth: number): Error | undefined {
  const hasCause = typeof data.cause === 'object' && data.cause !== null && depth < MAX_DEPTH;
  if (typeof data.stack !== 'string' && !hasCause) return undefined;
  const far = new Error(
    message,
    hasCause ? { cause: new RemoteError(asData(data.cause), {}, depth + 1) } : undefined,
  );
  rename(far, stringOr(data.name, 'Error'));
  far.stack = stringOr(data.stack, `${far.name}: ${message}\n    (the far side sent no stack)`);
  return far;
}

function asData(data: unknown): ErrorData {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {};
}

function rename(error: Error, name: string): void {
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
}

function stringOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}
