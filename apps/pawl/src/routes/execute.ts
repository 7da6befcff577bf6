import type { FastifyInstance } from 'fastify';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';
import type { Executions } from '../python/executions.ts';
import { executeAnswer, executeBody, type ExecuteBody } from './execute-schema.ts';

export interface ExecuteRouteOptions {
  readonly executions: Executions;
  /** Requests of one client in a minute; `Infinity` is no limit. */
  readonly rateLimitPerMinute: number;
}

/** `POST /execute {code}` runs a Python program. A program that fails is a success of the service: 200. */
export function executeRoute(
  app: FastifyInstance,
  { executions, rateLimitPerMinute }: ExecuteRouteOptions,
): void {
  app.post<{ Body: ExecuteBody }>(
    '/execute',
    {
      schema: {
        summary: 'Run a Python program, and its tests if there are any.',
        body: executeBody,
        response: { 200: executeAnswer, ...problemAnswers(400, 404, 413, 415, 429, 503) },
      },
      config: {
        rateLimit: rateLimitPerMinute === Infinity ? false : { max: rateLimitPerMinute, timeWindow: 60_000 },
      },
    },
    async (request, reply) => {
      const { cache, ...program } = request.body;
      const clientLeft = new AbortController();
      // Nobody waits for the result any more: the program is ended.
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) {
          clientLeft.abort(new HttpError(499, 'CLIENT_LEFT', 'The client closed the connection.'));
        }
      });
      return executions.execute(program, { signal: clientLeft.signal, cache });
    },
  );
}
