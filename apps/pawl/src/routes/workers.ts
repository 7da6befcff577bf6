import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import {
  drainAnswer,
  poolList,
  poolParams,
  poolView,
  recycleAnswer,
  scaleRequest,
  workerList,
  workerParams,
} from '../api/worker-schemas.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

type PoolParams = z.infer<typeof poolParams>;

/** Pools and workers: what they do, how many there are, fresh ones, and the end of one. */
export function workerRoutes(app: FastifyInstance, { workers }: Services): void {
  app.get(
    '/v1/pools',
    {
      schema: { summary: 'List the pools of workers.', response: { 200: poolList } },
      config: { role: 'read' },
    },
    () => ({ pools: workers.pools(), nextCursor: null }),
  );

  app.post<{ Params: PoolParams; Body: z.infer<typeof scaleRequest> }>(
    '/v1/pools/:name/scale',
    {
      schema: {
        summary: 'Fix the number of workers. Busy ones that are too many finish their run first.',
        params: poolParams,
        body: scaleRequest,
        response: { 200: poolView, ...problemAnswers(400, 404, 415, 503) },
      },
      config: { role: 'admin' },
    },
    async ({ params, body }) => workers.scale(params.name, body.size),
  );

  app.post<{ Params: PoolParams }>(
    '/v1/pools/:name/recycle',
    {
      schema: {
        summary: 'Replace all workers of a pool; none loses its run.',
        params: poolParams,
        response: { 202: recycleAnswer, ...problemAnswers(400, 404, 503) },
      },
      config: { role: 'admin' },
    },
    async ({ params }, reply) => reply.status(202).send({ recycled: workers.recyclePool(params.name) }),
  );

  app.get(
    '/v1/workers',
    {
      schema: {
        summary: 'List the workers, and the processes of running runs.',
        response: { 200: workerList },
      },
      config: { role: 'read' },
    },
    async () => ({ workers: await workers.workers(), nextCursor: null }),
  );

  app.post<{ Params: z.infer<typeof workerParams> }>(
    '/v1/workers/:id/recycle',
    {
      schema: {
        summary: 'Replace a worker of a pool, after its run.',
        params: workerParams,
        response: { 202: recycleAnswer, ...problemAnswers(400, 404, 409, 503) },
      },
      config: { role: 'admin' },
    },
    async ({ params }, reply) => reply.status(202).send({ recycled: await workers.recycleWorker(params.id) }),
  );

  app.post<{ Params: z.infer<typeof workerParams> }>(
    '/v1/workers/:id/drain',
    {
      schema: {
        summary: 'Take a worker out of service: it finishes what it runs, takes nothing more, and ends.',
        description:
          'Another is started only if the pool has too few then: by its least number, or by the programs that wait.',
        params: workerParams,
        response: { 202: drainAnswer, ...problemAnswers(400, 404, 409) },
      },
      config: { role: 'admin' },
    },
    async ({ params }, reply) => reply.status(202).send(await workers.drainWorker(params.id)),
  );
}
