import { z } from 'zod';
import { nextCursorAnswer } from './conventions.ts';

export const exerciseParams = z.strictObject({ id: z.string().min(1).max(100) });

export const exerciseView = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  starterCode: z.string().describe('What the learner begins with. The tests are not told.'),
});
export const exerciseList = z.object({ exercises: z.array(exerciseView), nextCursor: nextCursorAnswer });

export type ExerciseView = z.infer<typeof exerciseView>;
