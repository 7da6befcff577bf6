// Requests and answers
export {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type NotificationHandler,
} from './connection.ts';
export type { Call, CallOptions, RequestOptions } from './outbound-calls.ts';
export type { InboundContext, MethodHandler } from './inbound-calls.ts';
export type { ConnectionEvents } from './events.ts';

// Handshake
export {
  acceptWorker,
  type AcceptWorkerOptions,
  HandshakeError,
  type Hello,
  introduce,
  type IntroduceOptions,
  negotiateVersion,
  PROTOCOL,
  ProtocolVersionError,
  type VersionRange,
  type Welcome,
  type WorkerFeature,
} from './handshake.ts';

// Transports
export type { Transport, TransportOptions, TransportReceiver } from './transport.ts';
export { stdioTransport, type StdioTransportOptions } from './stdio-transport.ts';
export { fdTransport, type FdTransport, type FdTransportOptions } from './fd-transport.ts';
export { type MemoryTransport, memoryTransportPair } from './memory-transport.ts';

// Messages and frames
export { encodeFrame } from './codec.ts';
export {
  createFrameDecoder,
  type FrameDecoder,
  type FrameDecoderOptions,
  MalformedFrame,
} from './framing.ts';
export { errorCodes, type ErrorObject, type Message } from './message.ts';

// Errors
export { decodeError, encodeError, type ErrorData, RemoteError } from './error-codec.ts';
export {
  CancelledError,
  type CloseInfo,
  type CloseReason,
  ConnectionClosedError,
  MessageTooLargeError,
  NotSerializableError,
  RequestTimeoutError,
  RpcError,
} from './ipc-errors.ts';
