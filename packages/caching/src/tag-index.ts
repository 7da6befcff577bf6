/** Finds the keys that carry a tag without looking at the others. */
export interface TagIndex {
  add(key: string, tags: readonly string[]): void;
  remove(key: string, tags: readonly string[]): void;
  clear(): void;
  /** The keys of that tag as they are now; later changes don't disturb it. */
  keysOf(tag: string): readonly string[];
}

export function createTagIndex(): TagIndex {
  const keysByTag = new Map<string, Set<string>>();
  return {
    add(key, tags) {
      for (const tag of tags) {
        const keys = keysByTag.get(tag);
        if (keys === undefined) keysByTag.set(tag, new Set([key]));
        else keys.add(key);
      }
    },
    remove(key, tags) {
      for (const tag of tags) {
        const keys = keysByTag.get(tag);
        if (keys === undefined) continue;
        keys.delete(key);
        if (keys.size === 0) keysByTag.delete(tag);
      }
    },
    clear: () => keysByTag.clear(),
    keysOf: (tag) => [...(keysByTag.get(tag) ?? [])],
  };
}
