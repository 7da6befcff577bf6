import { checkDurationMs, type Clock, onAbort, showValue } from '@pawl/core';
import { encodeRequest } from './codec.ts';
import { decodeError, encodeError } from './error-codec.ts';
import { IdTable } from './id-table.ts';
import {
  type CloseInfo,
  ConnectionClosedError,
  MessageTooLargeError,
  RequestTimeoutError,
  WithdrawnError,
} from './ipc-errors.ts';
import { type ErrorMessage, errorCodes, type ResultMessage } from './message.ts';
import type { SentListener } from './transport.ts';

export interface CallOptions {
  /** Gets each notification whose `params.id` is this request's: its progress, chunks and log. In order. */
  readonly onNotification?: (method: string, params: Readonly<Record<string, unknown>>) => void;
}

export interface RequestOptions extends CallOptions {
  /** Cancels the request: the far side is told, and the promise rejects at once with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the answer, in milliseconds. @default Infinity */
  readonly timeoutMs?: number;
}

/** A request under way. */
export interface OpenCall {
  readonly id: number;
  /** Asks the far side to stop. The request is still open until the far side answers. */
  cancel(reason: string, graceMs?: number): void;
}

/** A request under way, and its answer. */
export interface Call extends OpenCall {
  /** The far side's result. @throws RemoteError for its error response, ConnectionClosedError when none can come */
  readonly response: Promise<unknown>;
}

/**
 * Who waits for an answer: one of the two is called, once. What they throw is logged. An object, so that whoever has one
 * for each request anyway needs no promise and no functions besides.
 */
export interface AnswerListener {
  /** Called while what arrived is read: before promises that are settled by it go on. */
  onResult(result: unknown, call: OpenCall): void;
  /** Gets what `call` rejects with. */
  onFailure(error: unknown, call: OpenCall): void;
  readonly onNotification?: CallOptions['onNotification'];
}

export interface OutboundCallsOptions {
  readonly clock: Clock;
  /** @throws MessageTooLargeError */
  readonly sendFrame: (frame: string, listener: SentListener) => void;
  readonly sendCancel: (id: number, reason: string, graceMs: number | undefined) => void;
  /** A listener threw. */
  readonly onListenerFault: (error: unknown, method: string) => void;
}

/** Our requests that wait for their answer. Each settles exactly once. */
export interface OutboundCalls {
  readonly size: number;
  ask(method: string, params: unknown, listener: AnswerListener): OpenCall;
  call(method: string, params: unknown, options: CallOptions): Call;
  request(method: string, params: unknown, options: RequestOptions): Promise<unknown>;
  /** @returns false when no request of that id is open */
  settle(answer: ResultMessage | ErrorMessage): boolean;
  /** Rejects the request whose answer came but was too long to be taken. */
  refuseAnswer(id: number, sizeBytes: number, maxMessageBytes: number): void;
  /** Rejects those of these requests that are open: the far side gave them back. */
  withdrawn(ids: readonly number[]): void;
  /** Hands a notification to the request it is about. @returns false when that has no listener for it */
  notified(id: number, method: string, params: Readonly<Record<string, unknown>>): boolean;
  /** Rejects what is open and all that comes. */
  end(info: CloseInfo): void;
}

// A promise's own functions, taken out without a function made anew for each.
let keptResolve: (result: unknown) => void;
let keptReject: (error: unknown) => void;
const keepSettlers = (resolve: (result: unknown) => void, reject: (error: unknown) => void): void => {
  keptResolve = resolve;
  keptReject = reject;
};

/** What the requests of a connection have in common. */
interface Requests extends Pick<OutboundCallsOptions, 'sendCancel' | 'onListenerFault'> {
  readonly open: IdTable<OpenRequest>;
}

/** One of our requests, from its sending to its answer. */
class OpenRequest implements OpenCall, SentListener {
  readonly id: number;
  readonly method: string;
  readonly listener: AnswerListener;
  readonly #all: Requests;

  constructor(id: number, method: string, listener: AnswerListener, all: Requests) {
    this.id = id;
    this.method = method;
    this.listener = listener;
    this.#all = all;
  }

