import { encodeError } from './error-codec.ts';
import { CancelledError, type CloseInfo, ConnectionClosedError, RpcError } from './ipc-errors.ts';
import { type ErrorObject, errorCodes, type RequestMessage } from './message.ts';

/** What a method gets besides its parameters. */
export interface InboundContext {
  /** The request's id on this connection. */
  readonly id: number;
  /** Aborts with a CancelledError when the far side cancels, with a ConnectionClosedError when it is gone. */
  readonly signal: AbortSignal;
  /** Sends a notification about this request: its `id` is added to `params`. Resolves when the channel took it. */
  notify(method: string, params: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Answers a request. Throw an RpcError to choose the error response; anything else thrown becomes -32000. */
export type MethodHandler = (params: unknown, context: InboundContext) => unknown;

export interface InboundCallsOptions {
  readonly methods: Readonly<Record<string, MethodHandler>>;
  /** @throws NotSerializableError, MessageTooLargeError */
  readonly sendResult: (id: number, result: unknown) => void;
  readonly sendError: (id: number, error: ErrorObject) => void;
  readonly sendNotification: (method: string, params: unknown) => Promise<void>;
}

/** The requests of the far side that we are answering. Each is answered exactly once, also when cancelled. */
export interface InboundCalls {
  begin(request: RequestMessage): void;
  /** Handles `cancel {id, reason, graceMs}`; an unknown id is ignored, because the answer may have crossed it. */
  cancel(params: Readonly<Record<string, unknown>> | undefined): void;
  /** Aborts all of them: nobody is left to answer to. */
  abandonAll(info: CloseInfo): void;
}

export function createInboundCalls(options: InboundCallsOptions): InboundCalls {
  const methods = new Map(Object.entries(options.methods));
  const running = new Map<number, RunningCall>();

  function answer(call: RunningCall, result: unknown): void {
    if (!running.delete(call.id)) return;
    try {
      options.sendResult(call.id, result);
    } catch (error) {
      options.sendError(call.id, errorObjectOf(errorCodes.resultNotSendable, error));
    }
  }

  function refuse(call: RunningCall, error: unknown): void {
    if (!running.delete(call.id)) return;
    if (error instanceof RpcError) {
      try {
        options.sendError(call.id, error.toErrorObject());
      } catch {
        options.sendError(call.id, { code: error.rpcCode, message: error.message });
      }
      return;
    }
    const code = call.wasCancelled ? errorCodes.cancelled : errorCodes.taskFailed;
    options.sendError(call.id, errorObjectOf(code, error));
  }

  return {
    begin({ id, method, params }) {
      const handler = methods.get(method);
      if (handler === undefined) {
        const known = [...methods.keys()].join(', ');
        options.sendError(id, {
          code: errorCodes.methodNotFound,
          message: `There is no method "${method}" here. There are: ${known === '' ? 'none' : known}.`,
        });
        return;
      }
      if (running.has(id)) {
        options.sendError(id, { code: errorCodes.invalidRequest, message: `Request ${id} is open already.` });
        return;
      }
      const call = new RunningCall(id, options.sendNotification);
      running.set(id, call);
      let result: unknown;
      try {
        result = handler(params, call);
      } catch (error) {
        refuse(call, error);
        return;
      }
      if (isThenable(result)) {
        result.then(
          (value) => answer(call, value),
          (error: unknown) => refuse(call, error),
        );
      } else answer(call, result);
    },
    cancel(params) {
      const id = params?.['id'];
      if (typeof id !== 'number') return;
      const { reason, graceMs } = params ?? {};
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
      const calls = [...running.values()];
      running.clear();
      for (const call of calls) call.cancel(new ConnectionClosedError(info));
    },
  };
}

/** The signal is made on first use: most methods never look at it. */
class RunningCall implements InboundContext {
  readonly id: number;
  readonly #sendNotification: InboundCallsOptions['sendNotification'];
  #controller: AbortController | undefined;
  #reason: Error | undefined;

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
  }

  async notify(method: string, params: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#sendNotification(method, { ...params, id: this.id });
  }
}

function errorObjectOf(code: number, error: unknown): ErrorObject {
  const data = encodeError(error);
  return { code, message: data.message ?? '', data };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
