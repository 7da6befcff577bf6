import type { Exercise } from '@pawl/python';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { exerciseList, exerciseParams, type ExerciseView, exerciseView } from '../api/exercise-schemas.ts';
import { problemAnswers } from '../openapi.ts';
import type { Services } from '../services.ts';

/** The exercises whose tests `/execute` runs by `exerciseId`. What the tests ask is not told. */
export function exerciseRoutes(app: FastifyInstance, { programs }: Pick<Services, 'programs'>): void {
  const { exercises } = programs.runner;

  app.get(
    '/v1/exercises',
    {
      schema: { summary: 'The exercises there are.', response: { 200: exerciseList } },
      config: { role: 'read', isOpenToPublic: true },
    },
    async () => {
      const all = await Promise.all((await exercises.list()).map(async (id) => exercises.get(id)));
      return { exercises: all.map(toView), nextCursor: null };
    },
  );

  app.get<{ Params: z.infer<typeof exerciseParams> }>(
    '/v1/exercises/:id',
    {
      schema: {
        summary: 'An exercise, with what the learner begins with.',
        params: exerciseParams,
        response: { 200: exerciseView, ...problemAnswers(400, 404) },
      },
      config: { role: 'read', isOpenToPublic: true },
    },
    async ({ params }) => toView(await exercises.get(params.id)),
  );
}

function toView({ id, title, description, starterCode }: Exercise): ExerciseView {
  return { id, title, description, starterCode };
}
