import { createHash } from 'node:crypto';

/**
 * SHA-256 of a task and its input, as hex. Equal JSON gives equal fingerprints, whatever the order of the keys.
 * @param input any JSON value
 */
export function payloadFingerprint(task: string, input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([task, sorted(input)]))
    .digest('hex');
}

/** The same value with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  // From entries rather than by assignment, which would take `__proto__` for the prototype.
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
