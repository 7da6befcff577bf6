// The tests of each exercise. They stay on this side: clients name an exercise and never see them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ID = /^\w[\w-]*$/;

/** The test code of an exercise, or undefined where there is no such exercise. */
export async function readTests(folder, exerciseId) {
  if (!ID.test(exerciseId)) return undefined;
  try {
    return await readFile(join(folder, exerciseId, 'tests.py'), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
