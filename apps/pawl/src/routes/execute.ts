import type { FastifyInstance } from 'fastify';
import { clientLeft } from '../client-left.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';
import { executeAnswer, executeBody, type ExecuteBody } from '../api/execute-schemas.ts';

/** `POST /execute {code}` runs a Python program. A program that fails is a success of the service: 200. */
export function executeRoute(
  app: FastifyInstance,
  { executions, config: { rateLimitPerMinute } }: Pick<Services, 'executions' | 'config'>,
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
        role: 'run',
        isOpenToPublic: true,
        rateLimit: rateLimitPerMinute === Infinity ? false : { max: rateLimitPerMinute, timeWindow: 60_000 },
      },
    },
    async (request, reply) => {
      const { cache, ...program } = request.body;
      // Nobody waits for the result any more: the program is ended.
      return executions.execute(program, { signal: clientLeft(reply), cache });
    },
  );
}
