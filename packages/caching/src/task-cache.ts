import { randomUUID } from 'node:crypto';
import {
  checkFunction,
  checkKnownKeys,
  checkString,
  type Clock,
  hasCode,
  linkAbort,
  systemClock,
  untilAborted,
} from '@pawl/core';
import { type Cache, createCache } from './cache.ts';
import type { TieredCache } from './tiered-cache.ts';
import { TaskKeyUnknownError } from './caching-errors.ts';
import {
  countDifferences,
  createManifest,
  firstDifference,
  type ManifestScope,
  type TaskDifference,
  type TaskIngredients,
  type TaskManifest,
} from './task-manifest.ts';
import {
  checkCache,
  type NotStoredReason,
  type ResolvedTaskRunOptions,
  resolveTaskRunOptions,
  type TaskFunction,
  type TaskProvenance,
  type TaskResult,
  type TaskRunOptions,
} from './task-run.ts';

export interface TaskCacheOptions {
  /** Where results are kept; give it to share its room, or to keep results in a tier. @default 1000 entries, 100 MB (100 × 1024 × 1024 bytes) */
  readonly cache?: Cache<unknown> | TieredCache<unknown>;
  /** Part of every key: change it to leave all earlier results behind. @default '' */
  readonly version?: string;
  /** Where names in `env` are looked up, such as `process.env`. Without it `env` has to carry the values. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Remembers the results of deterministic tasks. */
export interface TaskCache {
  /**
   * The key of a run: SHA-256 of task, versions, input, chosen environment and file contents.
   * @throws CACHE_KEY_UNSUPPORTED, TASK_FILE_UNREADABLE
   */
  keyFor(task: string, input: unknown, ingredients?: TaskIngredients): Promise<string>;
  /**
   * The stored result of the same run, or else what `fn` returns. Calls with one key share one run at a time.
   * After the run the key is made once more: if it came out another, the result is returned and not stored.
   * @throws what `fn` throws; the reason of `options.signal`; CACHE_KEY_UNSUPPORTED, TASK_FILE_UNREADABLE
   */
  run<I, R>(
    task: string,
    input: I,
    fn: TaskFunction<I, R>,
    options?: TaskRunOptions<R>,
  ): Promise<TaskResult<R>>;
  /**
   * Drops the results of one task, also those of runs in progress: at once, and in a tier when it resolves.
   * @returns how many were stored
   */
  invalidateTask(task: string): Promise<number>;
  /** What `key` is made of. @throws TASK_KEY_UNKNOWN when it is not remembered (any more) */
  manifestOf(key: string): TaskManifest;
  /** The first part in which two keys differ, or undefined for equal ones. @throws TASK_KEY_UNKNOWN */
  explain(a: string | TaskManifest, b: string | TaskManifest): TaskDifference | undefined;
  /**
   * Why `key` missed: where it parts from the key most like it that the same task was asked for before. Undefined
   * when there is none. @throws TASK_KEY_UNKNOWN
   */
  why(key: string | TaskManifest): TaskDifference | undefined;
}

/** What is kept in the cache. */
interface TaskRecord {
  readonly value: unknown;
  readonly notStored: NotStoredReason | undefined;
  readonly provenance: TaskProvenance;
  /** The task cache it ran in, among all that ever shared the store. */
  readonly origin: string;
  /** Orders the run's end against the calls of that task cache. */
  readonly endedAt: number;
}

const DEFAULT_MAX_BYTES = 100 * 1024 * 1024;
/** Room for the manifests behind `explain` and `why`. */
const MANIFEST_MAX_BYTES = 10 * 1024 * 1024;

/**
 * Makes a task cache.
 * @throws TypeError for a wrong option
 */
export function createTaskCache(options: TaskCacheOptions = {}): TaskCache {
  checkKnownKeys('createTaskCache', options, ['cache', 'version', 'environment', 'clock']);
  const clock = options.clock ?? systemClock;
  const given = options.cache ?? createCache({ maxBytes: DEFAULT_MAX_BYTES, clock });
  const cache = checkCache(given) as Cache<TaskRecord> | TieredCache<TaskRecord>;
  const scope: ManifestScope = {
    cacheVersion: options.version === undefined ? '' : checkString('version', options.version),
    environment: options.environment,
  };
  const manifests = createCache<TaskManifest>({ maxBytes: MANIFEST_MAX_BYTES, clock });
  const origin = randomUUID();
  let moments = 0;

  async function remember(task: string, input: unknown, ingredients: TaskIngredients): Promise<TaskManifest> {
    const manifest = await createManifest(scope, task, input, ingredients);
    manifests.set(manifest.key, manifest);
    return manifest;
  }

  function manifestOf(key: string | TaskManifest): TaskManifest {
    if (typeof key !== 'string') return key;
    const manifest = manifests.get(key);
    if (manifest === undefined) throw new TaskKeyUnknownError(key);
    return manifest;
  }

  /** Which ingredient is another than before the run, if any is. */
  async function changeSince(
    before: TaskManifest,
    input: unknown,
    ingredients: TaskIngredients,
  ): Promise<NotStoredReason | undefined> {
    try {
      const after = await createManifest(scope, before.task, input, ingredients);
      const ingredient = firstDifference(before, after)?.ingredient;
      if (ingredient === undefined) return undefined;
      return ingredient === 'files'
        ? 'files-changed'
        : ingredient === 'env'
          ? 'env-changed'
          : 'input-changed';
    } catch (error) {
      if (hasCode(error, 'TASK_FILE_UNREADABLE')) return 'files-changed';
      if (hasCode(error, 'CACHE_KEY_UNSUPPORTED')) return 'input-changed';
      throw error;
    }
  }

  async function runOnce<I, R>(
    task: string,
    input: I,
    fn: TaskFunction<I, R>,
    signal: AbortSignal,
  ): Promise<{ value: R; provenance: TaskProvenance }> {
    const startedAt = clock.now();
    const value = await fn(input, { signal });
    const provenance = { task, computedAt: clock.wallTime(), durationMs: clock.now() - startedAt };
    return { value, provenance };
  }

  async function runUncached<I, R>(
    task: string,
    input: I,
    fn: TaskFunction<I, R>,
    signal: AbortSignal | undefined,
  ): Promise<TaskResult<R>> {
    signal?.throwIfAborted();
    using link = linkAbort(signal);
    const result = await untilAborted(runOnce(task, input, fn, link.signal), signal);
    return { ...result, cached: false, shared: false, notStored: 'not-deterministic', key: undefined };
  }

  async function runCached<I, R>(
    task: string,
    input: I,
    fn: TaskFunction<I, R>,
    settings: ResolvedTaskRunOptions<R>,
  ): Promise<TaskResult<R>> {
    const { signal, ingredients, force, noStore, ttlMs } = settings;
    const manifest = await untilAborted(remember(task, input, ingredients), signal);
    let ran = false;
    moments += 1;
    const calledAt = moments;
    const record = await cache.getOrLoad(
      manifest.key,
      async (context): Promise<TaskRecord> => {
        ran = true;
        const result = await runOnce(task, input, fn, context.signal);
        const notStored = settings.shouldStore(result.value)
          ? await changeSince(manifest, input, ingredients)
          : 'declined';
        if (notStored !== undefined) context.doNotStore();
        moments += 1;
        return { ...result, notStored, origin, endedAt: moments };
      },
      {
        signal,
        force,
        noStore,
        negativeTtlMs: settings.failureTtlMs,
        tags: [tagOf(task)],
        ...(ttlMs === undefined ? {} : { ttlMs }),
      },
    );
    const cached = record.origin !== origin || record.endedAt < calledAt;
    return {
      value: record.value as R,
      cached,
      shared: !cached && !ran,
      notStored: record.notStored ?? (noStore && !cached ? 'no-store' : undefined),
      key: manifest.key,
      provenance: record.provenance,
    };
  }

  return {
    keyFor: async (task, input, ingredients = {}) => (await remember(task, input, ingredients)).key,
    async run(task, input, fn, runOptions = {}) {
      checkString('task', task);
      checkFunction('fn', fn);
      const settings = resolveTaskRunOptions(runOptions);
      return settings.deterministic
        ? runCached(task, input, fn, settings)
        : runUncached(task, input, fn, settings.signal);
    },
    invalidateTask: async (task) => cache.invalidateTag(tagOf(checkString('task', task))),
    manifestOf,
    explain: (a, b) => firstDifference(manifestOf(a), manifestOf(b)),
    why(key) {
      const manifest = manifestOf(key);
      const others = manifests.keys().flatMap((otherKey) => {
        const other = manifests.peek(otherKey);
        return other === undefined || other.task !== manifest.task || otherKey === manifest.key
          ? []
          : [other];
      });
      const [nearest] = others
        .map((other) => ({ other, distance: countDifferences(manifest, other) }))
        .toSorted((a, b) => a.distance - b.distance);
      return nearest === undefined ? undefined : firstDifference(nearest.other, manifest);
    },
  };
}

function tagOf(task: string): string {
  return `pawl:task:${task}`;
}
