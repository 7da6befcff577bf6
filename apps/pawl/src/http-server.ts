import type { Duplex } from 'node:stream';
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { handleError, HttpError, problemOf, sendProblem } from './http-errors.ts';

/** 1 MiB. */
const BODY_LIMIT_BYTES = 1_048_576;

/** Names by which a local client may address the service; any other `Host` is a page that rebound its own name. */
const LOCAL_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** A server without routes: limits, problem+json for every error, and only local clients. */
export function createHttpServer(logger: Logger): FastifyInstance {
  // Not a line for every request: what goes wrong.
  const level = logger.isLevelEnabled('warn') ? 'warn' : logger.level;
  const loggerInstance: FastifyBaseLogger = logger.child({}, { level });
  const app = fastify({
    loggerInstance,
    bodyLimit: BODY_LIMIT_BYTES,
    // A slow client may not hold a connection for ever.
    requestTimeout: 30_000,
    forceCloseConnections: false,
    // An address that can't be decoded.
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler: refuseConnection,
  });
  // JSON alone: a web page may send text to anyone without being asked first.
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(async (request, reply) => {
    await sendProblem(
      reply,
      new HttpError(404, 'NOT_FOUND', `There is no ${request.method} ${pathOf(request.url)}.`),
    );
  });
  app.addHook('onRequest', async (request) => {
    const { host, origin } = request.headers;
    if (host !== undefined && !isLocal(`http://${host}`)) {
      throw new HttpError(403, 'HOST_REFUSED', 'Only this machine may use the service, by a local name.', [
        { field: 'host', message: `\`${host}\` is not a name of this machine.` },
      ]);
    }
    if (origin !== undefined && !isLocal(origin)) {
      throw new HttpError(403, 'ORIGIN_REFUSED', 'Web pages of other hosts may not use the service.', [
        { field: 'origin', message: `\`${origin}\` is not on this machine.` },
      ]);
    }
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
  });
  return app;
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

function isLocal(url: string): boolean {
  return URL.canParse(url) && LOCAL_NAMES.has(new URL(url).hostname);
}
