import { pathToFileURL } from 'node:url';
import type { Task } from './serve.ts';

/**
 * Loads a worker file. Its exported functions are its tasks, by their names; a default export is the task `default`.
 * @throws what the file throws, and a TypeError when there is nothing to run in it
 */
export async function loadTasks(file: string): Promise<Readonly<Record<string, Task>>> {
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const tasks = Object.fromEntries(
    Object.entries(module).filter((entry): entry is [string, Task] => typeof entry[1] === 'function'),
  );
  return tasks;
}
