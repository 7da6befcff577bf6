import {
  checkDurationMs,
  type Clock,
  createDeferred,
  createEmitter,
  type EventSource,
  type Logger,
  onAbort,
  showValue,
  systemClock,
} from '@pawl/core';
import { encodeErrorResponse, encodeNotification, encodeRequest, encodeResult } from './codec.ts';
import { decodeError, type RemoteError } from './error-codec.ts';
import type { ConnectionEvents } from './events.ts';
import { createInboundCalls, type MethodHandler } from './inbound-calls.ts';
import {
  type CloseInfo,
  ConnectionClosedError,
  MessageTooLargeError,
  RequestTimeoutError,
} from './ipc-errors.ts';
import type { ErrorMessage, ErrorObject, Message, NotificationMessage, ResultMessage } from './message.ts';
import type { Transport } from './transport.ts';

export type NotificationHandler = (params: unknown) => void;

export interface ConnectionOptions {
  /** What the far side may request, by method name. Others get -32601. */
  readonly methods?: Readonly<Record<string, MethodHandler>>;
  /** What the far side may notify, by method name. Others are ignored. `cancel` is handled here already. */
  readonly notifications?: Readonly<Record<string, NotificationHandler>>;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners and notification handlers that throw. @default silentLogger */
  readonly logger?: Logger;
}

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
export interface Call {
  readonly id: number;
  /** The far side's result. @throws RemoteError for its error response, ConnectionClosedError when none can come */
  readonly response: Promise<unknown>;
  /** Asks the far side to stop. `response` still settles with whatever it answers. */
  cancel(reason: string, graceMs?: number): void;
}

/** Pairs requests with their answers over a transport. Either side may request; every request settles exactly once. */
export interface Connection extends EventSource<ConnectionEvents> {
  /**
   * Sends a request and waits for its answer.
   * @throws RemoteError, ConnectionClosedError, RequestTimeoutError, NotSerializableError, MessageTooLargeError, or the
   * reason of `options.signal`
   */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown>;
  /** As `request`, for callers that must know when the far side is really done: a cancel does not settle it. */
  call(method: string, params?: unknown, options?: CallOptions): Call;
  /** Resolves when the channel took the frame; that is the back-pressure. @throws as `request` */
  notify(method: string, params?: unknown): Promise<void>;
  /** Handles a notification from now on. @returns a function that stops it */
  onNotification(method: string, handler: NotificationHandler): () => void;
  /** Sends what waits, ends the channel, and rejects what is open. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<CloseInfo>;
  /** How many requests of ours wait for their answer. */
  readonly openRequests: number;
}

interface OpenRequest {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onNotification: CallOptions['onNotification'];
}

