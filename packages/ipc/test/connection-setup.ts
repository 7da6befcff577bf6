import {
  createEventMonitor,
  createManualClock,
  type EventMonitor,
  type ManualClock,
} from '@pawl/core/testing';
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  createConnection,
  type MemoryTransport,
  memoryTransportPair,
  type MethodHandler,
} from '@pawl/ipc';

export type SetupOptions = ConnectionOptions & { readonly maxMessageBytes?: number };

interface Bundle {
  readonly clock: ManualClock;
  /** The host's end of the channel. */
  readonly near: MemoryTransport;
  readonly far: MemoryTransport;
  readonly host: Connection;
  readonly events: EventMonitor<ConnectionEvents>;
}

/** Two connections face to face: `host` asks, `worker` answers. */
export function setup(
  methods: Readonly<Record<string, MethodHandler>> = {},
  options: SetupOptions = {},
): Bundle & { readonly worker: Connection } {
  const { maxMessageBytes = 1_000_000, ...hostOptions } = options;
  const clock = createManualClock();
  const [near, far] = memoryTransportPair({ maxMessageBytes });
  const host = createConnection(near, { clock, ...hostOptions });
  const worker = createConnection(far, { clock, methods });
  return { clock, near, far, host, worker, events: createEventMonitor(host, { clock }) };
}

/** A host whose worker is played by hand: what it gets is recorded, what it says is injected. */
export function setupByHand(
  options: SetupOptions = {},
): Bundle & { readonly got: readonly unknown[]; readonly say: (message: object) => void } {
  const { maxMessageBytes = 1_000_000, ...hostOptions } = options;
  const clock = createManualClock();
  const [near, far] = memoryTransportPair({ maxMessageBytes });
  const got: unknown[] = [];
  far.start({
    onMessage: (message) => got.push(message),
    onMalformed: ({ reason }) => got.push(reason),
    onClose: () => undefined,
  });
  const host = createConnection(near, { clock, ...hostOptions });
  const events = createEventMonitor(host, { clock });
  const say = (message: object): void => far.inject(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  return { clock, near, far, host, got, events, say };
}

/** A handler that never answers. */
export const never = (): Promise<never> => new Promise(() => undefined);

/** A handler that answers when the test says so. */
export function held() {
  const calls: { readonly signal: AbortSignal; readonly answer: (value: unknown) => void }[] = [];
  const handler: MethodHandler = (_, { signal }) => new Promise((answer) => calls.push({ signal, answer }));
  return { calls, handler };
}
