import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import {
  cancelRequest,
  runCounts,
  runListQuery,
  type RunListQuery,
  runPage,
  runParams,
  runRequest,
  type RunRequest,
  runView,
  waitQuery,
} from '../api/run-schemas.ts';
import { matches, versionTag } from '../etag.ts';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';
import { clientLeft } from '../client-left.ts';
import type { Services } from '../services.ts';

type Id = z.infer<typeof runParams>;

const DEFAULT_WAIT_MS = 30_000;
/** Longest wait that `Prefer` may ask for, in seconds. */
const MOST_PREFERRED_WAIT = 60;

/** Tracked runs: submit, look at, wait for, cancel, retry, remove. */
export function runRoutes(app: FastifyInstance, { runs, tracker }: Services): void {
  app.post<{ Body: RunRequest }>(
    '/v1/runs',
    {
      schema: {
        summary: 'Submit a run.',
        description:
          'The header `Idempotency-Key` is the same as the field. `Prefer: wait=10` waits so many seconds for the end.',
        body: runRequest,
        response: { 200: runView, 202: runView, ...problemAnswers(400, 404, 409, 413, 415, 422, 503) },
      },
      config: { role: 'run' },
    },
    async (request, reply) => {
      const submitted = await runs.submit({ ...request.body, idempotencyKey: idempotencyKeyOf(request) });
      let { run } = submitted;
      const timeoutMs = preferredWaitMs(request.headers['prefer']);
      if (timeoutMs > 0) {
        run = await runs.wait(run.id, { timeoutMs, signal: clientLeft(reply) });
        reply.header('preference-applied', `wait=${timeoutMs / 1_000}`);
      }
      const isOver = submitted.replayed || (timeoutMs > 0 && run.endedAt !== null);
      return reply
        .status(isOver ? 200 : 202)
        .header('location', run.links.self)
        .send(run);
    },
  );

  app.get<{ Querystring: RunListQuery }>(
    '/v1/runs',
    {
      schema: {
        summary: 'List runs, the latest submission first.',
        querystring: runListQuery,
        response: { 200: runPage, ...problemAnswers(400) },
      },
      config: { role: 'read' },
    },
    async ({ query }) => runs.list(query),
  );

  app.get(
    '/v1/runs/counts',
    {
      schema: { summary: 'How many runs are in each state.', response: { 200: runCounts } },
      config: { role: 'read' },
    },
    async () => tracker.counts(),
  );

  app.get<{ Params: Id }>(
    '/v1/runs/:id',
    {
      schema: {
        summary: 'Show a run.',
        params: runParams,
        response: { 200: runView, ...problemAnswers(404) },
      },
      config: { role: 'read' },
    },
    async ({ params, headers }, reply) => {
      const run = await runs.get(params.id);
      const tag = versionTag(run);
      // To be asked for again, and cheap then.
      reply.headers({ etag: tag, 'cache-control': 'no-cache' });
      return matches(headers['if-none-match'], tag) ? reply.status(304).send() : run;
    },
  );

  app.get<{ Params: Id; Querystring: z.infer<typeof waitQuery> }>(
    '/v1/runs/:id/wait',
    {
      schema: {
        summary: 'Wait for the end of a run.',
        description: 'Answers 202 with the run as it is when the time is over before.',
        params: runParams,
        querystring: waitQuery,
        response: { 200: runView, 202: runView, ...problemAnswers(400, 404) },
      },
      config: { role: 'read' },
    },
    async ({ params, query: { timeoutMs = DEFAULT_WAIT_MS } }, reply) => {
      const run = await runs.wait(params.id, { timeoutMs, signal: clientLeft(reply) });
      return reply.status(run.endedAt === null ? 202 : 200).send(run);
    },
  );

  app.post<{ Params: Id; Body: z.infer<typeof cancelRequest> }>(
    '/v1/runs/:id/cancel',
    {
      schema: {
        summary: 'Cancel a run, and end every process it started.',
        params: runParams,
        body: cancelRequest,
        response: { 200: runView, ...problemAnswers(400, 404, 409) },
      },
      config: { role: 'run' },
    },
    async ({ params, body }) => runs.cancel(params.id, body.reason),
  );

  app.post<{ Params: Id }>(
    '/v1/runs/:id/retry',
    {
      schema: {
        summary: 'Submit the request of a run that has ended once more.',
        params: runParams,
        response: { 202: runView, ...problemAnswers(404, 409, 422, 503) },
      },
      config: { role: 'run' },
    },
    async ({ params }, reply) => {
      const run = await runs.retry(params.id);
      return reply.status(202).header('location', run.links.self).send(run);
    },
  );

  app.delete<{ Params: Id }>(
    '/v1/runs/:id',
    {
      schema: {
        summary: 'Forget a run that has ended, and its logs.',
        params: runParams,
        response: { 204: { type: 'null', description: 'It is gone.' }, ...problemAnswers(404, 409) },
      },
      config: { role: 'run' },
    },
    async ({ params }, reply) => {
      await runs.remove(params.id);
      return reply.status(204).send();
    },
  );
}

/** The field, or the header of the draft that most services follow. @throws HttpError 400 when they differ */
function idempotencyKeyOf({
  body,
  headers,
}: {
  readonly body: RunRequest;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}): string | undefined {
  const inHeader = headers['idempotency-key'];
  if (typeof inHeader !== 'string') return body.idempotencyKey;
  // The draft has it as a quoted string.
  const key = inHeader.replace(/^"(.*)"$/, '$1');
  if (key.length === 0 || key.length > 200 || (body.idempotencyKey ?? key) !== key) {
    const message =
      'Expected `idempotency-key` to be at most 200 characters, and the same as the field `idempotencyKey` if that is sent too.';
    throw new HttpError(400, 'HEADERS_INVALID', message, [{ field: 'idempotency-key', message }]);
  }
  return key;
}

/** `Prefer: wait=10` (RFC 7240); what can't be understood is not preferred. */
function preferredWaitMs(prefer: string | string[] | undefined): number {
  const [, seconds] = /(?:^|[,;]\s*)wait="?(\d{1,4})"?\s*(?:$|[,;])/i.exec(String(prefer ?? '')) ?? [];
  return Math.min(Number(seconds ?? 0), MOST_PREFERRED_WAIT) * 1_000;
}
