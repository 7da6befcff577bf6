import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import {
  backfillAnswer,
  backfillRequest,
  manualRunAnswer,
  pauseRequest,
  previewQuery,
  previewRequest,
  scheduleListQuery,
  schedulePage,
  scheduleParams,
  scheduleReplacement,
  scheduleRequest,
  type ScheduleRequest,
  scheduleView,
  slotList,
} from '../api/schedule-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

type Params = z.infer<typeof scheduleParams>;

const DEFAULT_PAGE = 100;
const DEFAULT_PREVIEW = 10;

/** Schedules: what runs when, and everything people do with that. */
export function scheduleRoutes(app: FastifyInstance, { schedules }: Services): void {
  app.get<{ Querystring: z.infer<typeof scheduleListQuery> }>(
    '/v1/schedules',
    {
      schema: {
        summary: 'List the schedules by id.',
        querystring: scheduleListQuery,
        response: { 200: schedulePage, ...problemAnswers(400) },
      },
      config: { role: 'read' },
    },
    async ({ query: { limit = DEFAULT_PAGE, cursor } }) => schedules.list({ limit, cursor }),
  );

  app.post<{ Body: ScheduleRequest }>(
    '/v1/schedules',
    {
      schema: {
        summary: 'Create a schedule.',
        body: scheduleRequest,
        response: { 201: scheduleView, ...problemAnswers(400, 404, 409, 413, 415, 422, 503) },
      },
      config: { role: 'run' },
    },
    async ({ body }, reply) => {
      const schedule = await schedules.create(body);
      return reply.status(201).header('location', `/v1/schedules/${schedule.id}`).send(schedule);
    },
  );

  app.post<{ Body: z.infer<typeof previewRequest> }>(
    '/v1/schedules/preview',
    {
      schema: {
        summary: 'The slots of a schedule that need not exist.',
        body: previewRequest,
        response: { 200: slotList, ...problemAnswers(400, 413, 415, 422) },
      },
      config: { role: 'read' },
    },
    async ({ body: { schedule, from, count } }) => schedules.previewDraft(schedule, from, count),
  );

  app.get<{ Params: Params }>(
    '/v1/schedules/:id',
    {
      schema: {
        summary: 'Show a schedule.',
        params: scheduleParams,
        response: { 200: scheduleView, ...problemAnswers(400, 404) },
      },
      config: { role: 'read' },
    },
    async ({ params }) => schedules.get(params.id),
  );

  app.put<{ Params: Params; Body: z.infer<typeof scheduleReplacement> }>(
    '/v1/schedules/:id',
    {
      schema: {
        summary: 'Create or change a schedule. How far it has come is kept.',
        params: scheduleParams,
        body: scheduleReplacement,
        response: {
          200: scheduleView,
          201: scheduleView,
          ...problemAnswers(400, 404, 409, 413, 415, 422, 503),
        },
      },
      config: { role: 'run' },
    },
    async ({ params: { id }, body }, reply) => {
      if (body.id !== undefined && body.id !== id) {
        const message = `Expected \`id\` to be that of the address, \`${id}\`, got \`${body.id}\`.`;
        throw new HttpError(400, 'BODY_INVALID', message, [{ field: 'id', message }]);
      }
      const { schedule, created } = await schedules.replace({ ...body, id });
      return reply.status(created ? 201 : 200).send(schedule);
    },
  );

  app.delete<{ Params: Params }>(
    '/v1/schedules/:id',
    {
      schema: {
        summary: 'Remove a schedule. A run of it that goes on ends by itself.',
        params: scheduleParams,
        response: { 204: { type: 'null', description: 'It is gone.' }, ...problemAnswers(400, 404, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }, reply) => {
      await schedules.remove(params.id);
      return reply.status(204).send();
    },
  );

  app.post<{ Params: Params; Body: z.infer<typeof pauseRequest> }>(
    '/v1/schedules/:id/pause',
    {
      schema: {
        summary: 'Pause a schedule, and say why.',
        params: scheduleParams,
        body: pauseRequest,
        response: { 200: scheduleView, ...problemAnswers(400, 404, 415, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params, body }) => schedules.pause(params.id, body.reason),
  );

  app.post<{ Params: Params }>(
    '/v1/schedules/:id/resume',
    {
      schema: {
        summary: 'Go on with a schedule. Its misfire policy decides what becomes of the slots meanwhile.',
        params: scheduleParams,
        response: { 200: scheduleView, ...problemAnswers(400, 404, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }) => schedules.resume(params.id),
  );

  app.post<{ Params: Params }>(
    '/v1/schedules/:id/run',
    {
      schema: {
        summary: 'Run a schedule now, also a paused one.',
        params: scheduleParams,
        response: { 202: manualRunAnswer, ...problemAnswers(400, 404, 409, 422, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }, reply) => reply.status(202).send(await schedules.runNow(params.id)),
  );

  app.post<{ Params: Params }>(
    '/v1/schedules/:id/skip-next',
    {
      schema: {
        summary: 'Leave out the next slot. Twice is once.',
        params: scheduleParams,
        response: { 200: scheduleView, ...problemAnswers(400, 404, 409, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }) => schedules.skipNext(params.id),
  );

  app.delete<{ Params: Params }>(
    '/v1/schedules/:id/skip-next',
    {
      schema: {
        summary: 'Do not leave it out after all.',
        params: scheduleParams,
        response: { 200: scheduleView, ...problemAnswers(400, 404, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }) => schedules.undoSkip(params.id),
  );

  app.post<{ Params: Params; Body: z.infer<typeof backfillRequest> }>(
    '/v1/schedules/:id/backfill',
    {
      schema: {
        summary: 'Give the slots of a span of the past their runs, or count them.',
        params: scheduleParams,
        body: backfillRequest,
        response: { 200: backfillAnswer, 202: backfillAnswer, ...problemAnswers(400, 404, 409, 415, 422) },
      },
      config: { role: 'run' },
    },
    async ({ params, body }, reply) => {
      const answer = await schedules.backfill(params.id, body);
      return reply.status(answer.dryRun ? 200 : 202).send(answer);
    },
  );

  app.get<{ Params: Params; Querystring: z.infer<typeof previewQuery> }>(
    '/v1/schedules/:id/preview',
    {
      schema: {
        summary: 'The coming slots of a schedule.',
        params: scheduleParams,
        querystring: previewQuery,
        response: { 200: slotList, ...problemAnswers(400, 404) },
      },
      config: { role: 'read' },
    },
    async ({ params, query }) => schedules.preview(params.id, query.count ?? DEFAULT_PREVIEW),
  );
}
