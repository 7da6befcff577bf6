import { PawlError } from '@pawl/core';
import type { ErrorObject } from './message.ts';

/** A value that JSON can't carry. Rejects the one call it belongs to; the connection stays usable. */
export class NotSerializableError extends PawlError {
  declare readonly code: 'NOT_SERIALIZABLE';
  /** Where the value is: `params.input.items[3].id`. */
  readonly path: string;

  constructor(path: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`Can't send \`${path}\`: ${what} is not JSON.`, { ...options, code: 'NOT_SERIALIZABLE' });
    this.path = path;
  }
}

/** A frame over the limit. Refused before a byte of it is written. */
export class MessageTooLargeError extends PawlError {
  declare readonly code: 'MESSAGE_TOO_LARGE';
  readonly sizeBytes: number;
  readonly maxMessageBytes: number;

  constructor(sizeBytes: number, maxMessageBytes: number) {
    super(`Can't send a message of ${sizeBytes} bytes: the limit is ${maxMessageBytes} bytes.`, {
      code: 'MESSAGE_TOO_LARGE',
    });
    this.sizeBytes = sizeBytes;
    this.maxMessageBytes = maxMessageBytes;
  }
}

/** How a connection ended: by our `close`, because the far side ended it, or because the channel failed. */
export type CloseReason = 'closed' | 'ended' | 'failed';

export interface CloseInfo {
  readonly reason: CloseReason;
  /** What failed, when `reason` is `failed`. */
  readonly error?: Error;
}

const CLOSE_TEXT: Record<CloseReason, string> = {
  closed: 'it was closed on this side',
  ended: 'the far side ended it',
  failed: 'its channel failed',
};

/** The connection ended before the answer came, or was gone when the call was made. */
export class ConnectionClosedError extends PawlError {
  declare readonly code: 'CONNECTION_CLOSED';
  readonly reason: CloseReason;
  /** The request that goes unanswered; absent for a notification. */
  readonly method: string | undefined;

  constructor(info: CloseInfo, method?: string) {
    const what = method === undefined ? 'The connection is closed' : `No answer to "${method}"`;
    super(`${what}: ${CLOSE_TEXT[info.reason]}.`, {
      code: 'CONNECTION_CLOSED',
      ...(info.error === undefined ? {} : { cause: info.error }),
    });
    this.reason = info.reason;
    this.method = method;
  }
}

/** The far side gave the request back, unbegun, because it was asked to. It can be sent again, here or elsewhere. */
export class WithdrawnError extends PawlError {
  declare readonly code: 'WITHDRAWN';
  readonly method: string;

  constructor(method: string) {
    super(`"${method}" was withdrawn before it began.`, { code: 'WITHDRAWN' });
    this.method = method;
  }
}

export class RequestTimeoutError extends PawlError {
  declare readonly code: 'REQUEST_TIMEOUT';
  readonly method: string;
  readonly timeoutMs: number;

  constructor(method: string, timeoutMs: number) {
    super(`No answer to "${method}" within ${timeoutMs} ms.`, { code: 'REQUEST_TIMEOUT' });
    this.method = method;
    this.timeoutMs = timeoutMs;
  }
}

/** What a method's signal aborts with when the far side sent `cancel`. */
export class CancelledError extends PawlError {
  declare readonly code: 'CANCELLED';
  /** How long the far side waits before it takes harder means, in milliseconds; absent when it did not say. */
  readonly graceMs: number | undefined;

  constructor(reason: string, graceMs?: number) {
    super(reason, { code: 'CANCELLED' });
    this.graceMs = graceMs;
  }
}

/** The time that the far side gave for a request is up. Thrown by a method, it becomes `-32002`. */
export class BudgetExceededError extends PawlError {
  declare readonly code: 'BUDGET_EXCEEDED';
  readonly budgetMs: number;

  constructor(budgetMs: number) {
    super(`The run's budget of ${Math.round(budgetMs)} ms ran out.`, { code: 'BUDGET_EXCEEDED' });
    this.budgetMs = budgetMs;
  }
}

/** What is wrong with an input, and where: `items[3].id`, empty for the whole. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** An input does not suit its task. Thrown by a method, it becomes `-32004`. */
export class InvalidInputError extends PawlError {
  declare readonly code: 'INVALID_INPUT';
  readonly issues: readonly InputIssue[];

  constructor(task: string, issues: readonly InputIssue[]) {
    const [first] = issues;
    const where = first === undefined || first.path === '' ? '' : ` at \`${first.path}\``;
    const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
    super(`The input does not suit task \`${task}\`${where}: ${first?.message ?? 'no reason given'}${more}`, {
      code: 'INVALID_INPUT',
    });
    this.issues = issues;
  }
}

/** Thrown by a method to choose the error response: any other error becomes `-32000`, the task failed. */
export class RpcError extends PawlError {
  declare readonly code: 'RPC_ERROR';
  readonly rpcCode: number;
  readonly data: unknown;

  constructor(rpcCode: number, message: string, data?: unknown) {
    super(message, { code: 'RPC_ERROR' });
    this.rpcCode = rpcCode;
    this.data = data;
  }

  toErrorObject(): ErrorObject {
    return {
      code: this.rpcCode,
      message: this.message,
      ...(this.data === undefined ? {} : { data: this.data }),
    };
  }
}
