import { checkKnownKeys, checkString, expectedMessage } from '@pawl/core';
import { digestOfEncoding } from './cache-key.ts';
import { digestFiles, type FileDigests } from './file-digest.ts';
import { encodeValue, isPlainObject, type PathStep, showPath } from './key-encoding.ts';

/** Chosen environment: names, looked up in the task cache's `environment`, or names with their values. */
export type TaskEnv = readonly string[] | Readonly<Record<string, string | undefined>>;

/** What a task's result hangs on beside the task's name and input. */
export interface TaskIngredients {
  /** Version of the task's code; change it when the code changes what comes out. @default '' */
  readonly version?: string;
  /** Files the task reads, whose content becomes part of the key; each named as it is given here. @default [] */
  readonly files?: readonly string[];
  /** Environment variables the task reads; all others are left out of the key. @default [] */
  readonly env?: TaskEnv;
}

/** Everything a task's key is made of, part by part. Values of the environment appear as digests only. */
export interface TaskManifest {
  readonly key: string;
  readonly task: string;
  /** Path of each part (`input.items[3]`, `env.NODE_ENV`, `files["a.csv"]`) and its encoded value or digest. */
  readonly parts: readonly (readonly [path: string, text: string])[];
}

/** Where two keys part. */
export interface TaskDifference {
  readonly ingredient: 'task' | 'cacheVersion' | 'version' | 'input' | 'env' | 'files';
  /** The first part that differs: `input.items[3].id`. */
  readonly path: string;
  /** The part on each side, encoded; undefined where that side has no such part. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** The surroundings of a task cache that go into every key. */
export interface ManifestScope {
  readonly cacheVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>> | undefined;
}

export const INGREDIENT_KEYS = ['version', 'files', 'env'] as const;

/** Longer parts are kept as digests. */
const LONGEST_PART = 120;

/**
 * Reads files and environment and makes the key of one run.
 * @throws TypeError for wrong ingredients; CACHE_KEY_UNSUPPORTED; TASK_FILE_UNREADABLE
 */
export async function createManifest(
  scope: ManifestScope,
  task: string,
  input: unknown,
  ingredients: TaskIngredients,
): Promise<TaskManifest> {
  const { version, files, env } = resolveIngredients(scope, ingredients);
  checkString('task', task);
  // Encoded before the files are read: the caller may change the input as soon as we wait.
  const inputText = encodeValue(input);
  const parts: (readonly [string, string])[] = [
    ['task', encodeValue(task)],
    ['cacheVersion', encodeValue(scope.cacheVersion)],
    ['version', encodeValue(version)],
    ...partsOf(input),
  ];
  const envParts = Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const digests: FileDigests = files.length === 0 ? {} : await digestFiles(files);
  const encoding = encodeValue([
    task,
    scope.cacheVersion,
    version,
    inputText,
    Object.fromEntries(envParts),
    digests,
  ]);
  for (const [name, value] of envParts) {
    parts.push([showPath('env', [name]), value === undefined ? 'u;' : `#${digestOfEncoding(value)}`]);
  }
  for (const [path, digest] of Object.entries(digests)) parts.push([showPath('files', [path]), `#${digest}`]);
  return { key: digestOfEncoding(encoding), task, parts };
}

/** The first part in which the two differ, in the order task, versions, input, environment, files. */
export function firstDifference(a: TaskManifest, b: TaskManifest): TaskDifference | undefined {
  const ofA = new Map(a.parts);
  const ofB = new Map(b.parts);
  const order = ['task', 'cacheVersion', 'version', 'input', 'env', 'files'] as const;
  const paths = [...a.parts, ...b.parts].map(([path]) => path);
  for (const ingredient of order) {
    for (const path of paths) {
      if (/^\w+/.exec(path)?.[0] === ingredient && ofA.get(path) !== ofB.get(path)) {
        return { ingredient, path, a: ofA.get(path), b: ofB.get(path) };
      }
    }
  }
  return undefined;
}

/** How many parts differ. */
export function countDifferences(a: TaskManifest, b: TaskManifest): number {
  const ofB = new Map(b.parts);
  const shared = a.parts.filter(([path, text]) => ofB.get(path) === text).length;
  return a.parts.length + b.parts.length - 2 * shared;
}

function resolveIngredients(
  scope: ManifestScope,
  given: TaskIngredients,
): { version: string; files: readonly string[]; env: Readonly<Record<string, string | undefined>> } {
  checkKnownKeys('keyFor', given, INGREDIENT_KEYS);
  const { version = '', files = [], env = [] } = given;
  if (typeof version !== 'string') throw new TypeError(expectedMessage('version', 'a string', version));
  if (!Array.isArray(files)) throw new TypeError(expectedMessage('files', 'a list of paths', files));
  for (const path of files) checkString('files[]', path);
  if (!Array.isArray(env)) {
    if (!isPlainObject(env)) throw new TypeError(expectedMessage('env', 'a list of names or a record', env));
    for (const [name, value] of Object.entries(env)) {
      if (value !== undefined && typeof value !== 'string') {
        throw new TypeError(expectedMessage(`env.${name}`, 'a string or undefined', value));
      }
    }
    return { version, files, env };
  }
  const { environment } = scope;
  if (env.length > 0 && environment === undefined) {
    throw new TypeError('Expected `environment` of createTaskCache to be set when `env` is a list of names.');
  }
  const names = env.map((name) => checkString('env[]', name));
  return { version, files, env: Object.fromEntries(names.map((name) => [name, environment?.[name]])) };
}

/** An encodable input's parts by path: arrays and plain objects are taken apart, all else is one part. */
function partsOf(input: unknown): readonly (readonly [string, string])[] {
  const parts: (readonly [string, string])[] = [];
  const steps: PathStep[] = [];
  const visit = (value: unknown): void => {
    const isList = Array.isArray(value);
    if (!isList && !isPlainObject(value)) {
      const text = encodeValue(value);
      parts.push([
        showPath('input', steps),
        text.length > LONGEST_PART ? `#${digestOfEncoding(text)}` : text,
      ]);
      return;
    }
    parts.push([showPath('input', steps), isList ? '[]' : '{}']);
    const names = Object.keys(value);
    for (const name of isList ? names : names.toSorted()) {
      steps.push(isList ? Number(name) : name);
      visit((value as Record<string, unknown>)[name]);
      steps.pop();
    }
  };
  visit(input);
  return parts;
}
