import type { FastifyInstance } from 'fastify';
import { batchAnswer, batchRequest, type BatchRequest, runRequest } from '../api/run-schemas.ts';
import { problemOf, toHttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';
import { validate } from '../request-validation.ts';
import type { Services } from '../services.ts';

/** 8 MiB: a thousand runs with room for their arguments. */
const BODY_LIMIT_BYTES = 8_388_608;

/** Many runs in one request. Each is accepted or refused by itself. */
export function batchRoute(app: FastifyInstance, { runs }: Services): void {
  app.post<{ Body: BatchRequest }>(
    '/v1/runs/batch',
    {
      bodyLimit: BODY_LIMIT_BYTES,
      schema: {
        summary: 'Submit many runs.',
        description: 'The results are in the order of the requests: a run, or why it was refused.',
        body: batchRequest,
        response: { 200: batchAnswer, ...problemAnswers(400, 413, 415, 503) },
      },
      config: { role: 'run' },
    },
    async ({ body }) => {
      const requests = body.runs.map((each) => {
        try {
          return validate(runRequest, each);
        } catch (error) {
          return error as Error;
        }
      });
      const results = await runs.submitAll(requests);
      return {
        results: results.map((result) =>
          result instanceof Error ? { error: problemOf(toHttpError(result)) } : { run: result.run },
        ),
      };
    },
  );
}
