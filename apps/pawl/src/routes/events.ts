import type { FastifyInstance } from 'fastify';
import { eventsQuery, type EventsQuery } from '../api/event-schemas.ts';
import type { EventHub, SubscribeOptions } from '../events/event-hub.ts';
import type { StreamEvent } from '../event-stream.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

/** `GET /v1/events`: what happens in the service, as it happens. */
export function eventRoute(app: FastifyInstance, { events, streams }: Services): void {
  app.get<{ Querystring: EventsQuery }>(
    '/v1/events',
    {
      // There is no end to ask the length of.
      exposeHeadRoute: false,
      schema: {
        summary: 'Follow what happens in the service.',
        description:
          'Server-sent events: `run` with a run as lists have it, at each change; `schedule` with a schedule; `stats` ' +
          'every two seconds; `reset` when some were missed. Come back with `Last-Event-ID` to get what came meanwhile.',
        querystring: eventsQuery,
        response: {
          200: {
            description: 'The events.',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
          ...problemAnswers(400, 503),
        },
      },
      config: { role: 'read' },
    },
    async ({ query: { types }, headers }, reply) => {
      const lastEventId = headers['last-event-id'];
      const isResumed = typeof lastEventId === 'string' && /^\d{1,15}$/.test(lastEventId);
      const after = isResumed ? Number(lastEventId) : undefined;
      return streams.send(reply, (signal) => streamOf(events, { types, after, signal }), { isEndless: true });
    },
  );
}

async function* streamOf(events: EventHub, options: SubscribeOptions): AsyncGenerator<StreamEvent> {
  for await (const { sequence, type, data } of events.subscribe(options)) {
    yield { id: sequence, event: type, data };
  }
}
