/**
 * How the keys of namespaces are stored. NUL comes first, where no key of a user has it; names are without NUL.
 *
 * In memory a version is part of the key, so that clearing a namespace is one increment. A tier outlives the count of
 * versions: there the keys go without, and what is cleared is removed.
 */
export function namespacePrefix(name: string, version: number): string {
  return `\0${name}@${version}\0`;
}

/** What the keys of a namespace begin with in a tier; two NULs tell it from any prefix in memory. */
export function tierPrefix(name: string): string {
  return `\0\0${name}\0`;
}

/** The key under which a tier holds what the memory holds under `key`. */
export function tierKeyOf(key: string): string {
  if (key.charCodeAt(0) !== 0) return key;
  const end = key.indexOf('\0', 1);
  return tierPrefix(key.slice(1, key.lastIndexOf('@', end))) + key.slice(end + 1);
}
