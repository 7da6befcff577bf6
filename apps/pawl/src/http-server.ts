import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { handleError, HttpError, sendProblem } from './http-errors.ts';

/** 1 MiB. */
const BODY_LIMIT_BYTES = 1_048_576;

/** Names by which a local client may address the service; any other `Host` is a page that rebound its own name. */
const LOCAL_NAMES = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** A server without routes: limits, problem+json for every error, and only local clients. */
export function createHttpServer(logger: FastifyBaseLogger): FastifyInstance {
  const app = fastify({
    // Not a line for every request: what goes wrong.
    loggerInstance: logger.child({}, { level: 'warn' }),
    bodyLimit: BODY_LIMIT_BYTES,
    // A slow client may not hold a connection for ever.
    requestTimeout: 30_000,
    forceCloseConnections: false,
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

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

function isLocal(url: string): boolean {
  return URL.canParse(url) && LOCAL_NAMES.has(new URL(url).hostname);
}
