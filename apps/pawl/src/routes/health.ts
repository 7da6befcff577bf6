import type { FastifyInstance } from 'fastify';
import type { HealthCheck } from '../health-check.ts';

export interface HealthRouteOptions {
  readonly version: string;
  readonly check: HealthCheck;
}

/** `GET /health`: 200 as long as the service answers; `degraded` when it can't do all of its work. */
export function healthRoute(app: FastifyInstance, { version, check }: HealthRouteOptions): void {
  app.get('/health', async () => {
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
}
