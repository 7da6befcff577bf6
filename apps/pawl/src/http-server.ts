import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { handleError, HttpError, problemOf, sendProblem } from './http-errors.ts';

/** 1 MiB. */
const BODY_LIMIT_BYTES = 1_048_576;

/** Names by which a local client may address the service; any other `Host` is a page that rebound its own name. */
const LOCAL_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** What clients may call their requests, to find them again. */
const REQUEST_ID = /^[\w.-]{1,128}$/;

export interface HttpServerOptions {
  readonly logger: Logger;
  /** Whether others than this machine may be let in. They come by names that only they know. */
  readonly isPublic: boolean;
  /** Web pages that may use the service, besides those of this machine. */
  readonly corsOrigins: readonly string[];
  /** How long a request may take to arrive, in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
}

/** A server without routes: limits, security headers, problem+json for every error, and only clients it is meant for. */
export async function createHttpServer({
  logger,
  isPublic,
  corsOrigins,
  requestTimeoutMs = 30_000,
}: HttpServerOptions): Promise<FastifyInstance> {
  // Not a line for every request: what goes wrong.
  const level = logger.isLevelEnabled('warn') ? 'warn' : logger.level;
  const loggerInstance: FastifyBaseLogger = logger.child({}, { level });
  const app = fastify({
    loggerInstance,
    bodyLimit: BODY_LIMIT_BYTES,
    // A slow client may not hold a connection for ever.
    requestTimeout: requestTimeoutMs,
    http: {
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, 5_000),
    },
    // Longer names are refused by those who know them.
    routerOptions: { maxParamLength: 500 },
    forceCloseConnections: false,
    genReqId: requestId,
    // An address that can't be decoded.
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler: refuseConnection,
  });
  // JSON alone: a web page may send text to anyone without being asked first.
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(handleError);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-request-id': request.id });
  });
  await app.register(helmet, {
    // There is nothing to show in a page.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
  });
  app.addHook('onRequest', async ({ headers: { host, origin } }) => {
    if (!isPublic && host !== undefined && !isLocal(`http://${host}`)) {
      throw new HttpError(403, 'HOST_REFUSED', 'Only this machine may use the service, by a local name.', [
        { field: 'host', message: `\`${host}\` is not a name of this machine.` },
      ]);
    }
    // A page that this service sent may talk to it, by whatever name others know it.
    const isOwn = isPublic && origin !== undefined && hostOf(origin) === host;
    if (origin !== undefined && !isOwn && !isLocal(origin) && !corsOrigins.includes(origin)) {
      throw new HttpError(403, 'ORIGIN_REFUSED', 'Web pages of other hosts may not use the service.', [
        { field: 'origin', message: `\`${origin}\` is neither on this machine nor in PAWL_CORS_ORIGINS.` },
      ]);
    }
  });
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      allowedHeaders: [
        'authorization',
        'content-type',
        'idempotency-key',
        'if-none-match',
        'last-event-id',
        'prefer',
        'x-request-id',
      ],
      exposedHeaders: [
        'etag',
        'location',
        'preference-applied',
        'retry-after',
        'www-authenticate',
        'x-request-id',
      ],
    });
  }
  await app.register(rateLimit, {
    // Only for the routes that ask for it.
    global: false,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new HttpError(
        429,
        'RATE_LIMITED',
        `One client may run ${max} programs in a minute. Come back in ${Math.ceil(ttl / 1_000)} s.`,
      ),
  });
  app.setNotFoundHandler(async (request, reply) => {
    await sendProblem(
      reply,
      new HttpError(404, 'NOT_FOUND', `There is no ${request.method} ${pathOf(request.url)}.`),
    );
  });
  return app;
}

/** The client's own name for its request, if it is a plain one. */
function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** What the HTTP parser can't read has no request to reply to: the answer is written to the connection itself. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const problem = problemOf(parserFault(error.code));
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function parserFault(code: string | undefined): HttpError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpError(408, 'REQUEST_TIMEOUT', 'The request took too long to arrive.');
    case 'HPE_HEADER_OVERFLOW':
      return new HttpError(431, 'HEADERS_TOO_LARGE', 'The headers are too large.');
    case undefined:
    default:
      return new HttpError(400, 'REQUEST_INVALID', 'This is not an HTTP request.');
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && LOCAL_NAMES.has(new URL(url).hostname);
}
