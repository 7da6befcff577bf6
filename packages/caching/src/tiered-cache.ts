import type { CacheView, Cache } from './cache.ts';
import type { CacheCore, Keyspace } from './cache-core.ts';
import type { SetOptions } from './call-options.ts';
import type { InvalidationPredicate } from './invalidation.ts';

type Changes = 'set' | 'delete' | 'invalidateWhere' | 'clear';

/**
 * A view of a cache with a tier. `get`, `peek`, `has` and `keys` look into memory, at once; `getOrLoad` looks into
 * memory, then into the tier, then loads. Each change is made in memory within the call and ordered there; its
 * promise resolves when the tier has made it too, so that it also outlives a crash.
 */
export interface TieredCacheView<V> extends Omit<CacheView<V>, Changes> {
  /**
   * Stores a value in memory and in the tier.
   * @returns false when the tier did not store it: too large, or with no time to live
   * @throws what the tier throws; it then holds nothing under the key, and memory holds the value
   */
  set(key: string, value: V, options?: SetOptions): Promise<boolean>;
  /** Removes the key's entry. @returns whether the tier held one @throws what the tier throws */
  delete(key: string): Promise<boolean>;
  /**
   * Drops every entry that `matches`; of those in the tier it is asked later than of those in memory.
   * @returns how many left the tier @throws what `matches` or the tier throws
   */
  invalidateWhere(matches: InvalidationPredicate): Promise<number>;
  /** Drops everything, in memory and in the tier. @throws what the tier throws */
  clear(): Promise<void>;
}

/**
 * A cache with a tier behind its memory. What is invalidated is gone for every reader of this cache as soon as the
 * call returns, and also after a restart once its promise has resolved.
 */
export interface TieredCache<V>
  extends
    TieredCacheView<V>,
    Omit<Cache<V>, keyof CacheView<V> | 'invalidateTag' | 'namespace' | 'purgeExpired'> {
  /** Drops every entry with that tag, in all namespaces. @returns how many left the tier @throws what the tier throws */
  invalidateTag(tag: string): Promise<number>;
  /** A part of this cache with its own keys and its own `clear`, in the same room. Same name, same namespace. */
  namespace(name: string): TieredCacheView<V>;
  /** Drops what is too old for any use. @returns how many entries left the tier @throws what the tier throws */
  purgeExpired(): Promise<number>;
  /** Resolves when what was loaded so far has been stored in the tier, or failed to be (`tier:failed`). */
  flush(): Promise<void>;
}

// The functions are async so that wrong arguments reject; what they do in memory is done before they return.
export function toTieredCache<V>(core: CacheCore<V>): TieredCache<V> {
  const namespaces = new Map<string, TieredCacheView<V>>();
  return {
    ...core,
    ...toTieredView(core),
    async invalidateTag(tag) {
      const { here, there } = core.invalidateTag(tag);
      return there ?? here;
    },
    namespace(name) {
      const view = namespaces.get(name) ?? toTieredView(core.namespace(name));
      namespaces.set(name, view);
      return view;
    },
    async purgeExpired() {
      const { here, there } = core.purgeExpired();
      return there ?? here;
    },
  };
}

function toTieredView<V>(space: Keyspace<V>): TieredCacheView<V> {
  return {
    ...space,
    async set(key, value, options) {
      const { here, there } = space.set(key, value, options);
      return there ?? here;
    },
    async delete(key) {
      const { here, there } = space.delete(key);
      return there ?? here;
    },
    async invalidateWhere(matches) {
      const { here, there } = space.invalidateWhere(matches);
      return there ?? here;
    },
    clear: async () => space.clear().there,
  };
}