  cancel(reason: string, graceMs?: number): void {
    if (this.#all.open.has(this.id)) this.#all.sendCancel(this.id, reason, graceMs);
  }

  onSent(error: Error | undefined): void {
    if (error !== undefined && this.#all.open.delete(this.id)) this.fail(error);
  }

  succeed(result: unknown): void {
    try {
      this.listener.onResult(result, this);
    } catch (fault) {
      this.#all.onListenerFault(fault, this.method);
    }
  }

  fail(error: unknown): void {
    try {
      this.listener.onFailure(error, this);
    } catch (fault) {
      this.#all.onListenerFault(fault, this.method);
    }
  }
}

/** A request whose answer settles a promise. */
class PromisedCall implements Call, AnswerListener {
  readonly response: Promise<unknown> = new Promise(keepSettlers);
  readonly onResult: (result: unknown) => void = keptResolve;
  readonly onFailure: (error: unknown) => void = keptReject;
  readonly onNotification: CallOptions['onNotification'];
  #request: OpenCall | undefined;

  constructor(onNotification: CallOptions['onNotification']) {
    this.onNotification = onNotification;
  }

  /** The request that this is told the answer of. */
  set request(request: OpenCall) {
    this.#request = request;
  }

  get id(): number {
    return this.#request?.id ?? 0;
  }

  cancel(reason: string, graceMs?: number): void {
    this.#request?.cancel(reason, graceMs);
  }
}

export function createOutboundCalls(options: OutboundCallsOptions): OutboundCalls {
  const open = new IdTable<OpenRequest>();
  const { sendCancel, onListenerFault } = options;
  const all: Requests = { open, sendCancel, onListenerFault };
  let ended: CloseInfo | undefined;
  let lastId = 0;

  function ask(method: string, params: unknown, listener: AnswerListener): OpenRequest {
    lastId += 1;
    const asked = new OpenRequest(lastId, method, listener, all);
    try {
      if (ended !== undefined) throw new ConnectionClosedError(ended, method);
      const frame = encodeRequest(lastId, method, params);
      open.add(asked.id, asked);
      options.sendFrame(frame, asked);
    } catch (error) {
      open.delete(asked.id);
      // Its caller does not have the call yet.
      queueMicrotask(() => asked.fail(error));
    }
    return asked;
  }

  function call(method: string, params: unknown, { onNotification }: CallOptions): Call {
    const promised = new PromisedCall(onNotification);
    promised.request = ask(method, params, promised);
    return promised;
  }

  function request(method: string, params: unknown, how: RequestOptions): Promise<unknown> {
    const { signal, timeoutMs, onNotification } = how;
    if (signal === undefined && timeoutMs === undefined) return call(method, params, how).response;
    const limitMs = checkDurationMs('timeoutMs', timeoutMs ?? Infinity, { infinite: true });
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let waiting = true;
      const call_ = call(
        method,
        params,
        // Whoever gave up wants to hear no more of it, though the far side may still be at it.
        onNotification === undefined
          ? {}
          : { onNotification: (name, about) => waiting && onNotification(name, about) },
      );
      const release = (): void => {
        waiting = false;
        timer.cancel();
        stopListening();
      };
      const giveUp = (error: unknown, reason: string): void => {
        release();
        call_.cancel(reason);
        reject(error);
      };
      const timer = options.clock.setTimer(limitMs, () => {
        const error = new RequestTimeoutError(method, limitMs);
        giveUp(error, error.message);
      });
      const stopListening = onAbort(signal, (reason) => giveUp(reason, reasonText(reason)));
      call_.response.then(
        (result) => {
          release();
          resolve(result);
        },
        (error: unknown) => {
          release();
          reject(error);
        },
      );
    });
  }

  return {
    get size() {
      return open.size;
    },
    ask,
    call,
    request,
    settle(answer) {
      const asked = answer.id === null ? undefined : open.get(answer.id);
      if (asked === undefined || answer.id === null) return false;
      open.delete(answer.id);
      if ('error' in answer) {
        const { code, message, data } = answer.error;
        asked.fail(decodeError(data, { rpcCode: code, message }));
      } else asked.succeed(answer.result);
      return true;
    },
    refuseAnswer(id, sizeBytes, maxMessageBytes) {
      const asked = open.get(id);
      if (asked === undefined) return;
      open.delete(id);
      // As if the far side had kept to the limit, so that callers know one error for both.
      const error = encodeError(new MessageTooLargeError(sizeBytes, maxMessageBytes));
      asked.fail(decodeError(error, { rpcCode: errorCodes.resultNotSendable }));
    },
    withdrawn(ids) {
      for (const id of ids) {
        const asked = open.get(id);
        if (asked !== undefined && open.delete(id)) asked.fail(new WithdrawnError(asked.method));
      }
    },
    notified(id, method, params) {
      const listener = open.get(id)?.listener;
      if (listener?.onNotification === undefined) return false;
      listener.onNotification(method, params);
      return true;
    },
    end(info) {
      if (ended !== undefined) return;
      ended = info;
      for (const asked of open.take()) asked.fail(new ConnectionClosedError(info, asked.method));
    },
  };
}

/** A reason of any kind as one line for the far side. Never throws: the request must be given up whatever the reason is. */
function reasonText(reason: unknown): string {
  try {
    if (!(reason instanceof Error)) return typeof reason === 'string' ? reason : showValue(reason);
    const message: unknown = reason.message;
    return typeof message === 'string' ? message : showValue(message);
  } catch {
    return 'The reason can not be read.';
  }
}
