import type { FastifyInstance } from 'fastify';
import type { HealthCheck } from '../health-check.ts';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';

export interface HealthRouteOptions {
  readonly version: string;
  readonly check: HealthCheck;
  /** Whether the service takes requests: not while it ends. */
  readonly isReady: () => boolean;
}

/**
 * `GET /health` and `GET /health/live`: 200 as long as the service answers; `degraded` when it can't do all of its
 * work. `GET /health/ready`: whether to send it programs.
 */
export function healthRoute(app: FastifyInstance, { version, check, isReady }: HealthRouteOptions): void {
  app.get('/health', { schema: { summary: 'How the service is.' } }, async () => {
    const problems = await check.problems();
    return {
      status: problems.length === 0 ? 'healthy' : 'degraded',
      service: 'pawl',
      version,
      timestamp: new Date().toISOString(),
      uptimeSeconds: Math.floor(process.uptime()),
      ...(problems.length === 0 ? {} : { problems }),
    };
  });

  app.get('/health/live', { schema: { summary: 'Whether the service answers.' } }, () => ({
    status: 'live',
  }));

  const schema = { summary: 'Whether the service can run programs.', response: problemAnswers(503) };
  app.get('/health/ready', { schema }, async () => {
    if (!isReady()) throw new HttpError(503, 'STOPPING', 'The service is stopping.');
    const problems = await check.problems();
    if (problems.length > 0) throw new HttpError(503, 'NOT_READY', problems.join(' '));
    return { status: 'ready' };
  });
}
