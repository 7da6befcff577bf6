import {
  type Clock,
  createDeferred,
  createEmitter,
  type EventSource,
  type Logger,
  silentLogger,
  systemClock,
} from '@pawl/core';
import { encodeNotification, encodeResult } from './codec.ts';
import { encodeErrorResponseWithin } from './error-response.ts';
import type { ConnectionEvents } from './events.ts';
import type { MalformedFrame } from './framing.ts';
import { createInboundCalls, type MethodHandler } from './inbound-calls.ts';
import { type CloseInfo, ConnectionClosedError, MessageTooLargeError } from './ipc-errors.ts';
import type { Message, NotificationMessage } from './message.ts';
import {
  type AnswerListener,
  type Call,
  type CallOptions,
  createOutboundCalls,
  type OpenCall,
  type RequestOptions,
} from './outbound-calls.ts';
import type { SentListener, Transport } from './transport.ts';

const MAX_REASON_LENGTH = 1_000;

/** What it returns is ignored; what it throws, or rejects with, is logged. */
export type NotificationHandler = (params: unknown) => unknown;

export interface ConnectionOptions {
  /** What the far side may request, by method name. Others get -32601. */
  readonly methods?: Readonly<Record<string, MethodHandler>>;
  /** What the far side may notify, by method name. Others are ignored. `cancel` is handled here already. */
  readonly notifications?: Readonly<Record<string, NotificationHandler>>;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Told of listeners, notification handlers and answer listeners that throw. @default silentLogger */
  readonly logger?: Logger;
}

/** Pairs requests with their answers over a transport. Either side may request; every request settles exactly once. */
export interface Connection extends EventSource<ConnectionEvents> {
  /**
   * Sends a request and waits for its answer.
   * @throws RemoteError, ConnectionClosedError, RequestTimeoutError, NotSerializableError, MessageTooLargeError, or the
   * reason of `options.signal`
   */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown>;
  /**
   * As `request`, for callers that have an object of their own for each request: it is told the answer, with no promise
   * in between. What `request` throws, it is told later.
   */
  ask(method: string, params: unknown, listener: AnswerListener): OpenCall;
  /** As `request`, for callers that must know when the far side is really done: a cancel does not settle it. */
  call(method: string, params?: unknown, options?: CallOptions): Call;
  /** Resolves when the channel took the frame; that is the back-pressure. @throws as `request` */
  notify(method: string, params?: unknown): Promise<void>;
  /** Handles a notification from now on, in place of the handler there was. @returns a function that stops it */
  onNotification(method: string, handler: NotificationHandler): () => void;
  /**
   * Longest frame either way from now on, in bytes: both sides have agreed on it.
   * @throws RangeError when it is more than a string can hold
   */
  limitMessages(maxMessageBytes: number): void;
  /**
   * The far side gave these requests back unbegun: each rejects with a WithdrawnError. Those not open are passed over.
   */
  withdrawn(ids: readonly number[]): void;
  /** Sends what waits, ends the channel, and rejects what is open at once. Resolves when the last byte was taken. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<CloseInfo>;
  /** How many frames have come from the far side so far, malformed ones included: it lives. */
  readonly framesReceived: number;
  /** How many requests of ours wait for their answer. */
  readonly openRequests: number;
}

