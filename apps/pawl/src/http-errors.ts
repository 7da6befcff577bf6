import { STATUS_CODES } from 'node:http';
import { hasCode, PawlError } from '@pawl/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

/** What is wrong with one field of a request. */
export interface FieldFault {
  /** `body` for the body as a whole. */
  readonly field: string;
  readonly message: string;
}

/** An error that has an HTTP status. */
export class HttpError extends PawlError {
  readonly status: number;
  readonly faults: readonly FieldFault[];

  constructor(status: number, code: string, message: string, faults: readonly FieldFault[] = []) {
    super(message, { code });
    this.status = status;
    this.faults = faults;
  }
}

/** The body of an error answer (RFC 9457). `code` names the kind of problem for programs. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldFault[];
}

export function problemOf({ status, code, message, faults }: HttpError): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: message,
    ...(faults.length === 0 ? {} : { errors: faults }),
  };
}

/** Answers with `application/problem+json`. */
export async function sendProblem(reply: FastifyReply, error: HttpError): Promise<void> {
  await reply.status(error.status).type('application/problem+json').send(problemOf(error));
}

/** Turns whatever a route threw into a problem. What nobody expected is logged and tells the client nothing. */
export async function handleError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = toHttpError(error);
  if (problem.status >= 500) request.log.error({ err: error }, problem.message);
  const { retryAfterMs } = fieldsOf(error);
  if (problem.status === 503) {
    const seconds =
      typeof retryAfterMs === 'number' && retryAfterMs < 3_600_000 ? Math.ceil(retryAfterMs / 1_000) : 1;
    reply.header('retry-after', String(Math.max(1, seconds)));
  }
  await sendProblem(reply, problem);
}

function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (hasCode(error, 'CIRCUIT_OPEN', 'CRASH_LOOP', 'WORKER_START_FAILED', 'PYTHON_NOT_FOUND')) {
    return new HttpError(503, error.code, `Python programs can't be run at the moment: ${error.message}`);
  }
  if (hasCode(error, 'QUEUE_FULL', 'POOL_STOPPED', 'TIMEOUT')) {
    return new HttpError(503, error.code, `The service is busy or stopping: ${error.message}`);
  }
  return (
    fromFastify(fieldsOf(error)) ?? new HttpError(500, 'INTERNAL', 'The service failed. Its log says more.')
  );
}

/** Anything can be thrown, `undefined` included. */
function fieldsOf(error: unknown): Partial<FastifyError> & { readonly retryAfterMs?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

/** The faults that fastify finds before a route runs. */
function fromFastify({ code, message = '', statusCode }: Partial<FastifyError>): HttpError | undefined {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpError(413, 'BODY_TOO_LARGE', 'The body is too large.', [
        { field: 'body', message: 'Expected `body` to be at most 1048576 bytes.' },
      ]);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new HttpError(
        415,
        'MEDIA_TYPE_UNSUPPORTED',
        'Send JSON, with `content-type: application/json`.',
        [{ field: 'content-type', message: 'Expected `content-type` to be application/json.' }],
      );
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      // The parser says the same of keys that could reach a prototype.
      return badRequest('body', 'The body is not valid JSON, or has a key such as `__proto__`.');
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return badRequest('body', 'The body is empty.');
    case 'FST_ERR_BAD_URL':
      return badRequest('url', 'The address is not a valid one.');
    case undefined:
    default:
      if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
      return new HttpError(statusCode, 'REQUEST_INVALID', message);
  }
}

function badRequest(field: string, message: string): HttpError {
  return new HttpError(400, field === 'body' ? 'BODY_INVALID' : 'REQUEST_INVALID', message, [
    { field, message },
  ]);
}
