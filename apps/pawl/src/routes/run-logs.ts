import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import {
  logDownloadQuery,
  type LogDownloadQuery,
  logPage,
  logPageQuery,
  type LogPageQuery,
  logStreamQuery,
  type LogStreamQuery,
  runParams,
} from '../api/run-schemas.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

type Id = z.infer<typeof runParams>;

const DEFAULT_TAIL = 500;

/** What runs print: the latest lines, all of it, and as it comes. */
export function runLogRoutes(app: FastifyInstance, { runLogs, streams }: Services): void {
  app.get<{ Params: Id; Querystring: LogPageQuery }>(
    '/v1/runs/:id/logs',
    {
      schema: {
        summary: 'Show the latest lines of a run.',
        params: runParams,
        querystring: logPageQuery,
        response: { 200: logPage, ...problemAnswers(400, 404) },
      },
      config: { role: 'read' },
    },
    async ({ params, query: { tail = DEFAULT_TAIL, ...query } }) =>
      runLogs.page(params.id, { tail, ...query }),
  );

  app.get<{ Params: Id; Querystring: LogDownloadQuery }>(
    '/v1/runs/:id/logs/download',
    {
      // There is no end to ask the length of.
      exposeHeadRoute: false,
      schema: {
        summary: 'Download what a run wrote, byte for byte.',
        params: runParams,
        querystring: logDownloadQuery,
        produces: ['application/octet-stream'],
        response: {
          200: {
            description: 'The bytes.',
            content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
          },
          ...problemAnswers(400, 404),
        },
      },
      config: { role: 'read' },
    },
    async ({ params, query }, reply) => {
      const { name, bytes } = await runLogs.download(params.id, query);
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Readable.from(bytes, { objectMode: false }));
    },
  );

  app.get<{ Params: Id; Querystring: LogStreamQuery }>(
    '/v1/runs/:id/logs/stream',
    {
      // There is no end to ask the length of.
      exposeHeadRoute: false,
      schema: {
        summary: 'Follow what a run prints.',
        description:
          'Server-sent events: `entry` {at, level, stream, text, endsLine}, `dropped` {bytes} where some are gone, and ' +
          '`complete` {state} at the end. Come back with `Last-Event-ID` and nothing is missed or given twice; 204 says ' +
          'that all of it was seen.',
        params: runParams,
        querystring: logStreamQuery,
        response: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          204: { type: 'null', description: 'All of it was seen.' },
          ...problemAnswers(400, 404, 503),
        },
      },
      config: { role: 'read' },
    },
    async ({ params, query, headers }, reply) => {
      const lastEventId = headers['last-event-id'];
      const isResumed = typeof lastEventId === 'string' && /^\d{1,15}$/.test(lastEventId);
      const from = isResumed ? Number(lastEventId) : (query.from ?? 0);
      const events = await runLogs.follow(params.id, { attempt: query.attempt, from, isResumed });
      return events === undefined ? reply.status(204).send() : streams.send(reply, events);
    },
  );
}
