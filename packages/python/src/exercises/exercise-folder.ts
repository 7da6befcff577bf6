import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasCode, PawlError } from '@pawl/core';

/** An exercise: a folder with `starter.py`, `tests.py` and `meta.json`. */
export interface Exercise {
  /** The name of its folder. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What the learner begins with. */
  readonly starterCode: string;
  readonly testCode: string;
}

/** There is no exercise of that name. */
export class ExerciseNotFoundError extends PawlError {
  declare readonly code: 'EXERCISE_NOT_FOUND';
  readonly exerciseId: string;

  constructor(exerciseId: string, options: { readonly cause?: unknown } = {}) {
    super(`There is no exercise \`${exerciseId}\`.`, { ...options, code: 'EXERCISE_NOT_FOUND' });
    this.exerciseId = exerciseId;
  }
}

/** The three sample exercises that come with this package. */
export const SAMPLE_EXERCISES: URL = new URL('../../src/exercises/', import.meta.url);

/** A folder of exercises, read anew each time: what a teacher changes counts from then on. */
export interface ExerciseFolder {
  /** @throws ExerciseNotFoundError */
  get(id: string): Promise<Exercise>;
  /** The ids, sorted. */
  list(): Promise<readonly string[]>;
}

/** No separators and no leading dot: an id can't lead out of the folder. */
const ID = /^\w[\w-]{0,99}$/;

export function createExerciseFolder(location: string | URL): ExerciseFolder {
  const folder = location instanceof URL ? fileURLToPath(location) : location;
  return {
    async get(id) {
      if (!ID.test(id)) throw new ExerciseNotFoundError(id);
      const read = (name: string): Promise<string> => readFile(join(folder, id, name), 'utf8');
      try {
        const [starterCode, testCode, meta] = await Promise.all([
          read('starter.py'),
          read('tests.py'),
          read('meta.json'),
        ]);
        const { title = id, description = '' } = JSON.parse(meta) as Partial<Exercise>;
        return { id, title, description, starterCode, testCode };
      } catch (error) {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new ExerciseNotFoundError(id, { cause: error });
        throw error;
      }
    },
    async list() {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isDirectory() && ID.test(entry.name))
        .map((entry) => entry.name)
        .toSorted();
    },
  };
}