export function createConnection(transport: Transport, options: ConnectionOptions = {}): Connection {
  const clock = options.clock ?? systemClock;
  const emitter = createEmitter<ConnectionEvents>(
    options.logger === undefined ? {} : { logger: options.logger },
  );
  const open = new Map<number, OpenRequest>();
  const handlers = new Map<string, NotificationHandler>(Object.entries(options.notifications ?? {}));
  const inbound = createInboundCalls({
    methods: options.methods ?? {},
    sendResult,
    sendError,
    sendNotification,
  });
  const closed = createDeferred<CloseInfo>();
  let closeInfo: CloseInfo | undefined;
  let lastId = 0;

  function settle(info: CloseInfo): void {
    if (closeInfo !== undefined) return;
    closeInfo = info;
    const requests = [...open.values()];
    open.clear();
    for (const { method, reject } of requests) reject(new ConnectionClosedError(info, method));
    inbound.abandonAll(info);
    closed.resolve(info);
  }

  function onMessage(message: Message): void {
    if ('method' in message) {
      if ('id' in message) inbound.begin(message);
      else onNotificationMessage(message);
    } else onResponse(message);
  }

  function onResponse(message: ResultMessage | ErrorMessage): void {
    const asked = message.id === null ? undefined : open.get(message.id);
    if (asked === undefined || message.id === null) {
      emitter.emit('protocol:unknown-response', { id: message.id });
      return;
    }
    open.delete(message.id);
    if ('error' in message) asked.reject(remoteErrorOf(message.error));
    else asked.resolve(message.result);
  }

  function onNotificationMessage(message: NotificationMessage): void {
    const params = message.params as Readonly<Record<string, unknown>> | undefined;
    const id = typeof params === 'object' && params !== null ? params['id'] : undefined;
    try {
      if (message.method === 'cancel') {
        inbound.cancel(params);
        return;
      }
      const listener = typeof id === 'number' ? open.get(id)?.onNotification : undefined;
      if (listener === undefined) handlers.get(message.method)?.(params);
      else listener(message.method, params ?? {});
    } catch (error) {
      options.logger?.error({ err: error, method: message.method }, 'A notification handler failed.');
    }
  }

  /** @throws MessageTooLargeError before a byte is written */
  function withinLimit(frame: string): string {
    // At most three bytes a UTF-16 unit: most frames need no counting.
    if (frame.length * 3 <= transport.maxMessageBytes) return frame;
    const sizeBytes = Buffer.byteLength(frame) - 1;
    if (sizeBytes > transport.maxMessageBytes) {
      throw new MessageTooLargeError(sizeBytes, transport.maxMessageBytes);
    }
    return frame;
  }

  function sendResult(id: number, result: unknown): void {
    transport.send(withinLimit(encodeResult(id, result)));
  }

  function sendError(id: number, error: ErrorObject): void {
    transport.send(encodeErrorResponse(id, error));
  }

  function sendNotification(method: string, params: unknown): Promise<void> {
    if (closeInfo !== undefined) return Promise.reject(new ConnectionClosedError(closeInfo));
    return new Promise((resolve, reject) => {
      transport.send(withinLimit(encodeNotification(method, params)), (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  function openCall(method: string, params: unknown, onNotification: CallOptions['onNotification']): Call {
    const id = (lastId += 1);
    const response = new Promise<unknown>((resolve, reject) => {
      if (closeInfo !== undefined) throw new ConnectionClosedError(closeInfo, method);
      const frame = withinLimit(encodeRequest(id, method, params));
      open.set(id, { method, resolve, reject, onNotification });
      transport.send(frame, (error) => {
        // A dead channel's own end settles the request; here it is this one frame that was refused.
        if (error !== undefined && open.delete(id)) reject(error);
      });
    });
    return {
      id,
      response,
      cancel(reason, graceMs) {
        if (!open.has(id)) return;
        transport.send(
          encodeNotification('cancel', { id, reason, ...(graceMs === undefined ? {} : { graceMs }) }),
        );
      },
    };
  }

  function request(method: string, params?: unknown, how: RequestOptions = {}): Promise<unknown> {
    const { signal, timeoutMs, onNotification } = how;
    if (signal === undefined && timeoutMs === undefined)
      return openCall(method, params, onNotification).response;
    const limitMs = checkDurationMs('timeoutMs', timeoutMs ?? Infinity, { infinite: true });
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const call = openCall(method, params, onNotification);
      const release = (): void => {
        timer.cancel();
        stopListening();
      };
      const giveUp = (error: unknown, reason: string): void => {
        release();
        call.cancel(reason);
        reject(error);
      };
      const timer = clock.setTimer(limitMs, () => {
        const error = new RequestTimeoutError(method, limitMs);
        giveUp(error, error.message);
      });
      const stopListening = onAbort(signal, (reason) => giveUp(reason, reasonText(reason)));
      call.response.then(
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

  transport.start({
    onMessage,
    onMalformed: ({ reason, sizeBytes, preview }) => {
      emitter.emit('protocol:malformed', { reason, sizeBytes, preview });
    },
    onClose: settle,
  });

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    request,
    call: (method, params, how = {}) => openCall(method, params, how.onNotification),
    notify: sendNotification,
    onNotification(method, handler) {
      handlers.set(method, handler);
      return () => {
        if (handlers.get(method) === handler) handlers.delete(method);
      };
    },
    async close() {
      settle({ reason: 'closed' });
      await transport.close();
    },
    closed: closed.promise,
    get openRequests() {
      return open.size;
    },
  };
}

function remoteErrorOf(error: ErrorObject): RemoteError {
  return decodeError(error.data, { rpcCode: error.code, message: error.message });
}

/** A reason of any kind as one line for the far side. */
function reasonText(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === 'string' ? reason : showValue(reason);
}
