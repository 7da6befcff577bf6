import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

/**
 * `GET /health` and `GET /health/live`: 200 as long as the service answers; `degraded` when it can't do all of its
 * work. `GET /health/ready`: whether to send it programs.
 */
export function healthRoute(app: FastifyInstance, { version, health, shutdown, tracker }: Services): void {
  app.get('/health', { schema: { summary: 'How the service is.' }, config: { role: 'none' } }, async () => {
    const problems = await health.problems();
    return {
      status: problems.length === 0 ? 'healthy' : 'degraded',
      service: 'pawl',
      version,
      timestamp: new Date().toISOString(),
      uptimeSeconds: Math.floor(process.uptime()),
      ...(problems.length === 0 ? {} : { problems }),
    };
  });

  app.get(
    '/health/live',
    { schema: { summary: 'Whether the service answers.' }, config: { role: 'none' } },
    () => ({
      status: 'live',
    }),
  );

  const schema = {
    summary: 'Whether the service can run programs.',
    response: { 200: z.object({ status: z.literal('ready') }), ...problemAnswers(503) },
  };
  app.get('/health/ready', { schema, config: { role: 'none' } }, async () => {
    if (!shutdown.ready) throw new HttpError(503, 'STOPPING', 'The service is stopping.');
    if (tracker.state !== 'running') throw new HttpError(503, 'STARTING', 'The service is starting.');
    const problems = await health.problems();
    if (problems.length > 0) throw new HttpError(503, 'NOT_READY', problems.join(' '));
    return { status: 'ready' };
  });
}
