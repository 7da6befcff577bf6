import { ApiError } from '../api/http.ts';
import { createEventParser, type ServerEvent } from './event-parser.ts';

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 8_000;
/** The service sends a comment every 15 s. */
const SILENCE_MS = 40_000;

export interface FollowOptions {
  /** Opens the stream after the event with this id. */
  readonly open: (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;
  /** Gets events in bundles, as they arrive. Returns true when the stream is over. */
  readonly onEvents: (events: readonly ServerEvent[]) => boolean | undefined;
  readonly onOpen?: () => void;
  /** Told of each time the stream breaks, and how long until the next try. */
  readonly onBreak?: (error: unknown, waitMs: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Follows a stream of events until it is over or aborted: reconnects where it breaks, from the last event on, waiting
 * longer each time.
 * @throws ApiError when the service refuses the stream for good
 */
export async function follow({ open, onEvents, onOpen, onBreak, signal }: FollowOptions): Promise<void> {
  let lastEventId: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    signal.addEventListener('abort', abort);
    let silence = setTimeout(abort, SILENCE_MS);
    try {
      const response = await open(lastEventId, attempt.signal);
      onOpen?.();
      // All of it was seen.
      if (response.status === 204) return;
      const parser = createEventParser();
      const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
      const decoder = new TextDecoder();
      for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
        clearTimeout(silence);
        silence = setTimeout(abort, SILENCE_MS);
        failures = 0;
        const events = parser.push(decoder.decode(chunk.value, { stream: true }));
        if (events.length === 0) continue;
        const { id } = events.at(-1) as ServerEvent;
        if (id !== '') lastEventId = id;
        if (onEvents(events) === true) {
          attempt.abort();
          return;
        }
      }
      throw new Error('The stream ended.');
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) throw error;
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures) * (0.75 + Math.random() / 2);
      failures += 1;
      onBreak?.(error, waitMs);
      await wait(waitMs, signal);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', abort);
    }
  }
}

/** Resolves after the time, or when aborted, or when the browser is back on its network. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    addEventListener('online', done);
  });
}
