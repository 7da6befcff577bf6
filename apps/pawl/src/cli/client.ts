import { fixedBackoff, retry } from '@pawl/resilience';
import { CommandError } from './command-error.ts';
import { type EventSourceOptions, readEvents, type ServerEvent } from './server-events.ts';
import { exitCodes } from './exit-codes.ts';
import { problemError, ServiceUnreachableError, toConnectionError } from './service-errors.ts';

export const DEFAULT_URL = 'http://127.0.0.1:3001';

/** Far more than the service takes for anything but waiting. */
const REQUEST_TIMEOUT_MS = 30_000;

type Query = Readonly<Record<string, string | number | undefined>>;

export interface ClientOptions {
  /** Of the service; it may have a path, where a proxy adds one. @default DEFAULT_URL */
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

export interface RequestOptions {
  readonly query?: Query;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 30000 */
  readonly timeoutMs?: number;
}

/** The service, as the command uses it. Every method throws a CommandError that says what is wrong in one line. */
export interface Client {
  readonly url: string;
  /** Reads; tried once more when the connection breaks. */
  get<Answer>(path: string, options?: RequestOptions): Promise<Answer>;
  /** Changes something, so it is sent once. `undefined` is an answer without a body. */
  send<Answer>(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    options?: RequestOptions,
  ): Promise<Answer>;
  /** The bytes of a file, as they come. */
  download(path: string, options?: RequestOptions): Promise<ReadableStream<Uint8Array>>;
  /** A stream of events that goes on where it was when the connection breaks, until there are no more. */
  follow(path: string, options: EventSourceOptions): AsyncGenerator<ServerEvent, void>;
}

/** A connection that was kept alive may be closed by the service just when it is used again. */
const onceMore = retry({
  maxAttempts: 2,
  backoff: fixedBackoff(0),
  shouldRetry: (error) => error instanceof ServiceUnreachableError && error.fault === 'broken',
});

export function createClient({ url = DEFAULT_URL, token }: ClientOptions = {}): Client {
  const base = checkUrl(url);

  const request = async (
    method: string,
    path: string,
    { query = {}, signal, headers = {}, timeoutMs = REQUEST_TIMEOUT_MS }: RequestOptions,
    body?: unknown,
  ): Promise<Response> => {
    const timeout = timeoutMs === Infinity ? [] : [AbortSignal.timeout(timeoutMs)];
    let response: Response;
    try {
      response = await fetch(`${base}${path}${searchOf(query)}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token.trim()}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([...timeout, ...(signal === undefined ? [] : [signal])]),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw toConnectionError(error, base, timeoutMs);
    }
    if (!response.ok) throw await problemError(response, base);
    return response;
  };

  return {
    url: base,
    async get<Answer>(path: string, options: RequestOptions = {}) {
      return onceMore.execute(async () =>
        readJson<Answer>(await request('GET', path, options), base, options.signal),
      );
    },
    async send<Answer>(
      method: 'POST' | 'PUT' | 'DELETE',
      path: string,
      body?: unknown,
      options: RequestOptions = {},
    ) {
      const response = await request(method, path, options, body);
      return response.status === 204
        ? (undefined as Answer)
        : readJson<Answer>(response, base, options.signal);
    },
    async download(path, options = {}) {
      const { body } = await request('GET', path, { timeoutMs: Infinity, ...options });
      return body ?? new Blob([]).stream();
    },
    follow: (path, options) =>
      readEvents((connection) => request('GET', path, { ...connection, timeoutMs: Infinity }), options),
  };
}

/** A path with its parts encoded: ``route`/v1/runs/${id}/cancel` ``. */
export function route(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  return texts
    .map((text, index) => {
      const part = parts[index];
      if (part === undefined) return text;
      // Such a part would lead to another path.
      if (/^\.{0,2}$/.test(part)) throw new CommandError(exitCodes.usage, `\`${part}\` is not a name`);
      return text + encodeURIComponent(part);
    })
    .join('');
}

function checkUrl(url: string): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CommandError(
      exitCodes.usage,
      `Expected the address of the service to be like ${DEFAULT_URL}, got \`${url}\``,
    );
  }
  return url.replace(/\/+$/, '');
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size === 0 ? '' : `?${search.toString()}`;
}

async function readJson<Answer>(response: Response, base: string, signal?: AbortSignal): Promise<Answer> {
  if (!/[/+]json\b/.test(response.headers.get('content-type') ?? '')) {
    throw new CommandError(exitCodes.unavailable, `what answers at ${base} is not Pawl`);
  }
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    signal?.throwIfAborted();
    throw toConnectionError(error, base, REQUEST_TIMEOUT_MS);
  }
}
