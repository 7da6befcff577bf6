import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { toIso } from '../api/conventions.ts';
import {
  maintenanceJob,
  type MaintenanceJobView,
  maintenanceList,
  maintenanceParams,
} from '../api/maintenance-schemas.ts';
import type { JobState } from '../maintenance/maintenance-jobs.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

/** Maintenance jobs: what they did last, and running them now. */
export function maintenanceRoutes(app: FastifyInstance, { maintenance }: Services): void {
  app.get(
    '/v1/maintenance',
    {
      schema: { summary: 'List the maintenance jobs.', response: { 200: maintenanceList } },
      config: { role: 'read' },
    },
    () => ({ jobs: maintenance.list().map(viewOf), nextCursor: null }),
  );

  app.post<{ Params: z.infer<typeof maintenanceParams> }>(
    '/v1/maintenance/:job',
    {
      schema: {
        summary: 'Run a maintenance job now, and say what came of it.',
        params: maintenanceParams,
        response: { 200: maintenanceJob, ...problemAnswers(400, 404, 503) },
      },
      config: { role: 'admin' },
    },
    async ({ params }) => viewOf(await maintenance.run(params.job)),
  );
}

function viewOf(state: JobState): MaintenanceJobView {
  return {
    ...state,
    lastRunAt: toIso(state.lastRunAt),
    lastDurationMs: state.lastDurationMs ?? null,
    lastResult: state.lastResult ?? null,
    lastError: state.lastError ?? null,
    nextRunAt: toIso(state.nextRunAt),
  };
}
