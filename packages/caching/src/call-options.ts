import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkKnownKeys,
  checkSignal,
  expectedMessage,
} from '@pawl/core';
import {
  checkTags,
  LIFETIME_KEYS,
  LIMIT_KEYS,
  NO_TAGS,
  type Lifetimes,
  type LoadLimits,
  resolveLifetimes,
  type ResolvedCacheOptions,
  type ResolvedLifetimes,
  resolveLimits,
} from './cache-options.ts';

/** Options of one `get`, `has` or `peek`. */
export interface ReadOptions {
  /** Whether a stale value, still kept for `getOrLoad`, is good enough. @default false */
  readonly allowStale?: boolean;
}

/** Options of one `set`; what is absent comes from the cache. */
export interface SetOptions extends Omit<Lifetimes, 'negativeTtlMs'> {
  /** Names under which `invalidateTag` finds the entry. @default [] */
  readonly tags?: readonly string[];
  /** Bytes of the value, a whole number ≥ 0; the key is added by the cache. @default what `sizeOf` says */
  readonly sizeBytes?: number;
}

/** What a loader is given. */
export interface LoadContext {
  /** Aborts when the last caller has left, or at `hardTimeoutMs`. */
  readonly signal: AbortSignal;
  readonly key: string;
  /** The value goes to those who wait for it and is not stored. */
  readonly doNotStore: () => void;
}

/** Brings the value of a key. */
export type Loader<V> = (context: LoadContext) => V | PromiseLike<V>;

/**
 * Options of one `getOrLoad`; what is absent comes from the cache. They are those of the load this call starts: a
 * caller who joins a load that runs already adds its tags to it, and keeps its own `signal` and `softTimeoutMs`.
 */
export interface LoadOptions<V> extends Omit<Lifetimes, 'ttlMs'>, LoadLimits {
  /** Lets this caller leave: its promise rejects with the signal's reason, the others' don't notice. */
  readonly signal?: AbortSignal | undefined;
  /** As for the cache; or told by the loaded value. */
  readonly ttlMs?: number | ((value: V) => number);
  /**
   * Names under which `invalidateTag` finds the entry; or told by the loaded value. As long as a value that tells
   * its tags is loading, any invalidation by tag or predicate counts as one that hits it. @default []
   */
  readonly tags?: readonly string[] | ((value: V) => readonly string[]);
  /** Bytes of the value, a whole number ≥ 0; the key is added by the cache. @default what `sizeOf` says */
  readonly sizeBytes?: number;
  /** Load even if a value is stored; the new one replaces it. @default false */
  readonly force?: boolean;
  /** Do not store what this call loads. @default false */
  readonly noStore?: boolean;
}

export interface ResolvedSetOptions {
  readonly lifetimes: ResolvedLifetimes;
  readonly tags: readonly string[];
  readonly sizeBytes: number | undefined;
}

export interface ResolvedLoadOptions<V> extends ResolvedSetOptions {
  readonly limits: Required<LoadLimits>;
  readonly ttlOf: ((value: V) => number) | undefined;
  readonly tagsOf: ((value: V) => readonly string[]) | undefined;
  readonly force: boolean;
  readonly noStore: boolean;
}

const VALUE_KEYS = ['tags', 'sizeBytes'] as const;
const SET_KEYS = [...LIFETIME_KEYS.filter((name) => name !== 'negativeTtlMs'), ...VALUE_KEYS];
const LOAD_KEYS = [...LIFETIME_KEYS, ...LIMIT_KEYS, ...VALUE_KEYS, 'signal', 'force', 'noStore'];

/** @throws TypeError when it is no string, or begins with the NUL that marks the keys of namespaces */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string') throw new TypeError(expectedMessage('key', 'a string', key));
  if (key.charCodeAt(0) === 0)
    throw new TypeError(expectedMessage('key', 'a string that does not begin with NUL', key));
  return key;
}

/** @throws TypeError or RangeError naming the wrong option */
export function resolveSetOptions(
  options: SetOptions,
  cache: Pick<ResolvedCacheOptions<never>, 'lifetimes'>,
): ResolvedSetOptions {
  checkKnownKeys('set', options, SET_KEYS);
  return {
    lifetimes: resolveLifetimes(options, cache.lifetimes),
    tags: checkTags(options.tags ?? NO_TAGS),
    sizeBytes: checkSize(options.sizeBytes),
  };
}

/** @throws TypeError or RangeError naming the wrong option */
export function resolveLoadOptions<V>(
  options: LoadOptions<V>,
  cache: Pick<ResolvedCacheOptions<V>, 'lifetimes' | 'limits'>,
): ResolvedLoadOptions<V> {
  checkKnownKeys('getOrLoad', options, LOAD_KEYS);
  const { ttlMs, tags, ...rest } = options;
  if (options.signal !== undefined) checkSignal('signal', options.signal);
  const plain: Lifetimes = typeof ttlMs === 'number' ? { ...rest, ttlMs } : rest;
  return {
    lifetimes: resolveLifetimes(plain, cache.lifetimes),
    limits: resolveLimits(options, cache.limits),
    tags: typeof tags === 'function' ? NO_TAGS : checkTags(tags ?? NO_TAGS),
    sizeBytes: checkSize(options.sizeBytes),
    ttlOf: ttlMs === undefined || typeof ttlMs === 'number' ? undefined : checkFunction('ttlMs', ttlMs),
    tagsOf: typeof tags === 'function' ? tags : undefined,
    force: checkBoolean('force', options.force ?? false),
    noStore: checkBoolean('noStore', options.noStore ?? false),
  };
}

function checkSize(sizeBytes: unknown): number | undefined {
  return sizeBytes === undefined ? undefined : checkInteger('sizeBytes', sizeBytes, { min: 0 });
}
