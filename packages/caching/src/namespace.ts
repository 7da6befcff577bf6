import { checkString, expectedMessage } from '@pawl/core';
import type { Keyspace } from './cache-core.ts';
import type { Change, InvalidationPredicate } from './invalidation.ts';
import { KeyLoadContext } from './key-load.ts';
import { namespacePrefix, tierPrefix } from './namespace-key.ts';

/** What a namespace needs of the cache whose room it shares; keys are those in the store. */
export interface NamespaceHost<V> extends Omit<Keyspace<V>, 'invalidateWhere' | 'clear'> {
  invalidateWhere(matches: InvalidationPredicate, keyOf: (key: string) => string | undefined): Change<number>;
  /** Told that nobody will ask for keys with this prefix again. */
  retire(name: string, prefix: string): Change<void>;
}

/**
 * A part of a cache with keys of its own. Its version is part of the stored keys, so that `clear()` is one
 * increment: the old entries can't be asked for, and leave as the least recently used ones do.
 * @throws TypeError when the name is empty or holds a NUL
 */
export function createNamespace<V>(name: string, host: NamespaceHost<V>): Keyspace<V> {
  if (checkString('name', name).includes('\0')) {
    throw new TypeError(expectedMessage('name', 'a string without NUL', name));
  }
  let version = 1;
  let prefix = namespacePrefix(name, version);
  const prefixInTier = tierPrefix(name);
  const inside = (key: string): string => {
    if (typeof key !== 'string') throw new TypeError(expectedMessage('key', 'a string', key));
    return prefix + key;
  };
  const keyOf = (stored: string): string | undefined => {
    const found = [prefix, prefixInTier].find((start) => stored.startsWith(start));
    return found === undefined ? undefined : stored.slice(found.length);
  };

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
      prefix = namespacePrefix(name, version);
      return host.retire(name, old);
    },
  };
}
