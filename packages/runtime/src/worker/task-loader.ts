import { pathToFileURL } from 'node:url';
import { isTask, type Task } from './task.ts';

/**
 * Loads a worker file. Its exported functions, and objects with a function `run`, are its tasks, by their names; a default
 * export that is one is the task `default`, one that is an object of them (as CommonJS modules have it) gives those too.
 * @throws what the file throws
 */
export async function loadTasks(file: string): Promise<Readonly<Record<string, Task>>> {
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const { default: standard } = module;
  const inner = typeof standard === 'object' && standard !== null ? standard : {};
  return Object.fromEntries([...Object.entries(inner), ...Object.entries(module)].filter(isTaskEntry));
}

function isTaskEntry(entry: [string, unknown]): entry is [string, Task] {
  return isTask(entry[1]);
}
