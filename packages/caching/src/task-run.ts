import {
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  checkSignal,
  expectedMessage,
} from '@pawl/core';
import { INGREDIENT_KEYS, type TaskIngredients } from './task-manifest.ts';

/** What a task's function is given beside its input. */
export interface TaskContext {
  /** Aborts when the last caller has left. */
  readonly signal: AbortSignal;
}

/** The code of a task. */
export type TaskFunction<I, R> = (input: I, context: TaskContext) => R | PromiseLike<R>;

/** Options of one run through the task cache. */
export interface TaskRunOptions<R> extends TaskIngredients {
  /** That the same key always gives the same result. Without it every call runs and nothing is stored. @default false */
  readonly deterministic?: boolean;
  /** Lets this caller leave: its promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Run even if a result is stored; the new one replaces it. @default false */
  readonly force?: boolean;
  /** Read as usual, but do not store. @default false */
  readonly noStore?: boolean;
  /** Results for which it returns false are handed out and not stored. @default () => true */
  readonly shouldStore?: (result: R) => boolean;
  /** A failure is remembered, and thrown again without a run, for this long in milliseconds. @default 0 */
  readonly failureTtlMs?: number;
  /** How long a result is kept, in milliseconds. @default what the cache says */
  readonly ttlMs?: number;
}

/** Where a result comes from. */
export interface TaskProvenance {
  readonly task: string;
  /** When its run ended, in milliseconds since the epoch. */
  readonly computedAt: number;
  /** How long its run took, in milliseconds. */
  readonly durationMs: number;
}

/**
 * Why a result was not stored: the task is not declared deterministic, the caller said `noStore`, `shouldStore` said
 * no, or an ingredient of its key was another after the run than before.
 */
export type NotStoredReason =
  | 'not-deterministic'
  | 'no-store'
  | 'declined'
  | 'input-changed'
  | 'env-changed'
  | 'files-changed';

/** A result, and how it came about. */
export interface TaskResult<R> {
  readonly value: R;
  /** Whether it was there before this call: nothing ran for it. */
  readonly cached: boolean;
  /** Whether it comes from another call's run that was in progress. */
  readonly shared: boolean;
  /** Why it was not stored; undefined when it was offered to the cache. */
  readonly notStored: NotStoredReason | undefined;
  /** Undefined for a task that is not declared deterministic. */
  readonly key: string | undefined;
  readonly provenance: TaskProvenance;
}

export interface ResolvedTaskRunOptions<R> {
  readonly ingredients: TaskIngredients;
  readonly deterministic: boolean;
  readonly signal: AbortSignal | undefined;
  readonly force: boolean;
  readonly noStore: boolean;
  readonly shouldStore: (result: R) => boolean;
  readonly failureTtlMs: number;
  readonly ttlMs: number | undefined;
}

const RUN_KEYS = [
  ...INGREDIENT_KEYS,
  'deterministic',
  'signal',
  'force',
  'noStore',
  'shouldStore',
  'failureTtlMs',
  'ttlMs',
];

/** @throws TypeError or RangeError naming the wrong option */
export function resolveTaskRunOptions<R>(options: TaskRunOptions<R>): ResolvedTaskRunOptions<R> {
  checkKnownKeys('run', options, RUN_KEYS);
  const { version, files, env, signal, ttlMs } = options;
  return {
    ingredients: {
      ...(version === undefined ? {} : { version }),
      ...(files === undefined ? {} : { files }),
      ...(env === undefined ? {} : { env }),
    },
    deterministic: checkBoolean('deterministic', options.deterministic ?? false),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
    force: checkBoolean('force', options.force ?? false),
    noStore: checkBoolean('noStore', options.noStore ?? false),
    shouldStore: checkFunction('shouldStore', options.shouldStore ?? (() => true)),
    failureTtlMs: checkDurationMs('failureTtlMs', options.failureTtlMs ?? 0, { infinite: true }),
    ttlMs: ttlMs === undefined ? undefined : checkDurationMs('ttlMs', ttlMs, { infinite: true }),
  };
}

/** @throws TypeError when it is no object that holds a cache */
export function checkCache<C extends object>(cache: C): C {
  if (typeof cache !== 'object' || cache === null || !('getOrLoad' in cache)) {
    throw new TypeError(expectedMessage('cache', 'a cache made by createCache', cache));
  }
  return cache;
}
