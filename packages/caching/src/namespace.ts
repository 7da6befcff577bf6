import { checkString, expectedMessage } from '@pawl/core';
import type { CacheView } from './cache.ts';
import type { InvalidationPredicate } from './invalidation.ts';
import { KeyLoadContext } from './key-load.ts';
import type { Loader, LoadOptions, ReadOptions, SetOptions } from './call-options.ts';

/** What a namespace needs of the cache whose room it shares; keys are those in the store. */
export interface NamespaceHost<V> {
  get(key: string, options?: ReadOptions): V | undefined;
  peek(key: string, options?: ReadOptions): V | undefined;
  has(key: string, options?: ReadOptions): boolean;
  set(key: string, value: V, options?: SetOptions): boolean;
  delete(key: string): boolean;
  getOrLoad(key: string, loader: Loader<V>, options?: LoadOptions<V>): Promise<V>;
  keys(): readonly string[];
  invalidateWhere(matches: InvalidationPredicate, keyOf: (key: string) => string | undefined): number;
  /** Told that nobody will ask for keys with this prefix again. */
  retire(name: string, prefix: string): void;
}

/**
 * A part of a cache with keys of its own. Its version is part of the stored keys, so that `clear()` is one
 * increment: the old entries can't be asked for, and leave as the least recently used ones do.
 * @throws TypeError when the name is empty or holds a NUL
 */
export function createNamespace<V>(name: string, host: NamespaceHost<V>): CacheView<V> {
  if (checkString('name', name).includes('\0')) {
    throw new TypeError(expectedMessage('name', 'a string without NUL', name));
  }
  let version = 1;
  let prefix = `\0${name}@1\0`;
  const inside = (key: string): string => {
    if (typeof key !== 'string') throw new TypeError(expectedMessage('key', 'a string', key));
    return prefix + key;
  };
  const keyOf = (stored: string): string | undefined =>
    stored.startsWith(prefix) ? stored.slice(prefix.length) : undefined;

  return {
    get: (key, options) => host.get(inside(key), options),
    peek: (key, options) => host.peek(inside(key), options),
    has: (key, options) => host.has(inside(key), options),
    set: (key, value, options) => host.set(inside(key), value, options),
    delete: (key) => host.delete(inside(key)),
    getOrLoad(key, loader, options) {
      try {
        return host.getOrLoad(
          inside(key),
          (context) => loader(new KeyLoadContext(key, context, context.doNotStore)),
          options,
        );
      } catch (error) {
        return Promise.reject(error);
      }
    },
    keys: () => host.keys().flatMap((stored) => keyOf(stored) ?? []),
    invalidateWhere: (matches) => host.invalidateWhere(matches, keyOf),
    clear() {
      const old = prefix;
      version += 1;
      prefix = `\0${name}@${version}\0`;
      host.retire(name, old);
    },
  };
}
