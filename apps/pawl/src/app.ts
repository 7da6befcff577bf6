import type { FastifyInstance } from 'fastify';
import { guardRoutes } from './access.ts';
import { createHttpServer } from './http-server.ts';
import { describeRoutes } from './openapi.ts';
import { pageRoutes } from './page.ts';
import { advisorRoutes } from './routes/advisor.ts';
import { batchRoute } from './routes/batch.ts';
import { docsRoute } from './routes/docs.ts';
import { eventRoute } from './routes/events.ts';
import { executeRoute } from './routes/execute.ts';
import { exerciseRoutes } from './routes/exercises.ts';
import { healthRoute } from './routes/health.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { metricsRoute } from './routes/metrics.ts';
import { moduleRoutes } from './routes/modules.ts';
import { runLogRoutes } from './routes/run-logs.ts';
import { runRoutes } from './routes/runs.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { systemRoutes } from './routes/system.ts';
import { workerRoutes } from './routes/workers.ts';
import type { Services } from './services.ts';
import { isLoopback } from './settings.ts';

/** The HTTP side of the service: every route, not listening yet. */
export async function createApp(services: Services): Promise<FastifyInstance> {
  const { config, logger, version, tokens } = services;
  const isPublic = !isLoopback(config.host);
  const app = await createHttpServer({ logger, isPublic, corsOrigins: config.corsOrigins });
  guardRoutes(app, { tokens, isPublic, publicAccess: config.publicAccess });
  await describeRoutes(app, version);
  metricsRoute(app, services);
  executeRoute(app, services);
  exerciseRoutes(app, services);
  healthRoute(app, services);
  runRoutes(app, services);
  batchRoute(app, services);
  runLogRoutes(app, services);
  eventRoute(app, services);
  moduleRoutes(app, services);
  scheduleRoutes(app, services);
  workerRoutes(app, services);
  maintenanceRoutes(app, services);
  advisorRoutes(app);
  systemRoutes(app, services);
  await docsRoute(app);
  await pageRoutes(app);
  return app;
}
