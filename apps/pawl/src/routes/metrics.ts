import type { FastifyInstance } from 'fastify';
import type { Services } from '../services.ts';

/** `GET /metrics` in the text format of Prometheus. Call it before other routes, so that their requests are measured. */
export function metricsRoute(app: FastifyInstance, { metrics }: Services): void {
  app.addHook('onResponse', async (request, reply) => {
    metrics.observeRequest({
      method: request.method,
      route: request.is404 ? undefined : request.routeOptions.url,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
    });
  });

  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics for Prometheus.',
        response: {
          200: {
            description: 'In its text format.',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
        },
      },
      config: { role: 'read' },
    },
    async (_request, reply) =>
      reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.read()),
  );
}
