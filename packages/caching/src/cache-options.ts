import {
  checkBoolean,
  checkDurationMs,
  checkFunction,
  checkKnownKeys,
  type Clock,
  expectedMessage,
  type Logger,
  type Random,
  silentLogger,
  systemClock,
  systemRandom,
} from '@pawl/core';
import type { CacheStore, SyncCacheStore } from './cache-store.ts';
import type { RemovalReason } from './events.ts';
import { type Admission, createMemoryStore, DEFAULT_MAX_ENTRIES } from './memory-store.ts';

/** How long answers are kept: the cache's defaults, each of which one call can replace. */
export interface Lifetimes {
  /** A value is fresh for this long, in milliseconds, and no longer at exactly this age. @default Infinity */
  readonly ttlMs?: number;
  /**
   * After its time to live a value is still served by `getOrLoad` for this long, in milliseconds, while it is loaded
   * anew in the background. Set it where a slightly old answer beats a slow one. @default 0
   */
  readonly staleMs?: number;
  /**
   * After its time to live a value is kept for this long, in milliseconds, and served when loading it anew fails
   * or exceeds `softTimeoutMs`. @default 0
   */
  readonly staleIfErrorMs?: number;
  /** A failed load is remembered, and thrown again without loading, for this long in milliseconds. @default 0 */
  readonly negativeTtlMs?: number;
  /**
   * Within this long of its expiry, in milliseconds, a value is loaded anew in the background by the first read
   * past a moment drawn at random for each entry, so that keys stored together aren't loaded together. @default 0
   */
  readonly earlyRefreshMs?: number;
}

/** How long loads may take: the cache's defaults, each of which one call can replace. */
export interface LoadLimits {
  /** A waiter with a stale value at hand takes it after this long, in milliseconds; the load goes on. @default Infinity */
  readonly softTimeoutMs?: number;
  /** A load is aborted, and fails with CACHE_LOAD_TIMEOUT, after this long in milliseconds. @default Infinity */
  readonly hardTimeoutMs?: number;
}

export interface CacheOptions<V> extends Lifetimes, LoadLimits {
  /** The most entries; `Infinity` leaves the limit to `maxBytes`. @default 1000 */
  readonly maxEntries?: number;
  /** The most bytes of values and keys together; a value that alone is larger is not stored. @default Infinity */
  readonly maxBytes?: number;
  /**
   * Bytes of one value, a whole number ≥ 0; its key is added by the cache.
   * @default an estimate by traversal if `maxBytes` is set, else 0
   */
  readonly sizeOf?: (value: V, key: string) => number;
  /** Who gets in when the cache is full; `frequent` withstands a pass over many keys. @default 'always' */
  readonly admission?: Admission;
  /** Whether each hit starts the time to live anew. @default false */
  readonly sliding?: boolean;
  /** Whether values are copied by `structuredClone` on the way in and out, so that nobody can change them. @default false */
  readonly isolate?: boolean;
  /** First wait after a failed refresh of a stale value, in ms; doubles per failure in a row, up to 30 times. @default 1000 */
  readonly refreshBackoffMs?: number;
  /** Whether a failed load may be remembered for `negativeTtlMs`. @default () => true */
  readonly rememberFailure?: (error: unknown) => boolean;
  /** Told of each value that leaves, once, after it left; it may use the cache. What it throws is logged. */
  readonly dispose?: (value: V, key: string, reason: RemovalReason) => void;
  /** Holds the entries, in place of one made of `maxEntries`, `maxBytes` and `admission`. @default createMemoryStore */
  readonly store?: SyncCacheStore<V>;
  /** @default systemClock */
  readonly clock?: Clock;
  /** Spreads early refreshes. @default systemRandom */
  readonly random?: Random;
  /** Told of listeners and dispose functions that throw. @default silentLogger */
  readonly logger?: Logger;
}

/** Options of a cache whose memory has a tier behind it. */
export interface TieredCacheOptions<V> extends CacheOptions<V> {
  /**
   * A second store, such as one made by `createDiskStore`: asked before a load, and told of what was loaded or set.
   * With it every change of the cache is a promise.
   */
  readonly tier: CacheStore<V>;
}

export type ResolvedLifetimes = Required<Lifetimes>;

