import { createParser } from 'eventsource-parser';
import { CommandError } from './command-error.ts';
import { createPatience, type PatienceOptions, RETRY_MS } from './patience.ts';
import { mayPass, ServiceUnreachableError } from './service-errors.ts';

export interface ServerEvent {
  readonly event: string;
  /** Parsed JSON. */
  readonly data: unknown;
  readonly id: string | undefined;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface EventSourceOptions extends PatienceOptions {
  /** Asked for each connection; the id is that of the last event, if there was one. */
  readonly query?: (lastEventId: string | undefined) => Query;
}

interface Connect {
  (options: {
    readonly signal: AbortSignal;
    readonly headers: Readonly<Record<string, string>>;
    readonly query: Query;
  }): Promise<Response>;
}

/** The service sends a comment every 15 s: after three are missing, nobody is there. */
const SILENCE_MS = 45_000;

/** Reads server-sent events, and connects again with `Last-Event-ID` when the connection breaks. */
export async function* readEvents(
  connect: Connect,
  { query = () => ({}), ...options }: EventSourceOptions,
): AsyncGenerator<ServerEvent, void> {
  const { signal } = options;
  let retryMs = RETRY_MS;
  let lastEventId: string | undefined;
  let everConnected = false;
  const patience = createPatience(options, {
    isWorthIt: (error) => everConnected && mayPass(error),
    retryMs: () => retryMs,
  });

  /** The events of one connection. Ends where nothing more will ever come; throws where it breaks. */
  async function* listen(): AsyncGenerator<ServerEvent, void> {
    const silence = new AbortController();
    const watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await connect({
        signal: AbortSignal.any([signal, silence.signal]),
        query: query(lastEventId),
        headers: {
          accept: 'text/event-stream',
          ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        },
      });
      everConnected = true;
      if (response.status === 204) return;
      const events: ServerEvent[] = [];
      const parser = createParser({
        onEvent: ({ event = 'message', data, id }) => events.push({ event, data: JSON.parse(data), id }),
        onRetry: (ms) => (retryMs = ms),
      });
      const body = response.body ?? new Blob([]).stream();
      for await (const text of body.pipeThrough(new TextDecoderStream())) {
        patience.renew();
        watchdog.refresh();
        parser.feed(text);
        yield* events.splice(0);
      }
    } finally {
      clearTimeout(watchdog);
      // Leaves the connection when the reader has had enough.
      silence.abort();
    }
    throw new ServiceUnreachableError('broken', 'the service ends every connection', undefined);
  }

  let connection = listen();
  const next = async (): Promise<IteratorResult<ServerEvent, void>> => {
    try {
      return await connection.next();
    } catch (error) {
      connection = listen();
      throw toFailure(error);
    }
  };
  try {
    for (;;) {
      const { value: event } = await patience.execute(next);
      if (event === undefined) return;
      lastEventId = event.id ?? lastEventId;
      yield event;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await connection.return();
  }
}

/** What ends a body in the middle has no name of its own. */
function toFailure(error: unknown): Error {
  if (error instanceof CommandError || error instanceof SyntaxError) return error;
  return new ServiceUnreachableError('broken', 'the connection to the service broke', error);
}
