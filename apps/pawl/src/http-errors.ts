import { STATUS_CODES } from 'node:http';
import { hasCode, PawlError } from '@pawl/core';
import type { InvalidExecutionError } from '@pawl/python';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ModuleParametersError } from './modules/parameter-values.ts';
import { START_AGAIN_MS } from './python/restartable-runner.ts';
import { isSandboxUnavailable, REMEDY, sandboxProblem, type SandboxState } from './python/sandbox-state.ts';

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

/** What passes by itself. */
const BUSY = [
  'QUEUE_FULL',
  'POOL_STOPPED',
  'EXECUTOR_STOPPED',
  'SERVICE_STOPPED',
  'TIMEOUT',
  'RUN_TIMEOUT',
] as const;

/** Turns whatever a route threw into a problem. What nobody expected is logged and tells the client nothing. */
export async function handleError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = toHttpError(error, request.routeOptions.bodyLimit);
  if (problem.status >= 500 && isNews(error)) request.log.error({ err: error }, problem.message);
  if (problem.status === 503) reply.header('retry-after', retryAfterSeconds(error));
  await sendProblem(reply, problem);
}

/** What it says itself is known, and of a full queue there may be thousands of refusals in a second. */
function isNews(error: unknown): boolean {
  return !(error instanceof HttpError) && !isSandboxUnavailable(error) && !hasCode(error, 'RUN_QUEUE_FULL');
}

function retryAfterSeconds(error: unknown): number {
  const { retryAfterMs = isSandboxUnavailable(error) ? START_AGAIN_MS : 0 } = fieldsOf(error);
  const isSane = typeof retryAfterMs === 'number' && retryAfterMs < 3_600_000;
  return isSane ? Math.max(1, Math.ceil(retryAfterMs / 1_000)) : 1;
}

/** What an error means to a client. */
export function toHttpError(error: unknown, bodyLimitBytes?: number): HttpError {
  if (error instanceof HttpError) return error;
  if (isSandboxUnavailable(error)) {
    const { rejected } = error;
    const state: SandboxState = { available: false, rejected, remedy: REMEDY };
    return new HttpError(503, error.code, sandboxProblem(state) ?? error.message);
  }
  if (hasCode(error, 'EXECUTION_INVALID', 'CODE_TOO_LARGE')) {
    const { field, message } = error as InvalidExecutionError;
    const faults = [{ field, message }];
    return error.code === 'CODE_TOO_LARGE'
      ? new HttpError(413, 'CODE_TOO_LARGE', message, faults)
      : new HttpError(400, 'BODY_INVALID', message, faults);
  }
  if (hasCode(error, 'EXERCISE_NOT_FOUND')) {
    const { code, message } = error;
    return new HttpError(404, code, message, [{ field: 'exerciseId', message }]);
  }
  if (error instanceof ModuleParametersError) {
    const faults = error.faults.map(({ parameter, message }) => ({
      field: `parameters.${parameter}`,
      message,
    }));
    return new HttpError(422, error.code, error.message, faults);
  }
  const known = statusOf(error);
  if (known !== undefined) return known;
  if (hasCode(error, 'CIRCUIT_OPEN', 'CRASH_LOOP', 'WORKER_START_FAILED', 'WORKER_CRASHED')) {
    return new HttpError(503, error.code, `Python programs can't be run at the moment: ${error.message}`);
  }
  if (hasCode(error, ...BUSY)) {
    return new HttpError(503, error.code, `The service is busy or stopping: ${error.message}`);
  }
  return (
    fromFastify(fieldsOf(error), bodyLimitBytes) ??
    new HttpError(500, 'INTERNAL', 'The service failed. Its log says more.')
  );
}

/** The errors of runs and of their store, in the words they have themselves. */
const STATUS_BY_CODE: Readonly<Record<string, readonly [status: number, field?: string]>> = {
  RUN_NOT_FOUND: [404],
  RUN_NOT_ENDED: [409],
  IDEMPOTENCY_CONFLICT: [409, 'idempotencyKey'],
  INVALID_CURSOR: [400, 'cursor'],
  MODULE_NOT_FOUND: [404],
  SCHEDULE_NOT_FOUND: [404],
  SCHEDULER_NOT_RUNNING: [503],
  JOB_NOT_FOUND: [404],
  INPUT_TOO_LARGE: [413, 'body'],
  SCRIPT_NOT_FOUND: [422, 'script.path'],
  SCRIPT_NOT_EXECUTABLE: [422, 'script.path'],
  INTERPRETER_NOT_FOUND: [422, 'script.interpreter'],
  RUN_QUEUE_FULL: [503],
  TRACKER_STOPPED: [503],
  STORE_FULL: [503],
  STORE_READ_ONLY: [503],
  STORE_CORRUPT: [503],
  STORE_BUSY: [503],
  STORE_CLOSED: [503],
  STORE_FAILED: [503],
  STORE_LOCKED: [503],
};

function statusOf(error: unknown): HttpError | undefined {
  const { code, message = '' } = fieldsOf(error);
  if (code === undefined || !Object.hasOwn(STATUS_BY_CODE, code)) return undefined;
  const [status, field] = STATUS_BY_CODE[code] ?? [500];
  return new HttpError(status, code, message, field === undefined ? [] : [{ field, message }]);
}

/** Anything can be thrown, `undefined` included. */
function fieldsOf(error: unknown): Partial<FastifyError> & { readonly retryAfterMs?: unknown } {
  return typeof error === 'object' && error !== null ? error : {};
}

/** The faults that fastify finds before a route runs. */
function fromFastify(
  { code, message = '', statusCode }: Partial<FastifyError>,
  bodyLimitBytes: number | undefined,
): HttpError | undefined {
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new HttpError(413, 'BODY_TOO_LARGE', 'The body is too large.', [
        { field: 'body', message: `Expected \`body\` to be at most ${bodyLimitBytes} bytes.` },
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
