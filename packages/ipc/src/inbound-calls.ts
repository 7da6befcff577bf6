import { showValue } from '@pawl/core';
import { encodeError } from './error-codec.ts';
import { IdTable } from './id-table.ts';
import {
  BudgetExceededError,
  CancelledError,
  type CloseInfo,
  ConnectionClosedError,
  InvalidInputError,
  RpcError,
} from './ipc-errors.ts';
import { type ErrorObject, errorCodes, type RequestMessage } from './message.ts';

/** Who follows a request on its way to its answer. An object, so that whoever has one for each needs no functions besides. */
export interface CallFollower {
  /** The answer was handed to the channel; `failed` if that is an error. */
  answered?(failed: boolean): void;
  /** What `signal` would tell, without the cost of a signal. */
  cancelled?(reason: Error): void;
}

/** What a method gets besides its parameters. */
export interface InboundContext {
  /** The request's id on this connection. */
  readonly id: number;
  /** Aborts with a CancelledError when the far side cancels, with a ConnectionClosedError when it is gone. */
  readonly signal: AbortSignal;
  /**
   * Sends a notification about this request: its `id` is added to `params`. Resolves when the channel took it. Once
   * the request is answered nothing is sent, because nothing may come behind the answer.
   * @throws NotSerializableError, MessageTooLargeError, ConnectionClosedError
   */
  readonly notify: (method: string, params: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Tells this one, and no other any more, of its end; at once of a cancel that has come already. */
  follow(follower: CallFollower): void;
  /** Its time is up: from now on its failure is answered with -32002, whatever it throws. */
  markOverBudget(): void;
}

/** What a method returns for a request that the far side has withdrawn: no answer is sent. */
export const noAnswer: unique symbol = Symbol('no answer');

/** Answers a request. Throw an RpcError to choose the error response; anything else thrown becomes -32000. */
export type MethodHandler = (params: unknown, context: InboundContext) => unknown;

export interface InboundCallsOptions {
  readonly methods: Readonly<Record<string, MethodHandler>>;
  /** @throws NotSerializableError, MessageTooLargeError */
  readonly sendResult: (id: number, result: unknown) => void;
  /** Makes the error fit the channel; never throws. */
  readonly sendError: (id: number, error: ErrorObject) => void;
  readonly sendNotification: (method: string, params: unknown) => Promise<void>;
}

/** The requests of the far side that we are answering. Each is answered exactly once, also when cancelled. */
export interface InboundCalls {
  begin(request: RequestMessage): void;
  /** Handles `cancel {id, reason, graceMs}`; an unknown id is ignored, because the answer may have crossed it. */
  cancel(params: Readonly<Record<string, unknown>>): void;
  /** Aborts all of them: nobody is left to answer to. */
  abandonAll(info: CloseInfo): void;
}

export function createInboundCalls(options: InboundCallsOptions): InboundCalls {
  const methods = new Map(Object.entries(options.methods));
  const running = new IdTable<RunningCall>();

  /** @returns false when the call was answered already, or nobody waits for its answer any more */
  function end(call: RunningCall): boolean {
    call.end();
    return running.delete(call.id);
  }

  function answer(call: RunningCall, result: unknown): void {
    if (!end(call)) return;
    let failed = false;
    try {
      if (result !== noAnswer) options.sendResult(call.id, result);
    } catch (error) {
      failed = true;
      options.sendError(call.id, errorObjectOf(errorCodes.resultNotSendable, error));
    }
    call.tellAnswered(failed);
  }

  function refuse(call: RunningCall, error: unknown): void {
    if (!end(call)) return;
    options.sendError(call.id, responseTo(call, error));
    call.tellAnswered(true);
  }

  return {
    begin({ id, method, params }) {
      const handler = methods.get(method);
      if (handler === undefined) {
        const known = [...methods.keys()].join(', ');
        options.sendError(id, {
          code: errorCodes.methodNotFound,
          message: `There is no method ${showValue(method)} here. There are: ${known === '' ? 'none' : known}.`,
        });
        return;
      }
      if (running.has(id)) {
        options.sendError(id, { code: errorCodes.invalidRequest, message: `Request ${id} is open already.` });
        return;
      }
      const call = new RunningCall(id, options.sendNotification);
      running.add(id, call);
      try {
        const result = handler(params, call);
        if (isThenable(result)) {
          // Of a thenable that is no promise, `resolve` takes one answer and no more.
          Promise.resolve(result).then(
            (value) => answer(call, value),
            (error: unknown) => refuse(call, error),
          );
        } else answer(call, result);
      } catch (error) {
        refuse(call, error);
      }
    },
    cancel(params) {
      const { id, reason, graceMs } = params;
      if (typeof id !== 'number') return;
      running
        .get(id)
        ?.cancel(
          new CancelledError(
            typeof reason === 'string' ? reason : 'The request was cancelled.',
            typeof graceMs === 'number' ? graceMs : undefined,
          ),
        );
    },
    abandonAll(info) {
      for (const call of running.take()) call.cancel(new ConnectionClosedError(info));
    },
  };
}

/** The signal is made on first use, for most methods never look at it. */
class RunningCall implements InboundContext {
  readonly id: number;
  readonly #sendNotification: InboundCallsOptions['sendNotification'];
  #controller: AbortController | undefined;
  #reason: Error | undefined;
  #ended = false;
  #isOverBudget = false;
  #follower: CallFollower | undefined;

  constructor(id: number, sendNotification: InboundCallsOptions['sendNotification']) {
    this.id = id;
    this.#sendNotification = sendNotification;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get wasCancelled(): boolean {
    return this.#reason !== undefined;
  }

  cancel(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    this.#follower?.cancelled?.(reason);
  }

  follow(follower: CallFollower): void {
    this.#follower = follower;
    if (this.#reason !== undefined) follower.cancelled?.(this.#reason);
  }

  markOverBudget(): void {
    this.#isOverBudget = true;
  }

  get isOverBudget(): boolean {
    return this.#isOverBudget;
  }

  tellAnswered(failed: boolean): void {
    this.#follower?.answered?.(failed);
  }

  end(): void {
    this.#ended = true;
  }

  /** Made when asked for, so that it can be taken out of the context. */
  get notify(): InboundContext['notify'] {
    return async (method, params) => {
      if (!this.#ended) await this.#sendNotification(method, { ...params, id: this.id });
    };
  }
}

function failureCode(call: RunningCall, error: unknown): number {
  if (call.wasCancelled) return errorCodes.cancelled;
  if (call.isOverBudget || error instanceof BudgetExceededError) return errorCodes.budgetExceeded;
  return error instanceof InvalidInputError ? errorCodes.invalidInput : errorCodes.taskFailed;
}

function errorObjectOf(code: number, error: unknown): ErrorObject {
  const data = encodeError(error);
  return { code, message: data.message ?? '', data };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Never throws: a request is answered whatever was thrown, a proxy that can't be looked at included. */
function responseTo(call: RunningCall, error: unknown): ErrorObject {
  try {
    if (error instanceof RpcError) return error.toErrorObject();
    return errorObjectOf(failureCode(call, error), error);
  } catch {
    return errorObjectOf(call.wasCancelled ? errorCodes.cancelled : errorCodes.taskFailed, error);
  }
}
