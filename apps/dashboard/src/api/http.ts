import type { Session } from './session.ts';

/** What is wrong with one field of a request. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** An answer that is a problem (RFC 9457). `message` is the problem's own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Names the kind of problem, such as `RUN_ENDED`. */
  readonly code: string;
  readonly faults: readonly FieldFault[];

  constructor(status: number, code: string, message: string, faults: readonly FieldFault[]) {
    super(message);
    this.status = status;
    this.code = code;
    this.faults = faults;
  }
}

/** The service did not answer at all. */
export class AwayError extends Error {
  override readonly name = 'AwayError';

  constructor(cause: unknown) {
    super('The service does not answer.', { cause });
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** Calls the service this page came from. */
export interface Http {
  /** @throws ApiError for a problem, AwayError when nobody answers, the signal's reason when aborted */
  send(method: Method, path: string, options?: CallOptions): Promise<Response>;
  /** Sends, and reads the answer as JSON; `undefined` for an empty one. */
  json<Answer>(method: Method, path: string, options?: CallOptions): Promise<Answer>;
}

export function createHttp(session: Session): Http {
  async function send(method: Method, path: string, options: CallOptions = {}): Promise<Response> {
    const { query = {}, body, headers = {}, signal } = options;
    const token = session.token.get();
    let response: Response;
    try {
      response = await fetch(path + queryText(query), {
        method,
        headers: {
          accept: 'application/json, application/problem+json, text/event-stream',
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new AwayError(error);
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (problem.status === 401) session.ask(problem.message, token);
    throw problem;
  }

  return {
    send,
    async json<Answer>(method: Method, path: string, options?: CallOptions): Promise<Answer> {
      const response = await send(method, path, options);
      const text = await response.text();
      return (text === '' ? undefined : JSON.parse(text)) as Answer;
    },
  };
}

/** `?a=1&b=2`, without what has no value. */
function queryText(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function problemOf(response: Response): Promise<ApiError> {
  const { status, statusText } = response;
  try {
    const body = (await response.json()) as {
      readonly code?: string;
      readonly detail?: string;
      readonly title?: string;
      readonly errors?: readonly FieldFault[];
    };
    const message = body.detail ?? body.title ?? statusText;
    return new ApiError(status, body.code ?? 'UNKNOWN', message, body.errors ?? []);
  } catch {
    return new ApiError(status, 'UNKNOWN', `The service answered ${status} ${statusText}.`.trim(), []);
  }
}
