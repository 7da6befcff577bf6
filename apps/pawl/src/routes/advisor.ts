import { advisePattern, comparePatterns, explainPattern } from '@pawl/tasks';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import {
  adviceAnswer,
  patternList,
  patternParams,
  patternView,
  recommendRequest,
} from '../api/advisor-schemas.ts';
import { HttpError } from '../http-errors.ts';
import { problemAnswers } from '../openapi.ts';

/** The pattern advisor: which way of running work fits, and why. */
export function advisorRoutes(app: FastifyInstance): void {
  app.post<{ Body: z.output<typeof recommendRequest> }>(
    '/v1/advisor/recommend',
    {
      schema: {
        summary: 'Recommend a pattern for what is known of the work.',
        body: recommendRequest,
        response: { 200: adviceAnswer, ...problemAnswers(400, 415) },
      },
      config: { role: 'read' },
    },
    ({ body: { traits } }) => {
      const known = Object.entries(traits).filter(([, value]) => value !== undefined);
      return advisePattern(Object.fromEntries(known));
    },
  );

  app.get(
    '/v1/advisor/patterns',
    {
      schema: { summary: 'The patterns side by side.', response: { 200: patternList } },
      config: { role: 'read' },
    },
    () => ({ patterns: comparePatterns(), nextCursor: null }),
  );

  app.get<{ Params: z.infer<typeof patternParams> }>(
    '/v1/advisor/patterns/:name',
    {
      schema: {
        summary: 'What a pattern is for, what it gives and what it costs.',
        params: patternParams,
        response: { 200: patternView, ...problemAnswers(400, 404) },
      },
      config: { role: 'read' },
    },
    ({ params }) => {
      const pattern = comparePatterns().find(({ name }) => name === params.name);
      if (pattern !== undefined) return explainPattern(pattern.name);
      throw new HttpError(404, 'PATTERN_NOT_FOUND', `There is no pattern \`${params.name}\`.`);
    },
  );
}
