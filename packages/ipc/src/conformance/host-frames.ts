import type { Json } from './line.ts';

/** The limit that the kit sets in `welcome`: big enough for every check, small enough to go beyond. */
export const MAX_MESSAGE_BYTES = 1_000_000;
const HEARTBEAT_MS = 60_000;
/** How many runs a worker that queues may execute at once. */
export const RUNS_AT_ONCE = 4;

/** A frame as text, with its newline. */
export function frame(message: Json): string {
  return `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;
}

export function runParams(task: string, input: unknown, more: Json = {}): Json {
  return { task, input, runId: `conformance-${task}`, attempt: 1, ...more };
}

export function welcomeFrame(): string {
  return frame({
    method: 'welcome',
    params: {
      protocol: 1,
      workerId: 'conformance',
      heartbeatMs: HEARTBEAT_MS,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      runsAtOnce: RUNS_AT_ONCE,
    },
  });
}
