// Requests and answers
export {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type NotificationHandler,
} from './connection.ts';
export type { AnswerListener, Call, CallOptions, OpenCall, RequestOptions } from './outbound-calls.ts';
export { type CallFollower, type InboundContext, type MethodHandler, noAnswer } from './inbound-calls.ts';
export type { ConnectionEvents } from './events.ts';

// Types from a contract
export { type Contract, defineProtocol, type Protocol, type TypedConnection } from './protocol.ts';
export { workerProtocol, type WorkerProtocol } from './worker-protocol.ts';

// Handshake and heartbeat
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

export { type Heartbeat, type HeartbeatOptions, startHeartbeat } from './heartbeat.ts';

// Transports
export type {
  ChannelOptions,
  SentListener,
  Transport,
  TransportOptions,
  TransportReceiver,
} from './transport.ts';
export { stdioTransport, type StdioTransportOptions } from './stdio-transport.ts';
export { fdTransport, type FdTransport, type FdTransportOptions } from './fd-transport.ts';
export { type MemoryTransport, memoryTransportPair } from './memory-transport.ts';

// Messages and frames
export { checkExact, encodeExact, encodeFrame, JsonText } from './codec.ts';
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
  BudgetExceededError,
  CancelledError,
  type CloseInfo,
  type CloseReason,
  ConnectionClosedError,
  type InputIssue,
  InvalidInputError,
  MessageTooLargeError,
  NotSerializableError,
  RequestTimeoutError,
  RpcError,
  WithdrawnError,
} from './ipc-errors.ts';