export interface ResolvedCacheOptions<V> {
  readonly lifetimes: ResolvedLifetimes;
  readonly limits: Required<LoadLimits>;
  readonly sizeOf: ((value: V, key: string) => number) | undefined;
  readonly estimateSizes: boolean;
  readonly sliding: boolean;
  readonly isolate: boolean;
  readonly refreshBackoffMs: number;
  readonly rememberFailure: (error: unknown) => boolean;
  readonly dispose: ((value: V, key: string, reason: RemovalReason) => void) | undefined;
  readonly store: SyncCacheStore<V>;
  readonly tier: CacheStore<V> | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const STORE_KEYS = ['maxEntries', 'maxBytes', 'admission'] as const;
export const LIFETIME_KEYS = [
  'ttlMs',
  'staleMs',
  'staleIfErrorMs',
  'negativeTtlMs',
  'earlyRefreshMs',
] as const;
export const LIMIT_KEYS = ['softTimeoutMs', 'hardTimeoutMs'] as const;
const OWN_KEYS = [
  'sizeOf',
  'sliding',
  'isolate',
  'refreshBackoffMs',
  'rememberFailure',
  'dispose',
  'store',
  'tier',
  'clock',
  'random',
  'logger',
] as const;

const DEFAULT_LIFETIMES: ResolvedLifetimes = {
  ttlMs: Infinity,
  staleMs: 0,
  staleIfErrorMs: 0,
  negativeTtlMs: 0,
  earlyRefreshMs: 0,
};
const DEFAULT_LIMITS: Required<LoadLimits> = { softTimeoutMs: Infinity, hardTimeoutMs: Infinity };
const DEFAULT_REFRESH_BACKOFF_MS = 1_000;

/** @throws TypeError or RangeError naming the wrong option */
export function resolveCacheOptions<V>(
  options: CacheOptions<V> & Partial<TieredCacheOptions<V>>,
): ResolvedCacheOptions<V> {
  checkKnownKeys('createCache', options, [...STORE_KEYS, ...LIFETIME_KEYS, ...LIMIT_KEYS, ...OWN_KEYS]);
  const extra = STORE_KEYS.find((name) => options[name] !== undefined);
  if (options.store !== undefined && extra !== undefined) {
    throw new TypeError(`Expected \`${extra}\` to be given to the store itself when \`store\` is set.`);
  }
  const { sizeOf, dispose } = options;
  return {
    lifetimes: resolveLifetimes(options, DEFAULT_LIFETIMES),
    limits: resolveLimits(options, DEFAULT_LIMITS),
    sizeOf: sizeOf === undefined ? undefined : checkFunction('sizeOf', sizeOf),
    estimateSizes: (options.maxBytes ?? Infinity) !== Infinity || options.store !== undefined,
    sliding: checkBoolean('sliding', options.sliding ?? false),
    isolate: checkBoolean('isolate', options.isolate ?? false),
    refreshBackoffMs: checkDurationMs(
      'refreshBackoffMs',
      options.refreshBackoffMs ?? DEFAULT_REFRESH_BACKOFF_MS,
    ),
    rememberFailure: checkFunction('rememberFailure', options.rememberFailure ?? (() => true)),
    dispose: dispose === undefined ? undefined : checkFunction('dispose', dispose),
    store:
      options.store ??
      createMemoryStore({
        maxEntries: options.maxEntries ?? DEFAULT_MAX_ENTRIES,
        maxBytes: options.maxBytes ?? Infinity,
        admission: options.admission ?? 'always',
      }),
    tier: options.tier,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
  };
}

/** The defaults with what `options` replaces. @throws TypeError or RangeError naming the wrong option */
export function resolveLifetimes(options: Lifetimes, defaults: ResolvedLifetimes): ResolvedLifetimes {
  return resolveDurations(LIFETIME_KEYS, options, defaults);
}

/** The defaults with what `options` replaces. @throws TypeError or RangeError naming the wrong option */
export function resolveLimits(options: LoadLimits, defaults: Required<LoadLimits>): Required<LoadLimits> {
  return resolveDurations(LIMIT_KEYS, options, defaults);
}

function resolveDurations<Name extends string>(
  names: readonly Name[],
  options: { readonly [Key in Name]?: number },
  defaults: { readonly [Key in Name]: number },
): { readonly [Key in Name]: number } {
  let resolved: { [Key in Name]: number } | undefined;
  for (const name of names) {
    const given = options[name];
    if (given === undefined) continue;
    resolved ??= { ...defaults };
    resolved[name] = checkDurationMs(name, given, { infinite: true });
  }
  return resolved ?? defaults;
}

export const NO_TAGS: readonly string[] = Object.freeze([]);

/** A copy without repetitions. @throws TypeError when it is no list of non-empty strings */
export function checkTags(tags: unknown): readonly string[] {
  if (tags === NO_TAGS) return NO_TAGS;
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== 'string' || tag === '')) {
    throw new TypeError(expectedMessage('tags', 'a list of non-empty strings', tags));
  }
  return tags.length === 0 ? NO_TAGS : [...new Set<string>(tags)];
}