export function createConnection(transport: Transport, options: ConnectionOptions = {}): Connection {
  const { clock = systemClock, logger = silentLogger } = options;
  const emitter = createEmitter<ConnectionEvents>({ logger });
  const handlers = new Map<string, NotificationHandler>(Object.entries(options.notifications ?? {}));
  const inbound = createInboundCalls({
    methods: options.methods ?? {},
    sendResult: (id, result) => sendFrame(encodeResult(id, result)),
    sendError: (id, error) => transport.send(encodeErrorResponseWithin(id, error, limitBytes)),
    sendNotification,
  });
  const outbound = createOutboundCalls({
    clock,
    sendFrame,
    sendCancel,
    onListenerFault: (error, method) =>
      logger.error({ err: error, method }, `What listens to the answer of "${method}" failed.`),
  });
  const closed = createDeferred<CloseInfo>();
  let closeInfo: CloseInfo | undefined;
  let framesReceived = 0;
  let limitBytes = transport.maxMessageBytes;

  function settle(info: CloseInfo): void {
    if (closeInfo !== undefined) return;
    closeInfo = info;
    outbound.end(info);
    inbound.abandonAll(info);
    closed.resolve(info);
  }

  function onMessage(message: Message): void {
    framesReceived += 1;
    // After our own close what still arrives is nobody's.
    if (closeInfo !== undefined) return;
    if ('method' in message) {
      if ('id' in message) inbound.begin(message);
      else onNotificationMessage(message);
    } else if (!outbound.settle(message)) emitter.emit('protocol:unknown-response', { id: message.id });
  }

  function onMalformed({ reason, sizeBytes, preview, answersTo }: MalformedFrame): void {
    framesReceived += 1;
    if (closeInfo !== undefined) return;
    emitter.emit('protocol:malformed', { reason, sizeBytes, preview });
    if (answersTo !== undefined) outbound.refuseAnswer(answersTo, sizeBytes, transport.maxMessageBytes);
  }

  function onNotificationMessage({ method, params }: NotificationMessage): void {
    const failed = (error: unknown): void =>
      logger.error({ err: error, method }, `The handler of notification "${method}" failed.`);
    try {
      const fields =
        typeof params === 'object' && params !== null ? (params as Readonly<Record<string, unknown>>) : {};
      if (method === 'cancel') inbound.cancel(fields);
      else if (typeof fields['id'] !== 'number' || !outbound.notified(fields['id'], method, fields)) {
        const result: unknown = handlers.get(method)?.(params);
        if (result instanceof Promise) result.catch(failed);
      }
    } catch (error) {
      failed(error);
    }
  }

  /** @throws MessageTooLargeError before a byte is written */
  function sendFrame(frame: string, listener?: SentListener): void {
    // At most three bytes a UTF-16 unit: most frames need no counting.
    if (frame.length * 3 > limitBytes) {
      const sizeBytes = Buffer.byteLength(frame) - 1;
      if (sizeBytes > limitBytes) throw new MessageTooLargeError(sizeBytes, limitBytes);
    }
    transport.send(frame, listener);
  }

  function sendNotification(method: string, params: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      if (closeInfo !== undefined) throw new ConnectionClosedError(closeInfo);
      sendFrame(encodeNotification(method, params), {
        onSent(error) {
          if (error === undefined) resolve();
          else reject(error);
        },
      });
    });
  }

  function sendCancel(id: number, reason: string, graceMs: number | undefined): void {
    const grace = graceMs === undefined ? {} : { graceMs };
    // Whatever the reason's size, the cancel itself has to get through.
    transport.send(
      encodeNotification('cancel', { id, reason: reason.slice(0, MAX_REASON_LENGTH), ...grace }),
    );
  }

  transport.start({ onMessage, onMalformed, onClose: settle });

  return {
    on: (name, listener) => emitter.on(name, listener),
    onAny: (listener) => emitter.onAny(listener),
    request: (method, params, how = {}) => outbound.request(method, params, how),
    ask: (method, params, listener) => outbound.ask(method, params, listener),
    call: (method, params, how = {}) => outbound.call(method, params, how),
    notify: sendNotification,
    onNotification(method, handler) {
      handlers.set(method, handler);
      return () => {
        if (handlers.get(method) === handler) handlers.delete(method);
      };
    },
    limitMessages(maxMessageBytes) {
      transport.maxMessageBytes = maxMessageBytes;
      limitBytes = maxMessageBytes;
    },
    withdrawn: (ids) => outbound.withdrawn(ids),
    async close() {
      settle({ reason: 'closed' });
      await transport.close();
    },
    closed: closed.promise,
    get framesReceived() {
      return framesReceived;
    },
    get openRequests() {
      return outbound.size;
    },
  };
}
